using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;

namespace FactoryStream.Dashboard.Api;

/// <summary>Which windows are asked for (null: any), by their start: <c>From</c> inclusive, <c>To</c> exclusive.</summary>
internal readonly record struct WindowsQuery(string? FactoryId, string? EngineId, string? Metric, DateTime From, DateTime? To);

/// <summary>Reads windows of any time.</summary>
internal sealed class WindowsReader(FactoryDbContext database)
{
    /// <summary>The windows by factory, engine, start and metric; null when there are more than allowed.</summary>
    public async Task<List<MetricWindow>?> ReadAsync(WindowsQuery query, int max, CancellationToken cancellation)
    {
        var engines = database.Engines.AsNoTracking();
        if (query.FactoryId is { } factoryId)
            engines = engines.Where(engine => engine.FactoryId == factoryId);
        if (query.EngineId is { } engineId)
            engines = engines.Where(engine => engine.EngineId == engineId);
        var windows = database.Windows.AsNoTracking().Where(window => window.WindowStart >= query.From);
        if (query.To is { } to)
            windows = windows.Where(window => window.WindowStart < to);
        if (query.Metric is { } metric)
            windows = windows.Where(window => window.Metric == metric);

        var rows = await windows
            .Join(engines, window => window.EngineNo, engine => engine.EngineNo, (window, engine) => new MetricWindow(
                engine.FactoryId, engine.EngineId, window.Metric, window.WindowStart, window.WindowEnd, window.Count, window.Sum, window.Min, window.Max,
                window.Sum / window.Count, Math.Sqrt(window.SquaredDeviation / window.Count), window.Revision, window.Closed))
            .Take(max + 1)
            .ToListAsync(cancellation);
        if (rows.Count > max)
            return null;
        // Here and not in the database, which would have to sort all before it could stop at the limit.
        rows.Sort(static (left, right) =>
        {
            var order = string.CompareOrdinal(left.FactoryId, right.FactoryId);
            if (order == 0)
                order = string.CompareOrdinal(left.EngineId, right.EngineId);
            if (order == 0)
                order = left.WindowStart.CompareTo(right.WindowStart);
            return order != 0 ? order : string.CompareOrdinal(left.Metric, right.Metric);
        });
        return rows;
    }
}
