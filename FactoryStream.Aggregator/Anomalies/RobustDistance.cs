namespace FactoryStream.Aggregator.Anomalies;

/// <summary>The greatest squared robust z-score of a reading's metrics: (value - median) / (1.4826 MAD).</summary>
internal sealed class RobustDistance : IDistance
{
    private readonly StandardisedMetrics standardised;

    /// <param name="past">Readings without a missing value.</param>
    public RobustDistance(IReadOnlyList<double[]> past)
    {
        standardised = new(past, values => MetricScale.OfMedian(values));
        if (past.Count > 1 && standardised.Count > 0)
            TheoryLimit = FisherDistribution.UpperQuantile(AnomalyRules.FalseAlarms / standardised.Count, 1, past.Count - 1);
    }

    /// <summary>
    /// Student's t squared, which is F(1, n - 1), at the share of false alarms by the number of metrics (Bonferroni), for any of them may
    /// raise one.
    /// </summary>
    public double? TheoryLimit { get; }

    public double Of(ReadOnlySpan<double> metrics)
    {
        var greatest = 0.0;
        foreach (var z in standardised.Of(metrics))
            greatest = Math.Max(greatest, z * z);
        return greatest;
    }
}
