namespace FactoryStream.Aggregator.Anomalies;

/// <summary>What is found by sorting.</summary>
internal static class Ranks
{
    public static double Median(ReadOnlySpan<double> values) => Quantile(values, 0.5);

    /// <summary>The value below which a share of the others is, linear between two of them.</summary>
    /// <param name="values">At least one, all finite, in any order.</param>
    /// <param name="share">0 to 1.</param>
    public static double Quantile(ReadOnlySpan<double> values, double share)
    {
        var sorted = values.ToArray();
        Array.Sort(sorted);
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        var part = place - below;
        // Not below + part * difference: a difference of two finite values may overflow.
        return sorted[below] * (1 - part) + sorted[above] * part;
    }
}
