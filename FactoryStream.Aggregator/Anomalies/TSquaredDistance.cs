namespace FactoryStream.Aggregator.Anomalies;

/// <summary>
/// Hotelling's T-squared, x' C^-1 x of the standardised metrics x: how far a reading is off the mean where metrics that go together may
/// move together. C is the covariance S, shrunk towards a multiple of the identity, so that its inverse exists and is not mostly noise:
/// Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices" (2004), section 3.
/// </summary>
internal sealed class TSquaredDistance : IDistance
{
    private readonly StandardisedMetrics standardised;
    private readonly EigenDecomposition eigen;
    private readonly double[] variances;

    /// <param name="past">Readings without a missing value.</param>
    public TSquaredDistance(IReadOnlyList<double[]> past)
    {
        standardised = new(past, values => MetricScale.OfMean(values));
        var covariance = standardised.Covariance(past);
        var (mean, shrinkage) = Shrink(covariance, past);
        Shrinkage = shrinkage;
        eigen = EigenDecomposition.Of(covariance);
        // C has the eigenvectors of S, and its eigenvalues are drawn towards their mean.
        variances = [.. eigen.Values.Select(value => Math.Max(shrinkage * mean + (1 - shrinkage) * value, mean * 1e-9))];
        TheoryLimit = LimitOf(standardised.Count, past.Count);
    }

    /// <summary>How much of C is the multiple of the identity; 0 to 1.</summary>
    public double Shrinkage { get; }

    public double? TheoryLimit { get; }

    /// <summary>
    /// p (n + 1) (n - 1) / (n (n - p)) F(p, n - p) of a reading that was not learned, with n learned ones of p metrics: Tracy, Young and
    /// Mason, "Multivariate Control Charts for Individual Observations" (1992). Shrinking makes distances a little shorter, so this limit
    /// is on the quiet side.
    /// </summary>
    /// <returns>Null: there is nothing that counts, or no more readings than metrics.</returns>
    public static double? LimitOf(int metrics, int learned)
    {
        if (metrics == 0 || learned <= metrics)
            return null;
        var (p, n) = ((double)metrics, (double)learned);
        return p * (n + 1) * (n - 1) / (n * (n - p)) * FisherDistribution.UpperQuantile(AnomalyRules.FalseAlarms, p, n - p);
    }

    public double Of(ReadOnlySpan<double> metrics)
    {
        var x = standardised.Of(metrics);
        var sum = 0.0;
        for (var i = 0; i < variances.Length; i++)
            sum += eigen.SquaredProjection(i, x) / variances[i];
        return sum;
    }

    /// <summary>
    /// With ||A||^2 the sum of squares by p: m = tr(S) / p, d^2 = ||S - m I||^2, b^2 = the sum of ||x x' - S||^2 over the readings by n^2,
    /// at most d^2. C = b^2 / d^2 m I + (1 - b^2 / d^2) S.
    /// </summary>
    private (double Mean, double Shrinkage) Shrink(double[,] covariance, IReadOnlyList<double[]> past)
    {
        var p = standardised.Count;
        var mean = Enumerable.Range(0, p).Sum(i => covariance[i, i]) / Math.Max(1, p);
        var (ofCovariance, fromIdentity, ofReadings) = (0.0, 0.0, 0.0);
        for (var i = 0; i < p; i++)
        {
            for (var j = 0; j < p; j++)
            {
                ofCovariance += covariance[i, j] * covariance[i, j];
                var off = covariance[i, j] - (i == j ? mean : 0);
                fromIdentity += off * off;
            }
        }
        foreach (var reading in past)
        {
            var x = standardised.Of(reading);
            var (squares, product) = (0.0, 0.0);
            for (var i = 0; i < p; i++)
            {
                squares += x[i] * x[i];
                for (var j = 0; j < p; j++)
                    product += x[i] * covariance[i, j] * x[j];
            }
            ofReadings += squares * squares - 2 * product + ofCovariance;
        }
        var error = ofReadings / past.Count / past.Count;
        // Metrics that have nothing in common, or only one: S is the multiple of the identity already.
        return (mean, fromIdentity <= 1e-18 ? 1 : Math.Clamp(error / fromIdentity, 0, 1));
    }
}
