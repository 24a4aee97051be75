using System.Globalization;
using System.Text.Json;
using FactoryStream.Benchmarks;
using FactoryStream.Benchmarks.EndToEnd;
using FactoryStream.Benchmarks.Skab;
using FactoryStream.Simulator;

namespace FactoryStream.Tests.Benchmarks;

public sealed class SkabTests
{
    private const string Header = "datetime;Current;Pressure;anomaly;changepoint";

    /// <summary>400 rows that are learned, ten more like them, and ten that are labelled and far off.</summary>
    private static readonly string[] Shifted =
    [
        Header,
        .. Enumerable.Range(0, 420).Select(i => Row(i % 7 + (i < 410 ? 0 : 100), i % 5, labelled: i >= 410)),
    ];

    [Fact]
    public void Rates_are_those_of_the_leaderboard()
    {
        (bool Labelled, bool Found)[] readings =
        [
            (true, true),
            (true, false),
            (true, true),
            (false, true),
            (false, false),
            (false, false),
            (false, false),
        ];

        var counts = readings.Aggregate(default(DetectionCounts), (sum, reading) => sum.With(reading.Labelled, reading.Found));

        Assert.Equal(new DetectionCounts(2, 1, 3, 1), counts);
        // 2 * 2 / (2 * 2 + 1 + 1); 1 of 4; 1 of 3.
        Assert.Equal(
            (0.6667, 25.0, 33.3333),
            (Math.Round(counts.F1!.Value, 4), counts.FalseAlarmRate!.Value, Math.Round(counts.MissedAlarmRate!.Value, 4))
        );
        Assert.Equal(new DetectionCounts(4, 2, 6, 2), counts + counts);
    }

    [Fact]
    public void Rates_of_nothing_are_none()
    {
        var nothing = default(DetectionCounts);

        Assert.Equal((null, null, null), (nothing.F1, nothing.FalseAlarmRate, nothing.MissedAlarmRate));
    }

    [Fact]
    public void Labels_are_no_metrics_and_an_empty_cell_is_missing()
    {
        var file = SkabFile.Read("0.csv", [Header, "2020-03-09 10:14:33;1.5;;0.0;1.0", "2020-03-09 10:14:34;2;-3e-2;1.0;0.0"]);

        Assert.Equal(
            [
                [1.5, double.NaN],
                [2, -0.03],
            ],
            file.Metrics
        );
        Assert.Equal([false, true], file.Labelled);
    }

    [Theory]
    [InlineData("0.csv: no column 'anomaly'", "datetime;Current")]
    [InlineData("0.csv: no column 'anomaly'")]
    [InlineData("0.csv:2: 2 columns, and the header has 5", Header, "2020-03-09 10:14:33;1.5")]
    [InlineData("0.csv:2: 'x' in column Pressure is no number", Header, "2020-03-09 10:14:33;1.5;x;0;0")]
    public void What_is_not_of_that_form_is_named(string expected, params string[] lines)
    {
        var exception = Assert.Throws<UsageException>(() => SkabFile.Read("0.csv", lines));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_method_finds_what_is_far_off_at_the_third_reading()
    {
        var rows = SkabRun.Measure([SkabFile.Read("one.csv", Shifted), SkabFile.Read("two.csv", Shifted)]);

        Assert.Equal(6, rows.Select(row => row.Name).Distinct().Count());
        Assert.All(rows, row => Assert.Equal(new DetectionCounts(16, 0, 20, 4), row.All));
        Assert.All(rows, row => Assert.Equal(["one.csv", "two.csv"], row.ByFile.Select(file => file.File)));
    }

    [Fact]
    public void A_window_that_is_far_off_is_found_with_all_its_readings()
    {
        var row = SkabRun.MeasureWindows([SkabFile.Read("one.csv", Shifted), SkabFile.Read("two.csv", Shifted)]);

        Assert.Equal("robust z of windows, limit by quartiles", row.Name);
        Assert.Equal(new DetectionCounts(20, 0, 20, 0), row.All);
        Assert.Equal(["one.csv", "two.csv"], row.ByFile.Select(file => file.File));
    }

    [Fact]
    public async Task The_command_prints_each_method_beside_the_leaderboard_and_writes_it()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "valve1"));
        await File.WriteAllLinesAsync(Path.Combine(folder.Path, "valve1", "0.csv"), Shifted);
        await File.WriteAllLinesAsync(Path.Combine(folder.Path, "anomaly-free.csv"), ["datetime;Current"]);
        var result = Path.Combine(folder.Path, "result.json");

        var (exitCode, output, error) = await RunAsync("--data", folder.Path, "--out", result);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("Files: 1; readings to check: 20, of them labelled: 10.", output, StringComparison.Ordinal);
        Assert.Matches(@"\| T-squared \+ Q, limit by quantile +\| 0\.89 \|   0\.00 \| 20\.00 \|", output);
        Assert.Matches(@"\| robust z of windows, limit by quartiles +\| 1\.00 \|   0\.00 \|  0\.00 \|", output);
        Assert.Matches(@"\| every reading an anomaly +\| 0\.67 \| 100\.00 \|  0\.00 \|", output);
        Assert.Matches(@"\| leaderboard: Conv-AE +\| 0\.78 \|  13\.55 \| 28\.02 \|", output);
        var report = JsonSerializer.Deserialize(await File.ReadAllTextAsync(result), BenchJson.Default.SkabReport)!;
        Assert.Equal((1, 6, 3), (report.Files, report.Rows.Count, report.Leaderboard.Count));
        Assert.Equal(new DetectionCounts(10, 0, 10, 0), report.Windows.All);
        Assert.All(report.Rows, row => Assert.Equal(new DetectionCounts(8, 0, 10, 2), row.All));
    }

    [Fact]
    public async Task A_folder_without_data_is_an_error_that_says_where_to_get_it()
    {
        using var folder = new TemporaryFolder();
        var missing = Path.Combine(folder.Path, "missing");

        var (exitCode, _, error) = await RunAsync("--data", missing);
        Assert.Equal(1, exitCode);
        Assert.Equal(
            $"error: --data: there is no folder {missing}. SKAB is at https://github.com/waico/SKAB; its folder is 'data'.\n",
            error
        );
        (exitCode, _, error) = await RunAsync("--data", folder.Path);
        Assert.Equal((1, $"error: --data: no *.csv in {folder.Path}.\n"), (exitCode, error));
        (exitCode, _, error) = await RunAsync();
        Assert.Equal(1, exitCode);
        Assert.Contains("--data", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_all_learned_is_an_error()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllLinesAsync(Path.Combine(folder.Path, "0.csv"), Shifted.Take(401));

        var (exitCode, _, error) = await RunAsync("--data", folder.Path);

        Assert.Equal((1, "error: 0.csv: 400 rows, and 400 are learned before any is checked.\n"), (exitCode, error));
    }

    private static string Row(int current, int pressure, bool labelled) =>
        string.Create(CultureInfo.InvariantCulture, $"2020-03-09 10:14:33;{current};{pressure};{(labelled ? 1 : 0)}.0;0.0");

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var exitCode = await Commands.RunAsync(["skab", .. arguments], output, error);
        return (exitCode, output.ToString(), error.ToString());
    }
}
