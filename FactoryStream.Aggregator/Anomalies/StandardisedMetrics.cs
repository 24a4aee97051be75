namespace FactoryStream.Aggregator.Anomalies;

/// <summary>An engine's metrics in spreads from their centre, so that a volt and a degree compare.</summary>
internal sealed class StandardisedMetrics
{
    private readonly MetricScale[] scales;
    private readonly int[] counting;
    private readonly double[] standardised;

    /// <param name="past">Readings without a missing value.</param>
    /// <param name="scaleOf">Gives a metric's scale.</param>
    public StandardisedMetrics(IReadOnlyList<double[]> past, Func<double[], MetricScale> scaleOf)
    {
        scales = [.. Enumerable.Range(0, past[0].Length).Select(metric => scaleOf([.. past.Select(reading => reading[metric])]))];
        counting = [.. Enumerable.Range(0, scales.Length).Where(metric => scales[metric].Spread > 0)];
        standardised = new double[counting.Length];
    }

    /// <summary>How many metrics count: those that have changed.</summary>
    public int Count => counting.Length;

    /// <summary>Of one reading, those that count.</summary>
    /// <returns>Overwritten by the next call.</returns>
    public ReadOnlySpan<double> Of(ReadOnlySpan<double> metrics)
    {
        for (var i = 0; i < counting.Length; i++)
            standardised[i] = scales[counting[i]].Standardise(metrics[counting[i]]);
        return standardised;
    }

    /// <summary>S, the sample covariance: the products of every two metrics, summed over n readings, by n - 1.</summary>
    public double[,] Covariance(IReadOnlyList<double[]> past)
    {
        var covariance = new double[Count, Count];
        foreach (var reading in past)
        {
            var x = Of(reading);
            for (var i = 0; i < Count; i++)
            {
                for (var j = 0; j < Count; j++)
                    covariance[i, j] += x[i] * x[j] / Math.Max(1, past.Count - 1);
            }
        }
        return covariance;
    }
}
