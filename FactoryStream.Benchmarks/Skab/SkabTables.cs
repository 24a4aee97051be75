using System.Globalization;
using FactoryStream.Benchmarks.EndToEnd;

namespace FactoryStream.Benchmarks.Skab;

/// <summary>The result as Markdown: each method over all files, then file by file.</summary>
internal static class SkabTables
{
    public static void Write(TextWriter output, IReadOnlyList<SkabRow> rows, IReadOnlyList<LeaderboardRow> leaderboard)
    {
        var readings = rows[0].All;
        var labelled = readings.TruePositives + readings.FalseNegatives;
        var checkedReadings = labelled + readings.FalsePositives + readings.TrueNegatives;
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Files: {rows[0].ByFile.Count}; readings to check: {checkedReadings}, of them labelled: {labelled}."
            )
        );
        output.WriteLine();
        var all = new List<string[]> { (string[])["over all files together", "F1", "FAR %", "MAR %"] };
        all.AddRange(rows.Select(row => (string[])[row.Name, .. Cells(row.All)]));
        // More than half of SKAB's readings are labelled, so that calling all of them anomalies has a high F1 already.
        all.Add(["every reading an anomaly", .. Cells(new DetectionCounts(labelled, checkedReadings - labelled, 0, 0))]);
        all.AddRange(
            leaderboard.Select(row => (string[])[$"leaderboard: {row.Name}", .. Cells(row.F1, row.FalseAlarmRate, row.MissedAlarmRate)])
        );
        BenchTables.Write(output, all);
        output.WriteLine();
        output.WriteLine($"Leaderboard: {LeaderboardRow.Source}. Compare only what is over the same files.");
        foreach (var row in rows)
        {
            output.WriteLine();
            var byFile = new List<string[]> { (string[])[row.Name, "F1", "FAR %", "MAR %"] };
            byFile.AddRange(row.ByFile.Select(file => (string[])[file.File, .. Cells(file.Counts)]));
            BenchTables.Write(output, byFile);
        }
    }

    private static string[] Cells(DetectionCounts counts) => Cells(counts.F1, counts.FalseAlarmRate, counts.MissedAlarmRate);

    private static string[] Cells(double? f1, double? falseAlarmRate, double? missedAlarmRate) =>
        [Number(f1), Number(falseAlarmRate), Number(missedAlarmRate)];

    private static string Number(double? value) => value?.ToString("F2", CultureInfo.InvariantCulture) ?? "-";
}
