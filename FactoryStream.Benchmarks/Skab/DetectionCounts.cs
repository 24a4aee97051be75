namespace FactoryStream.Benchmarks.Skab;

/// <summary>How a method's anomalies agree with labels, reading by reading.</summary>
/// <param name="TruePositives">Labelled, and found.</param>
/// <param name="FalsePositives">Found, and not labelled.</param>
/// <param name="TrueNegatives">Neither.</param>
/// <param name="FalseNegatives">Labelled, and not found.</param>
internal readonly record struct DetectionCounts(long TruePositives, long FalsePositives, long TrueNegatives, long FalseNegatives)
{
    /// <summary>2 TP / (2 TP + FP + FN), 0 to 1; null: nothing is labelled and nothing found.</summary>
    public double? F1 => Ratio(2 * TruePositives, 2 * TruePositives + FalsePositives + FalseNegatives);

    /// <summary>FAR: of the readings that are not labelled, percent found all the same; null: there are none.</summary>
    public double? FalseAlarmRate => 100 * Ratio(FalsePositives, FalsePositives + TrueNegatives);

    /// <summary>MAR: of the labelled readings, percent not found; null: there are none.</summary>
    public double? MissedAlarmRate => 100 * Ratio(FalseNegatives, FalseNegatives + TruePositives);

    public static DetectionCounts operator +(DetectionCounts one, DetectionCounts other) =>
        new(
            one.TruePositives + other.TruePositives,
            one.FalsePositives + other.FalsePositives,
            one.TrueNegatives + other.TrueNegatives,
            one.FalseNegatives + other.FalseNegatives
        );

    /// <summary>One reading more.</summary>
    public DetectionCounts With(bool labelled, bool found) =>
        (labelled, found) switch
        {
            (true, true) => this with { TruePositives = TruePositives + 1 },
            (false, true) => this with { FalsePositives = FalsePositives + 1 },
            (false, false) => this with { TrueNegatives = TrueNegatives + 1 },
            (true, false) => this with { FalseNegatives = FalseNegatives + 1 },
        };

    private static double? Ratio(long part, long whole) => whole == 0 ? null : (double)part / whole;
}
