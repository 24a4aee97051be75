namespace FactoryStream.Aggregator.Anomalies;

/// <summary>The median of the last few distances; before there are so many, of those there are.</summary>
internal sealed class RunningMedian
{
    private readonly double[] kept = new double[AnomalyRules.MedianReadings];
    private long count;

    public double Next(double distance)
    {
        kept[count++ % kept.Length] = distance;
        return Ranks.Median(kept.AsSpan(0, (int)Math.Min(count, kept.Length)));
    }
}
