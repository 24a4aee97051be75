using System.Diagnostics;
using FactoryStream.Dashboard.Reconciliation;
using FactoryStream.Dashboard.Rejections;
using FactoryStream.Dashboard.Windows;
using Npgsql;

namespace FactoryStream.Dashboard.Receipts;

/// <summary>Finds readings by the SHA-256 of their bytes.</summary>
internal sealed class ReceiptsReader(TimedSearch search, RejectionsReader rejections, BacklogReader backlog, TimeProvider time)
    : IDisposable
{
    /// <summary>Most table partitions that are searched where no time is given, the newest ones.</summary>
    internal const int MaxTablePartitions = 400;

    private const string Advice = "Give measured_at, the reading's timestamp or at least its day.";

    // A reading's key begins with its engine and its time, so no index finds a hash alone. With a moment it is one look-up an engine; with
    // a day, or without a time, each table partition is read through. The planner sees the values, so it opens no other table partition.
    internal const string Statement = $"""
        SELECT reading.data_sha256, factory_id, engine_id, reading.measured_at, key_id, reading.verdict_at, reading.batch_sha256,
            closed.window_start, closed.window_end, closed.revision
        FROM (
            SELECT engine_no, key_no, data_sha256, measured_at, verdict_at, batch_sha256, factory_id, engine_id
            FROM factory.engines JOIN factory.readings USING (engine_no)
            WHERE measured_at >= $2 AND measured_at < $3 AND data_sha256 = ANY ($1)
        ) AS reading
        JOIN factory.signing_keys USING (key_no, factory_id)
        {ReadingWindow.Join}
        """;

    // Each of them may read through whole table partitions.
    private readonly SemaphoreSlim turns = new(2);

    /// <summary>A receipt for each hash, in their order.</summary>
    /// <param name="hashes">SHA-256 of 32 bytes each.</param>
    /// <param name="measured">When the readings were measured, from inclusive, to exclusive; null: at any time.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<List<Receipt>> ReadAsync(
        IReadOnlyList<byte[]> hashes,
        (DateTime From, DateTime To)? measured,
        CancellationToken cancellation
    )
    {
        // Before the search: what was on the way then may have been stored since, and is found; the other way round it would be in neither.
        var isAnyPending = backlog.IsAnyAsync(cancellation);
        await ((Task)isAnyPending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        var wanted = hashes.DistinctBy(Convert.ToHexStringLower).ToArray();
        var (stored, searchedFrom) = await ReadStoredAsync(wanted, measured, cancellation);
        var missing = wanted.Where(hash => !stored.ContainsKey(Convert.ToHexStringLower(hash))).ToArray();
        var rejected = missing.Length == 0 ? [] : await rejections.ReadNewestAsync(missing, cancellation);
        // Only what is in neither needs to know of the backlog, and Kafka to answer.
        var otherwise =
            missing.Length == rejected.Count ? ""
            : await isAnyPending ? "pending"
            : "unknown";
        return [.. hashes.Select(Convert.ToHexStringLower).Select(Of)];

        Receipt Of(string sha256) =>
            stored.TryGetValue(sha256, out var reading) ? new(sha256, "stored", Stored: reading)
            : rejected.TryGetValue(sha256, out var rejection)
                ? new(sha256, rejection.Refused ? "refused" : "rejected", Rejection: rejection)
            : new(sha256, otherwise, SearchedFrom: searchedFrom);
    }

    private async Task<(Dictionary<string, StoredReading> Stored, DateTime? SearchedFrom)> ReadStoredAsync(
        byte[][] wanted,
        (DateTime From, DateTime To)? measured,
        CancellationToken cancellation
    )
    {
        if (!await turns.WaitAsync(search.Timeout, cancellation))
            throw search.TooLong("Others are being searched for; come again.");
        try
        {
            return await search.RunAsync(Search, Advice, cancellation);
        }
        finally
        {
            turns.Release();
        }

        async Task<(Dictionary<string, StoredReading>, DateTime?)> Search(NpgsqlConnection connection)
        {
            var stored = new Dictionary<string, StoredReading>();
            if (measured is { } span)
            {
                await FindAsync(connection, wanted, span, stored, cancellation);
                return (stored, null);
            }
            var began = time.GetTimestamp();
            DateTime? searchedFrom = null;
            var (partitions, areAll) = await ReadPartitionsAsync(connection, cancellation);
            foreach (var partition in partitions)
            {
                if (stored.Count == wanted.Length)
                    break;
                if (time.GetElapsedTime(began) > search.Timeout)
                    throw search.TooLong(Advice);
                await FindAsync(connection, wanted, partition, stored, cancellation);
                searchedFrom = partition.From;
            }
            return (stored, areAll ? null : searchedFrom);
        }
    }

    /// <summary>The newest table partitions of readings, the newest first, and whether there are no more.</summary>
    private static async Task<(List<(DateTime From, DateTime To)> Partitions, bool AreAll)> ReadPartitionsAsync(
        NpgsqlConnection connection,
        CancellationToken cancellation
    )
    {
        // Sample of the bounds: FOR VALUES FROM ('2026-02-25 00:00:00+00') TO ('2026-02-26 00:00:00+00')
        await using var command = new NpgsqlCommand(
            """
            SELECT bound[1]::timestamptz, bound[2]::timestamptz
            FROM pg_inherits JOIN pg_class ON oid = inhrelid,
                regexp_match(pg_get_expr(relpartbound, oid), 'FROM \(''([^'']+)''\) TO \(''([^'']+)''\)') AS bound
            WHERE inhparent = 'factory.readings'::regclass
            ORDER BY 1 DESC
            LIMIT $1
            """,
            connection
        );
        command.Parameters.AddWithValue(MaxTablePartitions + 1L);
        var partitions = new List<(DateTime, DateTime)>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            partitions.Add((reader.GetDateTime(0), reader.GetDateTime(1)));
        return partitions.Count > MaxTablePartitions ? (partitions[..MaxTablePartitions], false) : (partitions, true);
    }

    private static async Task FindAsync(
        NpgsqlConnection connection,
        byte[][] wanted,
        (DateTime From, DateTime To) measured,
        Dictionary<string, StoredReading> stored,
        CancellationToken cancellation
    )
    {
        await using var command = Command(connection, wanted, measured);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            stored[Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(0))] = new(
                reader.GetString(1),
                reader.GetString(2),
                reader.GetDateTime(3),
                reader.GetString(4),
                reader.GetDateTime(5),
                reader.IsDBNull(6) ? null : Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(6)),
                reader.IsDBNull(7) ? null : new(reader.GetDateTime(7), reader.GetDateTime(8), reader.GetInt32(9))
            );
        }
    }

    /// <summary>The statement that looks for readings of a time.</summary>
    internal static NpgsqlCommand Command(NpgsqlConnection connection, byte[][] wanted, (DateTime From, DateTime To) measured)
    {
        Debug.Assert(measured.From < measured.To);
        var command = new NpgsqlCommand(Statement, connection);
        command.Parameters.AddWithValue(wanted);
        command.Parameters.AddWithValue(measured.From);
        command.Parameters.AddWithValue(measured.To);
        return command;
    }

    public void Dispose() => turns.Dispose();
}
