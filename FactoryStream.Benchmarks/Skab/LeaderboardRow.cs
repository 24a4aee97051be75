namespace FactoryStream.Benchmarks.Skab;

/// <summary>A row of SKAB's leaderboard for outlier detection, as its README has it.</summary>
/// <param name="Name">The method.</param>
/// <param name="F1">0 to 1.</param>
/// <param name="FalseAlarmRate">Percent.</param>
/// <param name="MissedAlarmRate">Percent.</param>
internal sealed record LeaderboardRow(string Name, double F1, double FalseAlarmRate, double MissedAlarmRate)
{
    public const string Source = "https://github.com/waico/SKAB, README.md, commit b2c0d46, all 34 files of v0.9";

    public static readonly IReadOnlyList<LeaderboardRow> All =
    [
        new("T-squared", 0.66, 19.21, 42.6),
        new("T-squared+Q (PCA-based)", 0.76, 26.62, 24.92),
        new("Conv-AE", 0.78, 13.55, 28.02),
    ];
}
