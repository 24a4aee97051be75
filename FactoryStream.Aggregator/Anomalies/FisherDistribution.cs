namespace FactoryStream.Aggregator.Anomalies;

/// <summary>
/// Fisher's F distribution, from which all limits by theory follow. Formulas: NIST Digital Library of Mathematical Functions,
/// https://dlmf.nist.gov, sections 5.11 and 8.17.
/// </summary>
internal static class FisherDistribution
{
    /// <summary>The value that a share of the distribution exceeds.</summary>
    /// <param name="exceeding">Above 0, below 1.</param>
    /// <param name="freedom">Degrees of freedom of the numerator; above 0, need not be whole.</param>
    /// <param name="otherFreedom">Of the denominator.</param>
    public static double UpperQuantile(double exceeding, double freedom, double otherFreedom)
    {
        // The tail beyond f is the beta distribution's below x = d2 / (d2 + d1 f); halving the interval gives x's last bit.
        var (low, high) = (0.0, 1.0);
        for (var i = 0; i < 200 && high - low > 1e-16 * high; i++)
        {
            var middle = (low + high) / 2;
            if (IncompleteBeta(otherFreedom / 2, freedom / 2, middle) < exceeding)
                low = middle;
            else
                high = middle;
        }
        return otherFreedom * (1 - high) / (freedom * high);
    }

    /// <summary>I_x(a, b); 8.17.4 where its continued fraction converges slowly.</summary>
    public static double IncompleteBeta(double a, double b, double x) =>
        x <= 0 ? 0
        : x >= 1 ? 1
        : x < (a + 1) / (a + b + 2) ? ByContinuedFraction(a, b, x)
        : 1 - ByContinuedFraction(b, a, 1 - x);

    /// <summary>
    /// 8.17.22, from the front: the ratios of successive numerators and of successive denominators are kept, not the terms.
    /// </summary>
    private static double ByContinuedFraction(double a, double b, double x)
    {
        const double tiny = 1e-300;
        var (value, numerators, denominators) = (1.0, 1.0, 0.0);
        for (var j = 1; j <= 10_000; j++)
        {
            var m = j / 2;
            var coefficient =
                j % 2 == 0
                    ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                    : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            numerators = NotZero(1 + coefficient / numerators);
            denominators = 1 / NotZero(1 + coefficient * denominators);
            value *= numerators * denominators;
            if (Math.Abs(numerators * denominators - 1) < 1e-15)
                break;
        }
        var logFactor = a * Math.Log(x) + b * Math.Log(1 - x) - LogGamma(a) - LogGamma(b) + LogGamma(a + b);
        return Math.Exp(logFactor) / (a * value);

        static double NotZero(double term) => Math.Abs(term) < tiny ? tiny : term;
    }

    /// <summary>Stirling's series, 5.11.1, behind a shift to where three of its terms are enough.</summary>
    private static double LogGamma(double z)
    {
        var shift = 0.0;
        for (; z < 20; z++)
            shift += Math.Log(z);
        var square = z * z;
        return (z - 0.5) * Math.Log(z) - z + 0.5 * Math.Log(2 * Math.PI) + (1 - (1 - 2 / (7 * square)) / (30 * square)) / (12 * z) - shift;
    }
}
