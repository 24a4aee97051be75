using System.Runtime.CompilerServices;
using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;

namespace FactoryStream.Dashboard.Windows;

/// <summary>Which windows: null means any.</summary>
/// <param name="FactoryId">Of this factory.</param>
/// <param name="EngineId">Of this engine.</param>
/// <param name="Metric">Of this metric.</param>
/// <param name="From">That start at or after this, UTC.</param>
/// <param name="To">That start before this, UTC.</param>
internal readonly record struct WindowQuery(string? FactoryId, string? EngineId, string? Metric, DateTime From, DateTime To);

/// <summary>The place of one window in the order of <see cref="WindowReader.ReadAsync"/>.</summary>
internal sealed record WindowPlace(string FactoryId, string EngineId, DateTime WindowStart, DateTime WindowEnd, string Metric);

/// <summary>Reads closed windows, engine by engine: each engine's are a run of the primary key, so that nothing is sorted and any number can be streamed.</summary>
internal sealed class WindowReader(IServiceScopeFactory scopes)
{
    /// <summary>The windows of a query, by factory, engine, start, end and metric.</summary>
    /// <param name="query">Which.</param>
    /// <param name="after">Only those behind this place; null: all.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public async IAsyncEnumerable<(EngineRow Engine, WindowRow Window)> ReadAsync(WindowQuery query, WindowPlace? after, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var scope = scopes.CreateAsyncScope();
        var context = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        foreach (var engine in await EnginesAsync(context, query, after, cancellation))
        {
            var windows = context.Windows.AsNoTracking()
                .Where(window => window.EngineNo == engine.EngineNo && window.Closed && window.WindowStart >= query.From && window.WindowStart < query.To);
            if (query.Metric is { } metric)
                windows = windows.Where(window => window.Metric == metric);
            if (after is not null && engine.FactoryId == after.FactoryId && engine.EngineId == after.EngineId)
            {
                windows = windows.Where(window => window.WindowStart >= after.WindowStart && (window.WindowStart > after.WindowStart
                    || window.WindowEnd > after.WindowEnd
                    || (window.WindowEnd == after.WindowEnd && string.Compare(window.Metric, after.Metric) > 0)));
            }
            await foreach (var window in windows
                .OrderBy(window => window.WindowStart).ThenBy(window => window.WindowEnd).ThenBy(window => window.Metric)
                .AsAsyncEnumerable().WithCancellation(cancellation))
                yield return (engine, window);
        }
    }

    private static async Task<List<EngineRow>> EnginesAsync(FactoryDbContext context, WindowQuery query, WindowPlace? after, CancellationToken cancellation)
    {
        // An engine's windows are closed up to a moment: those of one that fell silent before have nothing to give.
        var engines = context.Engines.AsNoTracking().Where(engine => engine.ClosedUntil > query.From);
        if (query.FactoryId is { } factoryId)
            engines = engines.Where(engine => engine.FactoryId == factoryId);
        if (query.EngineId is { } engineId)
            engines = engines.Where(engine => engine.EngineId == engineId);
        if (after is not null)
        {
            engines = engines.Where(engine => string.Compare(engine.FactoryId, after.FactoryId) > 0
                || (engine.FactoryId == after.FactoryId && string.Compare(engine.EngineId, after.EngineId) >= 0));
        }
        return await engines.OrderBy(engine => engine.FactoryId).ThenBy(engine => engine.EngineId).ToListAsync(cancellation);
    }
}
