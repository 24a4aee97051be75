using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>What alerts are evaluated by: rules, alerts and closed windows, read in the transaction that writes alerts.</summary>
public static class AlertReader
{
    /// <summary>The rules that are turned on.</summary>
    /// <param name="database">The database with the schema <c>factory</c>.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task<List<AlertRule>> RulesAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        var rules = new List<AlertRule>();
        await using var command = database.CreateCommand(
            """
            SELECT rule_no, kind, factory_id, engine_id, metric, comparison, statistic, "limit", duration, severity
            FROM factory.alert_rules WHERE is_enabled ORDER BY rule_no
            """
        );
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            rules.Add(
                new AlertRule(
                    reader.GetInt32(0),
                    AlertNames.Parse<AlertKind>(reader.GetString(1)),
                    reader.IsDBNull(2) ? null : reader.GetString(2),
                    reader.IsDBNull(3) ? null : reader.GetString(3),
                    reader.IsDBNull(4) ? null : reader.GetString(4),
                    AlertNames.Parse<AlertComparison>(reader.GetString(5)),
                    AlertNames.Parse<AlertStatistic>(reader.GetString(6)),
                    reader.GetDouble(7),
                    TimeSpan.FromSeconds(reader.GetInt32(8)),
                    AlertNames.Parse<AlertSeverity>(reader.GetString(9))
                )
            );
        }
        return rules;
    }

    /// <summary>The alerts of engines that are raised, or were until some time; without those that were withdrawn.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="engines">Each engine's number once, and the time (UTC) since when its alerts are wanted.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static Task<List<StoredAlert>> AlertsAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<(int EngineNo, DateTime Since)> engines,
        CancellationToken cancellation
    )
    {
        var select = new NpgsqlCommand(
            """
            SELECT alert_no, rule_no, factory_id, a.engine_no, raised_at, value, cleared_at
            FROM unnest($1::int[], $2::timestamptz[]) AS named (engine_no, since)
            JOIN factory.alerts AS a ON a.engine_no = named.engine_no
            WHERE state = 'raised' OR (state = 'cleared' AND cleared_at > since)
            ORDER BY raised_at, alert_no
            """,
            connection
        );
        select.Parameters.AddArray(NpgsqlDbType.Integer, engines.Select(engine => engine.EngineNo));
        select.Parameters.AddArray(NpgsqlDbType.TimestampTz, engines.Select(engine => engine.Since));
        return AlertsAsync(select, cancellation);
    }

    /// <summary>A rule's raised alerts of whole factories.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static Task<List<StoredAlert>> FactoryAlertsAsync(NpgsqlConnection connection, AlertRule rule, CancellationToken cancellation)
    {
        var select = new NpgsqlCommand(
            """
            SELECT alert_no, rule_no, factory_id, engine_no, raised_at, value, cleared_at
            FROM factory.alerts WHERE rule_no = $1 AND state = 'raised' AND engine_no IS NULL
            """,
            connection
        );
        select.Parameters.AddWithValue(rule.RuleNo);
        return AlertsAsync(select, cancellation);
    }

    /// <summary>Closed windows in the order of their time, of those engines and metrics that are named.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="wanted">Each engine and metric once, and the time (UTC) from which windows start.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task<ILookup<(int EngineNo, string Metric), AlertWindow>> WindowsAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<(int EngineNo, string Metric, DateTime Since)> wanted,
        CancellationToken cancellation
    )
    {
        var windows = new List<(int EngineNo, string Metric, AlertWindow Window)>();
        if (wanted.Count == 0)
            return windows.ToLookup(row => (row.EngineNo, row.Metric), row => row.Window);
        // $4 bounds all together: by it the planner leaves out all table partitions but the last few.
        await using var select = new NpgsqlCommand(
            """
            SELECT named.engine_no, metric, window_start, window_end, counts[place], sums[place], mins[place], maxs[place]
            FROM unnest($1::int[], $2::text[], $3::timestamptz[]) AS named (engine_no, metric, since)
            CROSS JOIN LATERAL (
                SELECT *, array_position(metrics, metric) AS place FROM factory.engine_windows AS stored
                WHERE stored.engine_no = named.engine_no AND window_start >= since AND window_start >= $4
                ORDER BY window_start, window_end
                OFFSET 0) AS w
            WHERE place IS NOT NULL
            ORDER BY named.engine_no, metric, window_start, window_end
            """,
            connection
        );
        select.Parameters.AddArray(NpgsqlDbType.Integer, wanted.Select(entry => entry.EngineNo));
        select.Parameters.AddArray(NpgsqlDbType.Text, wanted.Select(entry => entry.Metric));
        select.Parameters.AddArray(NpgsqlDbType.TimestampTz, wanted.Select(entry => entry.Since));
        select.Parameters.AddWithValue(wanted.Min(entry => entry.Since));
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            // Divided here: PostgreSQL's own arithmetic ends a statement where a value underflows.
            var mean = reader.GetDouble(5) / reader.GetInt64(4);
            windows.Add(
                (
                    reader.GetInt32(0),
                    reader.GetString(1),
                    new(reader.GetDateTime(2), reader.GetDateTime(3), mean, reader.GetDouble(6), reader.GetDouble(7))
                )
            );
        }
        return windows.ToLookup(row => (row.EngineNo, row.Metric), row => row.Window);
    }

    /// <summary>
    /// Engines whose windows stopped, for longer than a rule of silence allows, and of which it has not raised an alert yet. They are
    /// locked, so that none of their windows closes before the transaction ends.
    /// </summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="now">The wall clock's time, UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task<List<(string FactoryId, int EngineNo, DateTime WrittenAt)>> StoppedAsync(
        NpgsqlConnection connection,
        AlertRule rule,
        DateTime now,
        CancellationToken cancellation
    )
    {
        await using var select = new NpgsqlCommand(
            """
            SELECT factory_id, engine_no, windows_written_at FROM factory.engines AS e
            WHERE windows_written_at < $2 AND ($3::text IS NULL OR factory_id = $3) AND ($4::text IS NULL OR engine_id = $4)
                AND NOT EXISTS (
                    SELECT FROM factory.alerts AS a WHERE a.rule_no = $1 AND a.engine_no = e.engine_no AND a.state = 'raised')
            ORDER BY engine_no
            FOR NO KEY UPDATE
            """,
            connection
        );
        select.Parameters.AddWithValue(rule.RuleNo);
        select.Parameters.AddWithValue(now - rule.Duration);
        select.Parameters.Add(Nullable(rule.FactoryId));
        select.Parameters.Add(Nullable(rule.EngineId));
        var engines = new List<(string, int, DateTime)>();
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            engines.Add((reader.GetString(0), reader.GetInt32(1), reader.GetDateTime(2)));
        return engines;
    }

    /// <summary>
    /// How many lines of each factory with a key were rejected of late; at most one more than the rule's limit is counted.
    /// </summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="now">The wall clock's time, UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task<Dictionary<string, long>> RejectionsAsync(
        NpgsqlConnection connection,
        AlertRule rule,
        DateTime now,
        CancellationToken cancellation
    )
    {
        await using var select = new NpgsqlCommand(
            """
            SELECT factory_id, lines
            FROM (SELECT DISTINCT factory_id FROM factory.signing_keys WHERE $1::text IS NULL OR factory_id = $1) AS known
            CROSS JOIN LATERAL (
                SELECT count(*) AS lines FROM (
                    SELECT FROM factory.rejections AS r
                    WHERE r.factory_id = known.factory_id AND rejected_at >= $2 AND NOT unknown_factory
                    LIMIT $3) AS recent) AS counted
            """,
            connection
        );
        select.Parameters.Add(Nullable(rule.FactoryId));
        select.Parameters.AddWithValue(now - rule.Duration);
        select.Parameters.AddWithValue((long)rule.Limit + 1);
        var counts = new Dictionary<string, long>();
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            counts.Add(reader.GetString(0), reader.GetInt64(1));
        return counts;
    }

    private static async Task<List<StoredAlert>> AlertsAsync(NpgsqlCommand select, CancellationToken cancellation)
    {
        await using var disposing = select;
        var alerts = new List<StoredAlert>();
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            alerts.Add(
                new StoredAlert(
                    reader.GetInt64(0),
                    reader.GetInt32(1),
                    reader.GetString(2),
                    reader.IsDBNull(3) ? null : reader.GetInt32(3),
                    reader.GetDateTime(4),
                    reader.GetDouble(5),
                    reader.IsDBNull(6) ? null : reader.GetDateTime(6)
                )
            );
        }
        return alerts;
    }

    private static NpgsqlParameter Nullable(string? value) =>
        new() { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)value ?? DBNull.Value };
}
