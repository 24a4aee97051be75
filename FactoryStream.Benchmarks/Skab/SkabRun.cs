using FactoryStream.Aggregator.Anomalies;
using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks.Skab;

/// <summary>
/// The leaderboard's protocol: what is normal is learned from the first 400 rows of each file, without the labels; the rows behind them are
/// what counts, those of all files together.
/// </summary>
internal static class SkabRun
{
    private const int WindowRows = 10;

    private static readonly TimeSpan WindowLength = TimeSpan.FromSeconds(10);

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

    /// <summary>
    /// As alerts have it: the means of ten rows, at about one a second a window, are scored by the windows before them in the file, up to
    /// an hour of them. What is said of a window is said of each of its rows; those that count are the same as above.
    /// </summary>
    public static SkabRow MeasureWindows(IReadOnlyList<SkabFile> files)
    {
        var byFile = files.Select(file => new SkabFileRow(file.Name, FindByWindows(file))).ToArray();
        return new(AnomalyMethod.RobustZ, null, byFile.Aggregate(default(DetectionCounts), (sum, row) => sum + row.Counts), byFile);
    }

    private static DetectionCounts FindByWindows(SkabFile file)
    {
        double[][] windows = [.. file.Metrics.Chunk(WindowRows).Select(MeansOf)];
        var counts = default(DetectionCounts);
        for (var row = AnomalyRules.LearnedReadings; row < file.Metrics.Count; row += WindowRows)
        {
            var window = row / WindowRows;
            var first = Math.Max(0, window - (int)(AnomalyRules.LearnedTime / WindowLength));
            var found = WindowScore.Of(windows.AsSpan(first..window), windows[window]) > 1;
            foreach (var labelled in file.Labelled.Skip(row).Take(WindowRows))
                counts = counts.With(labelled, found);
        }
        return counts;
    }

    private static double[] MeansOf(double[][] rows) =>
        [
            .. Enumerable
                .Range(0, rows[0].Length)
                .Select(metric => rows.Select(row => row[metric]).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average()),
        ];

    private static DetectionCounts Find(SkabFile file, AnomalyMethod method, LimitRule limit)
    {
        var score = AnomalyScore.Learn([.. file.Metrics.Take(AnomalyRules.LearnedReadings)], method, limit);
        var counts = default(DetectionCounts);
        for (var row = AnomalyRules.LearnedReadings; row < file.Metrics.Count; row++)
            counts = counts.With(file.Labelled[row], found: score.Next(file.Metrics[row]) > 1);
        return counts;
    }
}
