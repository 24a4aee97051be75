using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Windows;

/// <summary>Reads the newest closed window of engines.</summary>
internal sealed class LatestWindowsReader(NpgsqlDataSource database)
{
    // How far back of what an engine is closed until its newest window is looked for: almost always in the first, for the rest further and further.
    private static readonly TimeSpan[] Reaches = [TimeSpan.FromHours(1), TimeSpan.FromDays(1), TimeSpan.FromDays(32), TimeSpan.FromDays(400), TimeSpan.MaxValue];

    private const string Engines = """
        SELECT engine_no, factory_id, engine_id, closed_until
        FROM factory.engines
        WHERE closed_until IS NOT NULL AND ($1::int[] IS NULL OR engine_no = ANY ($1))
        """;

    // The bounds are parameters, so that the planner leaves out all partitions but one or two: with 420 partitions and 10,000 engines, 0.3 s instead of 15 s
    // that it takes when each engine's own bounds decide at run time. OFFSET 0 keeps the second look-up an index scan for each engine.
    private const string Newest = """
        SELECT engine_no, window_start, window_end, metric, count, sum
        FROM unnest($1::int[]) AS asked (asked_no)
        CROSS JOIN LATERAL (
            SELECT window_start AS newest_start, window_end AS newest_end
            FROM factory.windows
            WHERE engine_no = asked_no AND closed AND window_start >= $2 AND window_start < $3
            ORDER BY window_start DESC, window_end DESC
            LIMIT 1) AS newest
        CROSS JOIN LATERAL (
            SELECT engine_no, window_start, window_end, metric, count, sum
            FROM factory.windows
            WHERE engine_no = asked_no AND window_start = newest_start AND window_end = newest_end AND closed AND window_start >= $2 AND window_start < $3
            OFFSET 0) AS totals
        """;

    /// <summary>The newest closed window of those engines that have one.</summary>
    /// <param name="engineNos">Null: of all.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<List<EngineWindow>> ReadAsync(IReadOnlyCollection<int>? engineNos, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var windows = new List<EngineWindow>();
        // Engines of one day share their partitions.
        foreach (var day in (await EnginesAsync(connection, engineNos, cancellation)).GroupBy(engine => engine.ClosedUntil.Date))
        {
            var remaining = day.ToDictionary(engine => engine.EngineNo);
            var from = day.Min(engine => engine.ClosedUntil);
            var to = day.Max(engine => engine.ClosedUntil);
            foreach (var reach in Reaches)
            {
                var lower = reach > from - DateTime.UnixEpoch ? DateTime.UnixEpoch : from - reach;
                foreach (var group in await NewestAsync(connection, remaining.Keys, lower, to, cancellation))
                {
                    remaining.Remove(group.Key, out var engine);
                    windows.Add(new EngineWindow(engine.EngineNo, engine.FactoryId, engine.EngineId, group.First().Start, group.First().End,
                        [.. group.Select(row => row.Metric).OrderBy(metric => metric.Metric, StringComparer.Ordinal)]));
                }
                if (remaining.Count == 0 || lower == DateTime.UnixEpoch)
                    break;
            }
        }
        return windows;
    }

    private static async Task<List<(int EngineNo, string FactoryId, string EngineId, DateTime ClosedUntil)>> EnginesAsync(
        NpgsqlConnection connection, IReadOnlyCollection<int>? engineNos, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(Engines, connection);
        command.Parameters.Add(new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer, Value = engineNos is null ? DBNull.Value : engineNos.ToArray() });
        var engines = new List<(int, string, string, DateTime)>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            engines.Add((reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetDateTime(3)));
        return engines;
    }

    private static async Task<ILookup<int, (DateTime Start, DateTime End, MetricWindow Metric)>> NewestAsync(
        NpgsqlConnection connection, IEnumerable<int> engineNos, DateTime from, DateTime to, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(Newest, connection);
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. engineNos] });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = from });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = to });
        var rows = new List<(int EngineNo, DateTime Start, DateTime End, MetricWindow Metric)>();
        var names = new Dictionary<string, string>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            // One string a metric, not one a row.
            var metric = reader.GetString(3);
            if (!names.TryAdd(metric, metric))
                metric = names[metric];
            rows.Add((reader.GetInt32(0), reader.GetDateTime(1), reader.GetDateTime(2), new MetricWindow(metric, reader.GetInt64(4), reader.GetDouble(5))));
        }
        return rows.ToLookup(row => row.EngineNo, row => (row.Start, row.End, row.Metric));
    }
}
