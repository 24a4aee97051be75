using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FactoryStream.Signatures;
using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

/// <summary>What tests put into the database, as the Aggregator would.</summary>
internal static class Seeds
{
    /// <summary>When the first window of <see cref="TwoFactoriesAsync"/> begins.</summary>
    public static readonly DateTime Start = new(2026, 2, 25, 6, 13, 20, DateTimeKind.Utc);

    /// <summary>
    /// Two engines with closed windows, one of them with two, and one without.
    /// </summary>
    public static async Task TwoFactoriesAsync(NpgsqlDataSource database)
    {
        var first = await database.EngineAsync("factory_a", "e1");
        await database.CloseAsync(first, Start, ("temp_air", 20), ("pressure_1", 1), ("rpm", 3000));
        await database.CloseAsync(first, Start.AddSeconds(10), ("temp_air", 21), ("pressure_1", 1.5), ("rpm", 3001));
        // Idle for years, and in a partition of its own.
        await database.CloseAsync(
            await database.EngineAsync("factory_b", "e1"),
            new DateTime(2020, 3, 9, 12, 0, 0, DateTimeKind.Utc),
            ("rpm", 7)
        );
        // No window has closed yet.
        await database.EngineAsync("factory_b", "e2");
    }

    /// <summary>An alert of an engine, or of the whole factory, with the beginning of its history.</summary>
    public static Task AlertAsync(
        this NpgsqlDataSource database,
        int ruleNo,
        string factoryId,
        int? engineNo,
        string state,
        string severity,
        DateTime raisedAt
    ) =>
        database.ScalarAsync<long>(
            """
            WITH alert AS (
                INSERT INTO factory.alerts (rule_no, name, kind, severity, factory_id, engine_no, state, raised_at, raised_recorded_at,
                    value)
                VALUES ($1, 'too hot', 'threshold', $2, $3, nullif($4, 0), $5, $6, $6, 7)
                RETURNING alert_no)
            INSERT INTO factory.alert_events (alert_no, event, recorded_at) SELECT alert_no, 'raised', $6 FROM alert
            RETURNING event_no
            """,
            ruleNo,
            severity,
            factoryId,
            engineNo ?? 0,
            state,
            raisedAt
        );

    /// <summary>An engine; its number.</summary>
    public static async Task<int> EngineAsync(this NpgsqlDataSource database, string factoryId, string engineId) =>
        await database.ScalarAsync<int>(
            "INSERT INTO factory.engines (factory_id, engine_id) VALUES ($1, $2) RETURNING engine_no",
            factoryId,
            engineId
        );

    /// <summary>
    /// A closed window of 10 s with metrics of ten readings each: means as given, minima 1 less and maxima 2 more; and what the Aggregator
    /// says of it.
    /// </summary>
    public static async Task CloseAsync(
        this NpgsqlDataSource database,
        int engineNo,
        DateTime start,
        params (string Metric, double Mean)[] metrics
    )
    {
        await new TablePartitions(database, WindowStatements.Table).EnsureAsync(start, CancellationToken.None);
        await using (var connection = await database.OpenConnectionAsync())
        {
            var totals = metrics.Select(metric => new MetricRow(metric.Metric, 10, metric.Mean * 10, metric.Mean - 1, metric.Mean + 2, 40));
            await WindowStatements.UpsertAsync(
                connection,
                [new(engineNo, start, start.AddSeconds(10), [.. totals])],
                newRevision: 0,
                TimeProvider.System.GetUtcNow().UtcDateTime,
                CancellationToken.None
            );
        }
        await database.ScalarAsync<object>(
            "UPDATE factory.engines SET closed_until = greatest(closed_until, $2) WHERE engine_no = $1",
            engineNo,
            start.AddSeconds(10)
        );
        await database.NotifyAsync(engineNo);
    }

