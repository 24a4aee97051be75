namespace FactoryStream.Dashboard.Live;

/// <summary>An engine's newest closed window, start inclusive, end exclusive; its means ordered by metric.</summary>
internal sealed record EngineWindow(
    int EngineNo,
    string FactoryId,
    string EngineId,
    DateTime WindowStart,
    DateTime WindowEnd,
    IReadOnlyList<MetricMean> Means
)
{
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
internal readonly record struct MetricMean(string Metric, double Mean, long Count, int Revision);
