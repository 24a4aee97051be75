namespace FactoryStream.Contracts;

/// <summary>Totals of one metric in one or more windows; never infinite and never not a number, whatever a machine sends.</summary>
public struct MetricTotals
{
    // Below this, a division by a count could underflow, which ends a query of PostgreSQL with an error.
    private const double Smallest = 1e-290;

    private double mean;

    /// <summary>Totals of values that were counted before, as they are stored.</summary>
    /// <param name="metric">The metric's name.</param>
    /// <param name="count">How many values; at least one.</param>
    /// <param name="sum">Of the values.</param>
    /// <param name="min">The least value.</param>
    /// <param name="max">The greatest value.</param>
    /// <param name="squaredDeviation">Sum of (value - mean)^2.</param>
    public MetricTotals(string metric, long count, double sum, double min, double max, double squaredDeviation)
    {
        (Metric, Count, Sum, Min, Max, SquaredDeviation) = (metric, count, sum, min, max, squaredDeviation);
        mean = sum / count;
    }

    /// <summary>The metric's name.</summary>
    public string Metric { get; }

    /// <summary>How many values.</summary>
    public long Count { get; private set; }

    /// <summary>The sum of the values, in the metric's own unit.</summary>
    public double Sum { get; private set; }

    /// <summary>The least value.</summary>
    public double Min { get; private set; }

    /// <summary>The greatest value.</summary>
    public double Max { get; private set; }

    /// <summary>Sum of (value - mean)^2.</summary>
    public double SquaredDeviation { get; private set; }

    /// <summary>Totals of one value.</summary>
    /// <param name="metric">The metric's name.</param>
    /// <param name="value">The value.</param>
    public static MetricTotals Of(string metric, double value) => new(metric, 1, Bounded(value), value, value, 0) { mean = value };

    /// <summary>Counts one more value: Welford's update.</summary>
    /// <param name="value">The value.</param>
    public void Add(double value)
    {
        Count++;
        Sum = Bounded(Sum + value);
        Min = Math.Min(Min, value);
        Max = Math.Max(Max, value);
        // Of finite numbers a difference may be infinite; clamped, the mean stays between least and greatest.
        var before = Math.Clamp(value - mean, -double.MaxValue, double.MaxValue);
        mean += before / Count;
        SquaredDeviation = Bounded(SquaredDeviation + before * (value - mean));
    }

    /// <summary>
    /// These values and the others' together: the pairwise update of Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm
    /// for Computing Sample Variances" (1979).
    /// </summary>
    /// <param name="other">Totals of other values of the same metric.</param>
    public readonly MetricTotals With(in MetricTotals other)
    {
        var count = Count + other.Count;
        var difference = other.Sum / other.Count - Sum / Count;
        return new(
            Metric,
            count,
            Bounded(Sum + other.Sum),
            Math.Min(Min, other.Min),
            Math.Max(Max, other.Max),
            Bounded(SquaredDeviation + other.SquaredDeviation + difference * difference * ((double)Count / count * other.Count))
        );
    }

    /// <summary>
    /// A total as it can be stored and computed with: what overflowed is the greatest number there is, what is nearly zero is zero.
    /// No sensor measures there, but a machine may send it, and no query, page or transaction may fail because of it.
    /// </summary>
    private static double Bounded(double total)
    {
        if (double.IsNaN(total))
            return double.MaxValue;
        return Math.Abs(total) < Smallest ? 0 : Math.Clamp(total, -double.MaxValue, double.MaxValue);
    }
}
