using FactoryStream.Aggregator.Anomalies;
using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks.Skab;

/// <summary>
/// The leaderboard's protocol: what is normal is learned from the first 400 rows of each file, without the labels; the rows behind them are
/// what counts, those of all files together.
/// </summary>
internal static class SkabRun
{
    /// <exception cref="UsageException">A file has nothing behind the rows that are learned.</exception>
    public static IReadOnlyList<SkabRow> Measure(IReadOnlyList<SkabFile> files)
    {
        if (files.FirstOrDefault(file => file.Metrics.Count <= AnomalyRules.LearnedReadings) is { } tooShort)
            throw new UsageException(
                $"{tooShort.Name}: {tooShort.Metrics.Count} rows, and {AnomalyRules.LearnedReadings} are learned before any is checked."
            );
        return
        [
            .. from method in Enum.GetValues<AnomalyMethod>()
            from limit in Enum.GetValues<LimitRule>()
            let byFile = files.Select(file => new SkabFileRow(file.Name, Find(file, method, limit))).ToArray()
            select new SkabRow(method, limit, byFile.Aggregate(default(DetectionCounts), (sum, row) => sum + row.Counts), byFile),
        ];
    }

    private static DetectionCounts Find(SkabFile file, AnomalyMethod method, LimitRule limit)
    {
        var score = AnomalyScore.Learn([.. file.Metrics.Take(AnomalyRules.LearnedReadings)], method, limit);
        var counts = default(DetectionCounts);
        for (var row = AnomalyRules.LearnedReadings; row < file.Metrics.Count; row++)
            counts = counts.With(file.Labelled[row], found: score.Next(file.Metrics[row]) > 1);
        return counts;
    }
}
