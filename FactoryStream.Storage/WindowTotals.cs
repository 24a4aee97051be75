namespace FactoryStream.Storage;

/// <summary>Totals of one metric of one engine in one window.</summary>
/// <param name="EngineNo">The engine's number.</param>
/// <param name="WindowStart">Inclusive, UTC.</param>
/// <param name="WindowEnd">Exclusive, UTC.</param>
/// <param name="Metric">The metric's name.</param>
/// <param name="Count">How many values; at least one.</param>
/// <param name="Sum">Of the values.</param>
/// <param name="Min">The least value.</param>
/// <param name="Max">The greatest value.</param>
/// <param name="SquaredDeviation">Sum of (value - mean)^2.</param>
public readonly record struct WindowTotals(
    int EngineNo, DateTime WindowStart, DateTime WindowEnd, string Metric, long Count, double Sum, double Min, double Max, double SquaredDeviation)
{
    // Below this, a division by a count could come to nothing, which PostgreSQL takes for an error in whoever's query it is.
    private const double Smallest = 1e-290;

    /// <summary>
    /// These values and the others' together: the pairwise update of Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979).
    /// </summary>
    public WindowTotals With(in WindowTotals other)
    {
        var count = Count + other.Count;
        var difference = other.Sum / other.Count - Sum / Count;
        return this with
        {
            Count = count,
            Sum = Bounded(Sum + other.Sum),
            Min = Math.Min(Min, other.Min),
            Max = Math.Max(Max, other.Max),
            SquaredDeviation = Bounded(SquaredDeviation + other.SquaredDeviation + difference * difference * ((double)Count / count * other.Count)),
        };
    }

    /// <summary>
    /// A total as it can be stored and computed with: what overflowed is the greatest number there is, what all but vanished is zero.
    /// No sensor measures there, but a machine may send it, and nobody's query, page or transaction may break on it.
    /// </summary>
    public static double Bounded(double total)
    {
        if (double.IsNaN(total))
            return double.MaxValue;
        return Math.Abs(total) < Smallest ? 0 : Math.Clamp(total, -double.MaxValue, double.MaxValue);
    }
}
