using FactoryStream.Benchmarks;
using FactoryStream.Benchmarks.EndToEnd;

namespace FactoryStream.Tests.Benchmarks;

public sealed class BenchCommandTests
{
    [Fact]
    public async Task The_default_is_a_minute_flat_out_of_sixty_engines()
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
    public async Task A_stage_that_is_not_possible_says_what_it_needs(string reason, params string[] args)
    {
        var error = new StringWriter();

        Assert.Equal(1, await Commands.RunAsync(["bench", .. args], TextWriter.Null, error));
        Assert.Contains(reason, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rate_needs_as_many_readings_as_it_sends() =>
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
        Assert.NotEmpty(BenchCommand.Create((_, _, _, _) => throw new InvalidOperationException("it began")).Parse(args).Errors);

    [Theory]
    [InlineData("--engines", "7")]
    [InlineData("--set", "=1")]
    public async Task Options_that_do_not_go_together_are_named(string option, string value)
    {
        var (output, error) = (new StringWriter(), new StringWriter());

        Assert.Equal(1, await Commands.RunAsync(["bench", option, value], output, error));
        Assert.Contains(option, error.ToString(), StringComparison.Ordinal);
    }

    private static async Task<BenchOptions> ParseAsync(params string[] args)
    {
        BenchOptions? options = null;
        var command = BenchCommand.Create(
            (parsed, _, _, _) =>
            {
                options = parsed;
                return Task.FromResult(0);
            }
        );
        Assert.Equal(0, await command.Parse(args).InvokeAsync());
        return options!;
    }
}
