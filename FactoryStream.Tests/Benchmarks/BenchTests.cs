using FactoryStream.Benchmarks.EndToEnd;
using FactoryStream.Signatures;
using FactoryStream.Simulator.Load;

namespace FactoryStream.Tests.Benchmarks;

public sealed class BenchTests
{
    [Fact]
    public async Task What_is_not_said_is_a_minute_flat_out_of_sixty_engines()
    {
        var options = await ParseAsync();

        Assert.Equal(
            (60, 10, 100, 10, 0.0, 60.0, false, 1, true),
            (
                options.Engines,
                options.Factories,
                options.Lines,
                options.Connections,
                options.Rate,
                options.Seconds,
                options.IsApacheKafka,
                options.Verifiers,
                options.HasLimits
            )
        );
        Assert.Equal(60 * BenchOptions.FlatOutReadingsPerSecond, options.WantedReadings);
        Assert.Equal(6, options.EnginesPerFactory);
    }

    [Fact]
    public async Task Every_option_is_taken_over()
    {
        var options = await ParseAsync(
            "--readings",
            "5000",
            "--seconds",
            "10",
            "--engines",
            "40",
            "--factories",
            "4",
            "--lines",
            "50",
            "--connections",
            "8",
            "--rate",
            "1000",
            "--event-rate",
            "500",
            "--kafka",
            "apache",
            "--verifiers",
            "2",
            "--partitions",
            "48",
            "--warm-up",
            "0",
            "--no-limits",
            "--set",
            "Ingest:MaxLinesPerMessage=1",
            "--set",
            "data=/x",
            "--out",
            "new.json",
            "--compare",
            "old.json"
        );

        Assert.Equal(["Ingest:MaxLinesPerMessage=1", "data=/x"], options.Settings);
        // A factory keeps to one connection, so four factories have no use for eight.
        Assert.Equal(
            new BenchOptions(5000, 10, 40, 4, 50, 4, 1000, 500, true, 2, 48, 0, false, options.Settings, "new.json", "old.json"),
            options
        );
    }

    [Fact]
    public async Task The_Aggregator_may_be_several_and_may_be_measured_alone()
    {
        var usual = await ParseAsync();
        var alone = await ParseAsync("--stage", "aggregator", "--kafka", "apache", "--aggregators", "2");

        Assert.Equal((1, false), (usual.Aggregators, usual.IsAggregatorAlone));
        Assert.Equal((2, true), (alone.Aggregators, alone.IsAggregatorAlone));
    }

