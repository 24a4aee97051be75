using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Live;

/// <summary>Reads engines' newest closed windows: a descending index scan that stops at its first row for each, however many windows there are.</summary>
internal sealed class LatestWindowsReader(NpgsqlDataSource database)
{
    // An engine without closed_until has no closed window; the bound also spares the search of partitions that are still to come.
    private const string Sql = """
        SELECT e.engine_no, e.factory_id, e.engine_id, newest.window_start, newest.window_end, w.metric, w.sum / w.count, w.count, w.revision
        FROM factory.engines AS e
        CROSS JOIN LATERAL (
            SELECT window_start, window_end FROM factory.windows
            WHERE engine_no = e.engine_no AND window_start < e.closed_until AND closed
            ORDER BY window_start DESC, window_end DESC LIMIT 1) AS newest
        CROSS JOIN LATERAL (
            SELECT metric, sum, count, revision FROM factory.windows
            WHERE engine_no = e.engine_no AND window_start = newest.window_start AND window_end = newest.window_end) AS w
        WHERE $1::int[] IS NULL OR e.engine_no = ANY ($1)
        """;

    /// <summary>The newest closed windows of these engines, or of all if none are named; nothing for an engine that has none.</summary>
    public async Task<List<EngineWindow>> ReadAsync(IReadOnlyCollection<int>? engineNos, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(Sql);
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer, Value = (object?)engineNos?.ToArray() ?? DBNull.Value });
        var windows = new List<EngineWindow>();
        var means = new List<MetricMean>();
        EngineWindow? current = null;
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            // An engine's rows come together: they are one inner scan of the join.
            if (current?.EngineNo != reader.GetInt32(0))
            {
                Complete();
                current = new(reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetDateTime(3), reader.GetDateTime(4), []);
            }
            means.Add(new(reader.GetString(5), reader.GetDouble(6), reader.GetInt64(7), reader.GetInt32(8)));
        }
        Complete();
        return windows;

        void Complete()
        {
            if (current is null)
                return;
            windows.Add(current with { Means = [.. means.OrderBy(mean => mean.Metric, StringComparer.Ordinal)] });
            means.Clear();
        }
    }
}
