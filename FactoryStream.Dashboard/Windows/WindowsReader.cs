using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace FactoryStream.Dashboard.Windows;

/// <summary>Which windows are asked for; null: all of them.</summary>
internal readonly record struct WindowsQuery(string? FactoryId, string? EngineId, string? Metric, DateTime From, DateTime To, int Limit);

/// <summary>Reads closed windows.</summary>
internal sealed class WindowsReader(FactoryDbContext database, NpgsqlDataSource source)
{
    /// <summary>Windows that begin in <c>[From, To)</c>, in the order of time, factory, engine and metric; one more than the limit when there are more.</summary>
    public IAsyncEnumerable<WindowAnswer> ReadAsync(WindowsQuery query)
    {
        var engines = database.Engines.AsNoTracking().Where(engine =>
            (query.FactoryId == null || engine.FactoryId == query.FactoryId) && (query.EngineId == null || engine.EngineId == query.EngineId));
        return (from window in database.Windows.AsNoTracking()
                join engine in engines on window.EngineNo equals engine.EngineNo
                where window.WindowStart >= query.From && window.WindowStart < query.To && (query.Metric == null || window.Metric == query.Metric)
                orderby window.WindowStart, engine.FactoryId, engine.EngineId, window.Metric
                select new WindowAnswer(engine.FactoryId, engine.EngineId, window.Metric, window.WindowStart, window.WindowEnd, window.Count, window.Sum, window.Min, window.Max,
                    window.Sum / window.Count, Math.Sqrt(window.SquaredDeviation / window.Count), window.Revision, window.Closed))
            .Take(query.Limit + 1).AsAsyncEnumerable();
    }

    /// <summary>The newest closed window of engines, all their metrics: one descending index scan an engine.</summary>
    /// <param name="engineNos">Whose; null: everybody's.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public async Task<List<LatestWindow>> LatestAsync(int[]? engineNos, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand("""
            SELECT e.engine_no, e.factory_id, e.engine_id, w.window_start, w.window_end, w.metric, w.count, w.sum / w.count
            FROM factory.engines AS e
            CROSS JOIN LATERAL (SELECT window_start FROM factory.windows WHERE windows.engine_no = e.engine_no ORDER BY window_start DESC LIMIT 1) AS newest
            JOIN factory.windows AS w ON w.engine_no = e.engine_no AND w.window_start = newest.window_start
            WHERE $1::int[] IS NULL OR e.engine_no = ANY ($1)
            ORDER BY e.engine_no
            """);
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Integer, Value = (object?)engineNos ?? DBNull.Value });
        var latest = new List<LatestWindow>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var engineNo = reader.GetInt32(0);
            if (latest.Count == 0 || latest[^1].EngineNo != engineNo)
                latest.Add(new LatestWindow(engineNo, reader.GetString(1), reader.GetString(2), reader.GetDateTime(3), reader.GetDateTime(4), reader.GetInt64(6), []));
            latest[^1].Means[reader.GetString(5)] = reader.GetDouble(7);
        }
        return latest;
    }
}

/// <summary>An engine's newest closed window: its times (UTC), how many readings, and each metric's mean.</summary>
internal sealed record LatestWindow(int EngineNo, string FactoryId, string EngineId, DateTime WindowStart, DateTime WindowEnd, long Count, SortedDictionary<string, double> Means)
{
    /// <summary>As the Python system told it.</summary>
    public LatestData ToLatestData() => new(FactoryId, EngineId, WindowEnd, Mean("temp_air"), Mean("temp_oil"), Mean("temp_exhaust"), Mean("vibration"), Mean("pressure_1"), Mean("pressure_2"), Mean("rpm"));

    private double? Mean(string metric) => Means.TryGetValue(metric, out var mean) ? mean : null;
}