    /// <summary>The same window as if late readings had corrected it.</summary>
    public static async Task CorrectAsync(
        this NpgsqlDataSource database,
        int engineNo,
        DateTime start,
        params (string Metric, double Mean)[] metrics
    )
    {
        foreach (var (metric, mean) in metrics)
        {
            await database.ScalarAsync<int>(
                """
                UPDATE factory.engine_windows SET revision = revision + 1, updated_at = now(), sums[array_position(metrics, $3)] = $4 * 10,
                    mins[array_position(metrics, $3)] = $4 - 1, maxs[array_position(metrics, $3)] = $4 + 2
                WHERE engine_no = $1 AND window_start = $2 RETURNING 1
                """,
                engineNo,
                start,
                metric,
                mean
            );
        }
        await database.NotifyAsync(engineNo);
    }

    /// <summary>Metrics that an engine has sent.</summary>
    public static Task KnowAsync(this NpgsqlDataSource database, int engineNo, params string[] metrics) =>
        database.ScalarAsync<object>(
            "INSERT INTO factory.engine_metrics (engine_no, metric) SELECT $1, unnest($2::text[]) RETURNING 1",
            engineNo,
            metrics
        );

    /// <summary>An enrolled key; its number.</summary>
    public static async Task<int> EnrolAsync(this NpgsqlDataSource database, string factoryId, string keyId, RsaPublicKey key) =>
        await database.ScalarAsync<int>(
            """
            INSERT INTO factory.signing_keys (key_id, factory_id, algorithm, public_key, enrolled_at)
            VALUES ($1, $2, 'RSASSA-PSS-SHA256', $3, now()) RETURNING key_no
            """,
            keyId,
            factoryId,
            key.SubjectPublicKeyInfo.ToArray()
        );

    /// <summary>A stored reading, accepted a second after it was measured; the SHA-256 of its data in hexadecimal digits.</summary>
    public static async Task<string> ReadingAsync(
        this NpgsqlDataSource database,
        int engineNo,
        int keyNo,
        DateTime measuredAt,
        string data,
        byte[]? batchSha256 = null
    )
    {
        var bytes = Encoding.UTF8.GetBytes(data);
        var hash = SHA256.HashData(bytes);
        await new TablePartitions(database, "readings").EnsureAsync(measuredAt, CancellationToken.None);
        await using var connection = await database.OpenConnectionAsync();
        await ReadingStatements.InsertNewAsync(
            connection,
            [new(engineNo, keyNo, measuredAt, measuredAt.AddSeconds(1), hash, bytes, new byte[] { 1 }, batchSha256 ?? [])],
            CancellationToken.None
        );
        return Convert.ToHexStringLower(hash);
    }

    /// <summary>A stored batch, signed; the SHA-256 of its bytes.</summary>
    public static async Task<byte[]> BatchAsync(
        this NpgsqlDataSource database,
        int keyNo,
        ReadingSigner signer,
        DateTime measuredUntil,
        string data
    )
    {
        var bytes = Encoding.UTF8.GetBytes(data);
        var hash = SHA256.HashData(bytes);
        var signature = new byte[signer.SignatureLength];
        signer.Sign(bytes, signature);
        await new TablePartitions(database, "batches").EnsureAsync(measuredUntil, CancellationToken.None);
        await database.ScalarAsync<object>(
            """
            INSERT INTO factory.batches (sha256, measured_until, key_no, verdict_at, data, signature) VALUES ($1, $2, $3, $2, $4, $5)
            RETURNING 1
            """,
            hash,
            measuredUntil,
            keyNo,
            bytes,
            signature
        );
        return hash;
    }

    /// <summary>Refused and rejected lines, as the Aggregator keeps them.</summary>
    public static async Task RejectAsync(this NpgsqlDataSource database, params RejectionEntry[] entries)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await RejectionWriter.StoreAsync(connection, entries, (_, reason) => Assert.Fail(reason), CancellationToken.None);
        await transaction.CommitAsync();
    }

    private static async Task NotifyAsync(this NpgsqlDataSource database, int engineNo) =>
        await database.ScalarAsync<object>(
            "SELECT pg_notify($1, $2)",
            WindowStatements.Channel,
            string.Create(CultureInfo.InvariantCulture, $"[{engineNo}]")
        );
}
