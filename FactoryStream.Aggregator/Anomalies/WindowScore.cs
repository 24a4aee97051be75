namespace FactoryStream.Aggregator.Anomalies;

/// <summary>
/// The anomaly score of a closed window: by how many times its limit the metric that is furthest from its median is away from what the
/// windows before were. It depends on those windows alone, so whoever computes it again gets the same.
/// </summary>
internal static class WindowScore
{
    /// <summary>Above 1 is an anomaly; finite and not negative.</summary>
    /// <param name="past">
    /// The means of the windows before, in any order. A metric has the same place in all of them; a row may be shorter, and a value that is
    /// no finite number is missing.
    /// </param>
    /// <param name="window">The means of the window.</param>
    /// <returns>
    /// Null: there is no score, for too few windows were before it, or none of its metrics was in so many of them and has ever changed.
    /// </returns>
    public static double? Of(ReadOnlySpan<double[]> past, ReadOnlySpan<double> window)
    {
        if (past.Length < AnomalyRules.LeastWindows)
            return null;
        double? distance = null;
        var distances = new double[past.Length];
        var values = new double[past.Length];
        for (var metric = 0; metric < window.Length; metric++)
        {
            if (!double.IsFinite(window[metric]))
                continue;
            var count = 0;
            foreach (var means in past)
            {
                if (Has(means, metric))
                    values[count++] = means[metric];
            }
            if (count < AnomalyRules.LeastWindows || MetricScale.OfMedian(values.AsSpan(0, count)) is not { Spread: > 0 } scale)
                continue;
            distance = Math.Max(distance ?? 0, Math.Abs(scale.Standardise(window[metric])));
            for (var i = 0; i < past.Length; i++)
            {
                if (Has(past[i], metric))
                    distances[i] = Math.Max(distances[i], Math.Abs(scale.Standardise(past[i][metric])));
            }
        }
        return distance / Limit(distances);
    }

    /// <summary>Tukey's outer fence, of all metrics' greatest distances.</summary>
    private static double Limit(ReadOnlySpan<double> distances)
    {
        var upper = Ranks.Quantile(distances, 0.75);
        var fence = upper + AnomalyRules.FenceQuartiles * (upper - Ranks.Quantile(distances, 0.25));
        return Math.Max(fence, AnomalyRules.LeastWindowLimit);
    }

    private static bool Has(double[] means, int metric) => metric < means.Length && double.IsFinite(means[metric]);
}
