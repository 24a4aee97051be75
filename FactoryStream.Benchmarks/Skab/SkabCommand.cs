using System.CommandLine;
using System.Text.Json;
using FactoryStream.Benchmarks.EndToEnd;

namespace FactoryStream.Benchmarks.Skab;

/// <summary><c>skab</c> and its options.</summary>
internal static class SkabCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data")
        {
            Description = "The folder of SKAB's CSV files, which https://github.com/waico/SKAB has in 'data'",
            HelpName = "DIR",
            Required = true,
        };
        var target = new Option<string?>("--out") { Description = "Write the result as JSON", HelpName = "FILE" };
        var command = new Command(
            "skab",
            "Measures the anomaly score on the Skoltech Anomaly Benchmark: prints F1, false alarm rate and missed alarm rate of every "
                + "method beside the leaderboard's rows."
        )
        {
            data,
            target,
        };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                var files = SkabFile.ReadFolder(parsed.GetValue(data)!);
                var rows = SkabRun.Measure(files);
                var windows = SkabRun.MeasureWindows(files);
                SkabTables.Write(parsed.InvocationConfiguration.Output, [.. rows, windows], LeaderboardRow.All);
                if (parsed.GetValue(target) is { } file)
                {
                    var report = new SkabReport(
                        TimeProvider.System.GetUtcNow().UtcDateTime,
                        BenchReport.ThisCommit,
                        MachineNote.OfThis(),
                        rows[0].ByFile.Count,
                        rows,
                        windows,
                        LeaderboardRow.All
                    );
                    await File.WriteAllTextAsync(
                        file,
                        JsonSerializer.Serialize(report, BenchJson.Default.SkabReport) + "\n",
                        cancellationToken
                    );
                }
                return 0;
            }
        );
        return command;
    }
}
