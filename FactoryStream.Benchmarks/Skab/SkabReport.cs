using FactoryStream.Aggregator.Anomalies;
using FactoryStream.Benchmarks.EndToEnd;

namespace FactoryStream.Benchmarks.Skab;

/// <summary>How well anomalies are found on SKAB; <c>--out</c> writes it.</summary>
/// <param name="Date">When, UTC.</param>
/// <param name="Commit">Of the code.</param>
/// <param name="Machine">Where.</param>
/// <param name="Files">How many recordings.</param>
/// <param name="Rows">One for each method and rule of its limit.</param>
/// <param name="Windows">The score of windows, as alerts have it.</param>
/// <param name="Leaderboard">What others have reached.</param>
internal sealed record SkabReport(
    DateTime Date,
    string Commit,
    MachineNote Machine,
    int Files,
    IReadOnlyList<SkabRow> Rows,
    SkabRow Windows,
    IReadOnlyList<LeaderboardRow> Leaderboard
);

/// <summary>What one method found.</summary>
/// <param name="Method">What is measured.</param>
/// <param name="Limit">Where its limit comes from; null: of windows, from the quartiles of those before.</param>
/// <param name="All">Of all files together.</param>
/// <param name="ByFile">Of each file.</param>
internal sealed record SkabRow(AnomalyMethod Method, LimitRule? Limit, DetectionCounts All, IReadOnlyList<SkabFileRow> ByFile)
{
    public string Name =>
        Method switch
        {
            AnomalyMethod.RobustZ => "robust z",
            AnomalyMethod.TSquared => "T-squared, shrunk",
            AnomalyMethod.TSquaredAndQ => "T-squared + Q",
            _ => throw new InvalidOperationException($"{Method} has no name."),
        }
        + Limit switch
        {
            LimitRule.Theory => ", limit by theory",
            LimitRule.Quantile => ", limit by quantile",
            _ => " of windows, limit by quartiles",
        };
}

/// <summary>What was found in one file.</summary>
/// <param name="File">Its path in the folder.</param>
/// <param name="Counts">Readings by label and finding.</param>
internal sealed record SkabFileRow(string File, DetectionCounts Counts);
