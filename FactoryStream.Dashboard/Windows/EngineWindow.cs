namespace FactoryStream.Dashboard.Windows;

/// <summary>The newest closed window of one engine.</summary>
/// <param name="EngineNo">The database's number of the engine.</param>
/// <param name="FactoryId">Whose engine it is.</param>
/// <param name="EngineId">Which of them.</param>
/// <param name="WindowStart">Inclusive, UTC.</param>
/// <param name="WindowEnd">Exclusive, UTC.</param>
/// <param name="Metrics">By name, ordinal.</param>
/// <param name="TouchedIn">The refresh in which any window of this engine last changed, this one or an older one that a late reading corrected.</param>
public sealed record EngineWindow(int EngineNo, string FactoryId, string EngineId, DateTime WindowStart, DateTime WindowEnd, MetricWindow[] Metrics, long TouchedIn = 0)
{
    /// <summary>Readings of the window: a metric need not be in all of them.</summary>
    public long Count { get; } = Metrics.Max(metric => metric.Count);

    /// <summary>Null when the window has no such metric.</summary>
    public double? Mean(string metric)
    {
        foreach (var candidate in Metrics)
        {
            if (candidate.Metric == metric)
                return candidate.Mean;
        }
        return null;
    }
}

/// <summary>One metric in a window.</summary>
public readonly record struct MetricWindow(string Metric, long Count, double Sum)
{
    public double Mean => Sum / Count;
}
