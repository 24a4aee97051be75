using System.Globalization;
using System.Text.Json;
using FactoryStream.Benchmarks;
using FactoryStream.Tests.Simulator;

namespace FactoryStream.Tests.Benchmarks;

public sealed class LoadCommandTests
{
    [Theory]
    [InlineData("", "bench", "storage", "load", "sign", "skab")]
    [InlineData(
        "load",
        "--rate",
        "--seconds",
        "--factories",
        "--engines",
        "--batch",
        "--connections",
        "--salt",
        "--corpus",
        "--start",
        "--out",
        "--factory-prefix",
        "--keys",
        "--ingest",
        "--verifier"
    )]
    [InlineData("sign", "--readings", "--out", "--start", "GB a million")]
    public async Task Help_names_every_command_and_option(string command, params string[] expected)
    {
        var (exitCode, output, error) = await RunAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.All(expected, word => Assert.Contains(word, output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("load --rate -1", "--rate must be from 0")]
    [InlineData("load --factories 0", "--factories must be from 1")]
    [InlineData("load --factories none", "Cannot parse argument 'none'")]
    [InlineData("sign --out x --readings none", "Cannot parse argument 'none'")]
    [InlineData("load --batch 0", "--batch must be from 1")]
    [InlineData("load --salt sea", "'digest'")]
    [InlineData("load --ingest nowhere", "'nowhere' is no address of ingest")]
    [InlineData("sign", "--out")]
    public async Task Wrong_arguments_are_named_and_nothing_is_done(string arguments, string expected)
    {
        var (exitCode, _, error) = await RunAsync(arguments.Split(' '));

        Assert.NotEqual(0, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_admin_token_is_said_at_once()
    {
        await using var ingest = await IngestStub.StartAsync();
        using var folder = new TemporaryFolder();

        var (exitCode, _, error) = await RunAsync([
            "load",
            "--readings",
            "10",
            "--factories",
            "1",
            "--ingest",
            ingest.Address.ToString(),
            "--verifier",
            ingest.Address.ToString(),
            "--keys",
            folder.Path,
            "--admin-token",
            "wrong",
        ]);

        Assert.Equal(1, exitCode);
        Assert.Contains("does not take this admin token", error, StringComparison.Ordinal);
        Assert.Empty(ingest.Posts);
    }

    [Fact]
    public async Task A_load_reports_what_it_sent_and_a_corpus_is_sent_again_to_the_byte()
    {
        await using var ingest = await IngestStub.StartAsync(IngestStub.Reset);
        using var folder = new TemporaryFolder();
        var (corpus, report) = (Path.Combine(folder.Path, "corpus.ndjson"), Path.Combine(folder.Path, "report.json"));
        string[] common =
        [
            "--ingest",
            ingest.Address.ToString(),
            "--verifier",
            ingest.Address.ToString(),
            "--keys",
            folder.Path,
            "--admin-token",
            "t",
        ];

        var signed = await RunAsync([
            "sign",
            "--readings",
            "90",
            "--factories",
            "3",
            "--engines",
            "2",
            "--lines",
            "10",
            "--out",
            corpus,
            "--keys",
            folder.Path,
        ]);
        var load = await RunAsync(["load", "--corpus", corpus, "--lines", "5", "--out", report, .. common]);

        Assert.Equal((0, 0), (signed.ExitCode, load.ExitCode));
        Assert.Contains("acknowledged     90", load.Output, StringComparison.Ordinal);
        var json = JsonDocument.Parse(await File.ReadAllTextAsync(report)).RootElement;
        Assert.Equal(
            (90, 90, 0, 18, 1),
            (
                json.GetProperty("sent").GetInt64(),
                json.GetProperty("acknowledged").GetInt64(),
                json.GetProperty("unacknowledged").GetInt64(),
                json.GetProperty("posts").GetInt64(),
                json.GetProperty("repeated_posts").GetInt64()
            )
        );
        Assert.Equal(
            (await File.ReadAllLinesAsync(corpus)).Order(StringComparer.Ordinal),
            ingest.AcceptedLines.Order(StringComparer.Ordinal)
        );
        Assert.Equal(3, ingest.Enrolments.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--mixed")]
    public async Task A_load_of_batches_counts_readings_and_signs_each_batch_once(string mixed)
    {
        await using var ingest = await IngestStub.StartAsync();
        using var folder = new TemporaryFolder();
        var report = Path.Combine(folder.Path, "report.json");

        var (exitCode, output, _) = await RunAsync([
            "load",
            "--readings",
            "95",
            "--seconds",
            "1",
            "--factories",
            "3",
            "--engines",
            "2",
            "--batch",
            "5",
            "--lines",
            "2",
            .. mixed.Length > 0 ? (string[])[mixed] : [],
            "--out",
            report,
            "--ingest",
            ingest.Address.ToString(),
            "--verifier",
            ingest.Address.ToString(),
            "--keys",
            folder.Path,
            "--admin-token",
            "t",
        ]);

        Assert.Equal(0, exitCode);
        Assert.Contains("acknowledged     95", output, StringComparison.Ordinal);
        var json = JsonDocument.Parse(await File.ReadAllTextAsync(report)).RootElement;
        Assert.Equal(
            (95, 0, 10, 5),
            (
                json.GetProperty("sent").GetInt64(),
                json.GetProperty("unacknowledged").GetInt64(),
                json.GetProperty("posts").GetInt64(),
                json.GetProperty("corpus").GetProperty("per_signature").GetInt32()
            )
        );
        Assert.Equal(19, ingest.AcceptedLines.Distinct().Count(line => line.StartsWith("{\"batch\": [", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_load_with_a_rate_is_live_and_never_ahead_of_the_clock()
    {
        await using var ingest = await IngestStub.StartAsync();
        using var folder = new TemporaryFolder();

        var (exitCode, output, error) = await RunAsync([
            "load",
            "--rate",
            "200",
            "--seconds",
            "1",
            "--factories",
            "2",
            "--engines",
            "2",
            "--ingest",
            ingest.Address.ToString(),
            "--verifier",
            ingest.Address.ToString(),
            "--keys",
            folder.Path,
            "--admin-token",
            "t",
        ]);

        Assert.True(exitCode == 0, output + error);
        var end = TimeProvider.System.GetUtcNow().UtcDateTime;
        var times = ingest
            .AcceptedLines.Select(line =>
                DateTime.Parse(
                    JsonDocument.Parse(line).RootElement.GetProperty("data").GetProperty("timestamp").GetString()! + "Z",
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AdjustToUniversal
                )
            )
            .ToArray();
        Assert.Equal(200, times.Length);
        Assert.True(times.Max() <= end);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await Commands.RunAsync(args, output, error).WaitAsync(TimeSpan.FromSeconds(60));
        return (exitCode, output.ToString(), error.ToString());
    }
}
