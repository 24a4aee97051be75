using FactoryStream.Dashboard.Live;

namespace FactoryStream.Dashboard.Plant;

/// <summary>
/// The trends of the engines that one page has in sight, and of no others: that bounds its memory. What was read stays until the engine's
/// newest window is another.
/// </summary>
internal sealed class VisibleTrends(TrendsReader reader)
{
    private Dictionary<int, Trend> trends = [];

    /// <summary>The points of an engine in sight, the oldest first; none before they were read.</summary>
    public IReadOnlyList<TrendPoint> Of(EngineWindow engine, string? metric) =>
        trends.TryGetValue(engine.EngineNo, out var trend) && trend.Metric == metric ? trend.Points : [];

    /// <summary>Reads what is new of these engines, and forgets all others.</summary>
    public async Task FollowAsync(IReadOnlyList<EngineWindow> engines, string metric, CancellationToken cancellation)
    {
        var changed = engines.Where(engine => !IsKnown(engine, metric)).ToHashSet<EngineWindow>(ReferenceEqualityComparer.Instance);
        var found = changed.Count > 0 ? await reader.ReadAsync(changed, metric, cancellation) : null;
        var next = new Dictionary<int, Trend>();
        foreach (var engine in engines)
        {
            // What another call has taken away meanwhile is read again the next time.
            if (IsKnown(engine, metric))
                next[engine.EngineNo] = trends[engine.EngineNo];
            else if (found is not null && changed.Contains(engine))
                next[engine.EngineNo] = new(engine, metric, [.. found[engine.EngineNo]]);
        }
        trends = next;
    }

    // Another object means that the engine's windows were read again.
    private bool IsKnown(EngineWindow engine, string metric) =>
        trends.TryGetValue(engine.EngineNo, out var known) && ReferenceEquals(known.Window, engine) && known.Metric == metric;

    private sealed record Trend(EngineWindow Window, string Metric, IReadOnlyList<TrendPoint> Points);
}
