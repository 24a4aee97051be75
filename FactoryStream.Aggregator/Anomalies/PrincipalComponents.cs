namespace FactoryStream.Aggregator.Anomalies;

/// <summary>
/// The few directions in which an engine's standardised metrics mostly vary. A reading is far along them (T-squared), or off them (Q, the
/// squared prediction error): the second is what no normal state of the engine does, however strong.
/// </summary>
internal sealed class PrincipalComponents
{
    private readonly StandardisedMetrics standardised;
    private readonly EigenDecomposition eigen;
    private readonly int kept;
    private readonly double floor;

    /// <param name="past">Readings without a missing value.</param>
    public PrincipalComponents(IReadOnlyList<double[]> past)
    {
        standardised = new(past, values => MetricScale.OfMean(values));
        eigen = EigenDecomposition.Of(standardised.Covariance(past));
        var (all, explained) = (eigen.Values.Sum(), 0.0);
        while (kept < eigen.Values.Length && explained < AnomalyRules.ExplainedVariance * all)
            explained += eigen.Values[kept++];
        floor = eigen.Values.Length == 0 ? 0 : all / eigen.Values.Length * 1e-9;
        Within = new WithinDistance(this, past.Count);
        Off = new OffDistance(this, past.Count);
    }

    /// <summary>T-squared within the components.</summary>
    public IDistance Within { get; }

    /// <summary>Q.</summary>
    public IDistance Off { get; }

    private sealed class WithinDistance(PrincipalComponents components, int learned) : IDistance
    {
        public double? TheoryLimit { get; } = TSquaredDistance.LimitOf(components.kept, learned);

        public double Of(ReadOnlySpan<double> metrics)
        {
            var x = components.standardised.Of(metrics);
            var sum = 0.0;
            for (var i = 0; i < components.kept; i++)
                sum += components.eigen.SquaredProjection(i, x) / Math.Max(components.eigen.Values[i], components.floor);
            return sum;
        }
    }

    private sealed class OffDistance(PrincipalComponents components, int learned) : IDistance
    {
        /// <summary>
        /// Q is about g chi-squared(h), with g = t2 / t1, h = t1^2 / t2, and t1 and t2 the sums of the left-out eigenvalues and of their
        /// squares: Box, "Some Theorems on Quadratic Forms" (1954), theorem 3.1. As the eigenvalues are of n readings only, F(h, n - 1)
        /// stands for chi-squared(h) / h: the limit is t1 F(h, n - 1).
        /// </summary>
        public double? TheoryLimit { get; } = Limit(components, learned);

        public double Of(ReadOnlySpan<double> metrics)
        {
            var x = components.standardised.Of(metrics);
            var sum = 0.0;
            for (var i = components.kept; i < components.eigen.Values.Length; i++)
                sum += components.eigen.SquaredProjection(i, x);
            return sum;
        }

        private static double? Limit(PrincipalComponents components, int learned)
        {
            // Where metrics only ever moved together, nothing is left out of the components but rounding; the floor stands for that.
            var left = components.eigen.Values.Skip(components.kept).Select(value => Math.Max(value, components.floor)).ToArray();
            if (left.Length == 0 || learned < 2)
                return null;
            var (first, second) = (left.Sum(), left.Sum(value => value * value));
            return first * FisherDistribution.UpperQuantile(AnomalyRules.FalseAlarms, first * first / second, learned - 1);
        }
    }
}
