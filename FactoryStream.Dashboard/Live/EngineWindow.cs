namespace FactoryStream.Dashboard.Live;

/// <summary>
/// An engine's newest closed window, start inclusive, end exclusive; when it was written or last corrected, by the database's clock; its
/// means ordered by metric.
/// </summary>
public sealed record EngineWindow(
    int EngineNo,
    string FactoryId,
    string EngineId,
    DateTime WindowStart,
    DateTime WindowEnd,
    DateTime UpdatedAt,
    IReadOnlyList<MetricMean> Means
)
{
    /// <summary>
    /// The window's readings in each of its seconds. A reading may lack a metric, so the metric that most of them have says how many there
    /// were.
    /// </summary>
    public double ReadingsPerSecond
    {
        get
        {
            var most = 0L;
            foreach (var mean in Means)
                most = Math.Max(most, mean.Count);
            return most / (WindowEnd - WindowStart).TotalSeconds;
        }
    }

    public double? Mean(string metric)
    {
        foreach (var mean in Means)
        {
            if (mean.Metric == metric)
                return mean.Mean;
        }
        return null;
    }
}

/// <summary>A metric's mean in a window, and how often late readings corrected it.</summary>
public readonly record struct MetricMean(string Metric, double Mean, long Count, int Revision);
