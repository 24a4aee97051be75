namespace FactoryStream.Aggregator.Anomalies;

/// <summary>What is usual of one metric: its centre and its spread.</summary>
/// <param name="Centre">In the metric's unit.</param>
/// <param name="Spread">In the metric's unit; 0: it never changed, so that nothing says how far is far, and it does not count.</param>
internal readonly record struct MetricScale(double Centre, double Spread)
{
    // Further makes no difference, and the squares of a thousand metrics stay finite.
    private const double Furthest = 1e6;

    /// <summary>By how many spreads a value is off the centre; 0 of a metric that does not count.</summary>
    public double Standardise(double value) => Spread == 0 ? 0 : Math.Clamp((value - Centre) / Spread, -Furthest, Furthest);

    /// <summary>Mean and standard deviation.</summary>
    public static MetricScale OfMean(ReadOnlySpan<double> values)
    {
        var mean = MeanOf(values);
        var squares = 0.0;
        foreach (var value in values)
            squares += (value - mean) * (value - mean);
        return Create(mean, Math.Sqrt(squares / Math.Max(1, values.Length - 1)));
    }

    /// <summary>
    /// Median, and 1.4826 times the median absolute deviation, which is the standard deviation of a normal distribution. Where more than
    /// half of the values are the same, 1.2533 times the mean absolute deviation: Iglewicz and Hoaglin, "How to Detect and Handle Outliers"
    /// (1993).
    /// </summary>
    public static MetricScale OfMedian(ReadOnlySpan<double> values)
    {
        var median = Ranks.Median(values);
        var deviations = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
            deviations[i] = Math.Abs(values[i] - median);
        var spread = 1.4826 * Ranks.Median(deviations);
        return Create(median, spread > 0 ? spread : 1.2533 * MeanOf(deviations));
    }

    /// <summary>A spread within rounding of the centre is none; nor is one that has overflowed.</summary>
    private static MetricScale Create(double centre, double spread) =>
        double.IsFinite(centre) && double.IsFinite(spread) && spread > 1e-12 * Math.Abs(centre) && spread > 1e-290
            ? new(centre, spread)
            : new(0, 0);

    private static double MeanOf(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        return sum / values.Length;
    }
}
