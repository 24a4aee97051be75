namespace FactoryStream.Aggregator.Anomalies;

/// <summary>
/// The anomaly score of one engine's readings, learned from its own past without a label: by how many times its limit a reading is away
/// from what is normal. Above 1 is an anomaly.
/// </summary>
internal sealed class AnomalyScore
{
    // A limit of 0 would make anything else infinitely far: all distances are of metrics in their own spread, where this is nothing.
    private const double LeastLimit = 1e-9;

    private readonly HeldValues held;
    private readonly (IDistance Distance, double Limit, RunningMedian Median)[] parts;

    private AnomalyScore(HeldValues held, (IDistance, double, RunningMedian)[] parts) => (this.held, this.parts) = (held, parts);

    /// <summary>Learns what is normal.</summary>
    /// <param name="past">
    /// Readings of the same metrics in the same order, oldest first; at least one. A value that is no finite number is missing.
    /// </param>
    /// <param name="method">What is measured.</param>
    /// <param name="rule">From where the limits come; where theory has none for so few readings, it is by quantile.</param>
    public static AnomalyScore Learn(IReadOnlyList<double[]> past, AnomalyMethod method, LimitRule rule)
    {
        if (past.Count == 0)
            throw new ArgumentException("Nothing is learned from no reading.", nameof(past));
        var held = new HeldValues(past);
        var whole = new double[past.Count][];
        for (var i = 0; i < whole.Length; i++)
            whole[i] = held.Next(past[i]).ToArray();
        return new(held, [.. DistancesOf(whole, method).Select(distance => Learn(whole, distance, rule))]);
    }

    /// <summary>Of the next reading. Finite and not negative; the readings before it count, as the median of a few is taken.</summary>
    public double Next(ReadOnlySpan<double> metrics)
    {
        var whole = held.Next(metrics);
        var furthest = 0.0;
        foreach (var (distance, limit, median) in parts)
            furthest = Math.Max(furthest, median.Next(distance.Of(whole)) / limit);
        return Math.Sqrt(furthest);
    }

    private static IDistance[] DistancesOf(double[][] past, AnomalyMethod method)
    {
        switch (method)
        {
            case AnomalyMethod.RobustZ:
                return [new RobustDistance(past)];
            case AnomalyMethod.TSquared:
                return [new TSquaredDistance(past)];
            case AnomalyMethod.TSquaredAndQ:
                var components = new PrincipalComponents(past);
                return [components.Within, components.Off];
            default:
                throw new ArgumentOutOfRangeException(nameof(method), method, null);
        }
    }

    /// <summary>The median goes on from the past into what follows.</summary>
    private static (IDistance, double, RunningMedian) Learn(double[][] past, IDistance distance, LimitRule rule)
    {
        var median = new RunningMedian();
        var medians = past.Select(reading => median.Next(distance.Of(reading))).ToArray();
        var limit =
            (rule == LimitRule.Theory ? distance.TheoryLimit : null)
            ?? Ranks.Quantile(medians, AnomalyRules.Quantile) * AnomalyRules.Allowance;
        return (distance, Math.Max(limit, LeastLimit), median);
    }
}