    [Theory]
    [InlineData("needs --kafka apache", "--stage", "aggregator")]
    [InlineData("drains flat out", "--stage", "aggregator", "--kafka", "apache", "--rate", "5")]
    public async Task A_stage_that_cannot_be_says_what_it_needs(string reason, params string[] args)
    {
        var error = new StringWriter();

        Assert.Equal(1, await BenchCommand.RunAsync(args, TextWriter.Null, error));
        Assert.Contains(reason, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rate_wants_as_many_readings_as_it_sends() =>
        Assert.Equal(15_000, (await ParseAsync("--rate", "1500", "--seconds", "10")).WantedReadings);

    [Theory]
    [InlineData(10, 1000, "--batch", "100")]
    [InlineData(1, 1000, "--batch", "1000")]
    [InlineData(3, 750, "--batch", "250", "--lines", "3")]
    public async Task A_post_of_batches_holds_a_thousand_readings_unless_said_otherwise(int lines, int readings, params string[] args)
    {
        var options = await ParseAsync(args);
        Assert.Equal(
            (lines, readings, 60L * BenchOptions.FlatOutBatchedReadingsPerSecond),
            (options.Lines, options.ReadingsPerPost, options.WantedReadings)
        );
    }

    [Theory]
    [InlineData("--batch", "1001")]
    [InlineData("--readings", "0")]
    [InlineData("--engines", "none")]
    [InlineData("--kafka", "other")]
    [InlineData("--partitions", "0")]
    [InlineData("--aggregators", "0")]
    [InlineData("--stage", "verifier")]
    [InlineData("--rate", "-1")]
    [InlineData("--unknown", "1")]
    public void What_makes_no_sense_is_an_error_before_anything_starts(params string[] args) =>
        Assert.NotEmpty(BenchCommand.Create((_, _) => throw new InvalidOperationException("it began")).Parse(args).Errors);

    [Theory]
    [InlineData("--engines", "7")]
    [InlineData("--set", "=1")]
    public async Task Options_that_do_not_go_together_are_named(string option, string value)
    {
        var (output, error) = (new StringWriter(), new StringWriter());

        Assert.Equal(1, await BenchCommand.RunAsync([option, value], output, error));
        Assert.Contains(option, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_may_have_any_name()
    {
        Assert.True(ProcessStat.TryParse("1234 (a) b (c) S 17 1234 1234 0 -1 4194560 900 0 0 0 150 20 30 4 20 0 1 0 99\n", out var stat));
        Assert.Equal(new ProcessStat(17, 170, 34), stat);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1234 (a")]
    [InlineData("1234 (a) S 17 1")]
    public void What_is_no_stat_is_none(string stat) => Assert.False(ProcessStat.TryParse(stat, out _));

    [Fact]
    public void The_machine_is_busy_idle_and_stolen_from() =>
        Assert.Equal(new MachineStat(3357 + 1 + 4313 + 2 + 5, 1362393 + 10, 7), MachineStat.Parse("cpu  3357 1 4313 1362393 10 2 5 7 0 0"));

    [Fact]
    public void Kilobytes_are_found_by_their_whole_name()
    {
        string[] lines = ["Name:\tx", "VmHWMx:\t 1 kB", "VmHWM:\t   48692 kB"];

        Assert.Equal(48692 * 1024, ProcFiles.Kilobytes(lines, "VmHWM"));
        Assert.Equal(0, ProcFiles.Kilobytes(lines, "VmPeak"));
    }

    [Fact]
    public void A_tree_holds_children_of_children_and_nobody_else()
    {
        var all = new Dictionary<int, ProcessStat>
        {
            [10] = new(1, 0, 0),
            [11] = new(10, 0, 0),
            [12] = new(11, 0, 0),
            [13] = new(1, 0, 0),
        };

        Assert.Equal([10, 11, 12], ProcFiles.Tree(all, 10));
        Assert.Empty(ProcFiles.Tree(all, 99));
    }

    [Theory]
    [InlineData(0, "0.00")]
    [InlineData(0.0123, "0.012")]
    [InlineData(2.345, "2.35")]
    [InlineData(51.06, "51.1")]
    [InlineData(22530.4, "22,530")]
    public void Numbers_show_the_digits_that_count(double value, string text) => Assert.Equal(text, BenchTables.Number(value));

    [Theory]
    [InlineData(100, 150, "+50.0%")]
    [InlineData(100, 99, "-1.0%")]
    [InlineData(100, 100, "0%")]
    [InlineData(0, 5, "")]
    public void A_change_is_of_what_was_before(double was, double now, string text) => Assert.Equal(text, BenchTables.Change(was, now));

    [Fact]
    public void A_comparison_shows_what_changed_what_is_new_and_what_is_gone()
    {
        var output = new StringWriter { NewLine = "\n" };

        BenchTables.WriteRows(
            output,
            [new("rate", 150, "/s", ">= 200"), new("ack", 2.5, "ms")],
            [new("rate", 100, "/s"), new("peak", 7, "MB")]
        );

        Assert.Equal(
            """
            | what | value |    |   goal | before | change |
            |------|------:|---:|-------:|-------:|-------:|
            | rate |   150 | /s | >= 200 |    100 | +50.0% |
            | ack  |  2.50 | ms |        |        |    new |
            | peak |       | MB |        |   7.00 |   gone |

            """.ReplaceLineEndings("\n"),
            output.ToString()
        );
    }

    [Fact]
    public void Times_to_the_commit_count_from_each_readings_own_instant()
    {
        // One factory and engine, two readings a POST, ten readings a second: POSTs are due after 0.2 and 0.4 s, their first readings are
        // 0.1 s older.
        var plan = new CorpusPlan(4, 1, 1, "bench", 2, 10, new DateTime(2026, 2, 25, 6, 0, 0, DateTimeKind.Utc), SaltLength.Digest);
        var times = new CommitTimes(plan, rate: 10, partitions: 1);
        var started = new DateTime(2026, 2, 25, 9, 0, 0, DateTimeKind.Utc);

        Assert.Equal(
            [100, 200, 300, 400],
            Enumerable.Range(0, 4).Select(line => (int)Math.Round(times.MeasuredAt(line).TotalMilliseconds))
        );
        var (fromMeasured, fromDue) = times.Compute(
            started,
            [
                new(started.AddSeconds(0.25), 0, "bench_001", 2),
                new(started.AddSeconds(0.30), 0, "warm_001", 9),
                new(started.AddSeconds(0.50), 0, "bench_001", 4),
            ]
        );

        Assert.Equal((4L, 4L), (fromMeasured.Count, fromDue.Count));
        Assert.Equal((200.0, 100.0), (Math.Round(fromMeasured.Max.TotalMilliseconds), Math.Round(fromDue.Max.TotalMilliseconds)));
        Assert.Equal((125.0, 75.0), (Math.Round(fromMeasured.Mean.TotalMilliseconds), Math.Round(fromDue.Mean.TotalMilliseconds)));
    }

    [Fact]
    public void A_result_is_read_as_it_was_written()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "result.json");
        var options = new BenchOptions(null, 60, 60, 10, 100, 4, 0, 20_000, false, 1, null, 5, true, ["a=b"], null, null);
        var load = new LoadReport(
            0,
            2,
            2,
            new Dictionary<string, long>(),
            0,
            0,
            1,
            1,
            2,
            new AckTimes(1, 2, 3, 4, 5, 6),
            7,
            4,
            100,
            new CorpusPlan(2, 1, 1, "bench", 2, 10, DateTime.UnixEpoch, SaltLength.Digest),
            1200,
            DateTime.UnixEpoch,
            null
        );
        var report = new BenchReport(
            DateTime.UnixEpoch,
            "7fb060e",
            new MachineNote("AMD", 2, "Linux", ".NET"),
            options,
            [new("rate", 1.5, "/s", "> 1")],
            [new("ingest", 1, 2)],
            load,
            [1, 2],
            null
        );

        report.Write(file);
        var read = BenchReport.Read(file)!;

        Assert.Equal(report.Rows, read.Rows);
        Assert.Equal(report.Processes, read.Processes);
        Assert.Equal((report.Commit, report.Machine, report.Date), (read.Commit, read.Machine, read.Date));
        Assert.Equal(report.CommittedBySecond, read.CommittedBySecond);
        Assert.Equal(options.Settings, read.Options.Settings);
    }

    private static async Task<BenchOptions> ParseAsync(params string[] args)
    {
        BenchOptions? options = null;
        var command = BenchCommand.Create(
            (parsed, _) =>
            {
                options = parsed;
                return Task.FromResult(0);
            }
        );
        Assert.Equal(0, await command.Parse(args).InvokeAsync());
        return options!;
    }
}
