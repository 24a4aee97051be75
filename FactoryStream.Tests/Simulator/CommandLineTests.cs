using System.Text.Json;

namespace FactoryStream.Tests.Simulator;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("", "simulate", "replay")]
    [InlineData("simulate", "--factories", "--engines", "--rate", "--keys", "--admin-token", "--ingest", "--verifier", "POST /pause")]
    [InlineData(
        "replay",
        "--csv",
        "--factory",
        "--labels",
        "--time",
        "--time-format",
        "--decimal",
        "--separator",
        "--no-header",
        "--engine",
        "column:NAME",
        "--missing",
        "--now",
        "--speed",
        "--save",
        "--from",
        "--keys",
        "--ingest",
        "--verifier"
    )]
    public async Task Help_names_every_command_and_option(string command, params string[] expected)
    {
        var (exitCode, output, error) = await RunAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.All(expected, word => Assert.Contains(word, output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("replay", "What is to be replayed?")]
    [InlineData("replay --csv x.csv", "--csv needs --factory")]
    [InlineData("replay --csv x.csv --factory f --from y", "What is to be replayed?")]
    [InlineData("replay --from y --save z", "--save and --now go with --csv")]
    [InlineData("replay --csv x.csv --factory f --speed 0", "--speed must be above 0")]
    [InlineData("replay --csv missing.csv --factory f", "missing.csv cannot be read")]
    [InlineData("replay --csv x.csv --factory f --time-format HH:mm:ss", "does not say a whole moment")]
    [InlineData("replay --csv x.csv --factory f --decimal ;", "--decimal must be . or ,")]
    [InlineData("replay --csv x.csv --factory f --separator , --decimal ,", "is the decimal sign")]
    [InlineData("replay --csv x.csv --factory f --separator nothing", "is no single character")]
    [InlineData("replay --csv x.csv y.csv --factory f --engine e", "--engine e goes with one file")]
    [InlineData("replay --csv x.csv --factory f --engine column:", "--engine needs an id")]
    [InlineData("replay --from y --no-header", "--no-header goes with --csv")]
    [InlineData("dance", "dance")]
    public async Task Wrong_arguments_are_named_and_nothing_is_done(string arguments, string expected)
    {
        var (exitCode, _, error) = await RunAsync(arguments.Split(' '));

        Assert.NotEqual(0, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_signs_the_same_data_every_time_and_a_saved_one_sends_the_same_bytes()
    {
        await using var ingest = await IngestStub.StartAsync(IngestStub.Status(503, "0"));
        using var folder = new TemporaryFolder();
        string[] files = ["b", "a"];
        foreach (var name in files)
            await File.WriteAllLinesAsync(
                Path.Combine(folder.Path, $"{name}.csv"),
                ["datetime;x;anomaly", .. Enumerable.Range(0, 60).Select(i => $"2020-03-09 10:14:{i:D2};{i}.50;0")]
            );
        string[] replay = ["replay", "--factory", "f", "--csv", .. files.Select(name => Path.Combine(folder.Path, $"{name}.csv"))];
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
        var saved = Path.Combine(folder.Path, "signed.ndjson");

        var first = await RunAsync([.. replay, "--save", saved, .. common]);
        var second = await RunAsync([.. replay, .. common]);
        var third = await RunAsync(["replay", "--from", saved, .. common]);

        Assert.Equal((0, 0, 0), (first.ExitCode, second.ExitCode, third.ExitCode));
        Assert.StartsWith("sent 120, acknowledged 120, rejected 0, repeated POSTs 1", first.Output, StringComparison.Ordinal);
        var posts = ingest.Accepted.Select(System.Text.Encoding.UTF8.GetString).ToArray();
        Assert.Equal(3, posts.Length);
        Assert.Equal(await File.ReadAllTextAsync(saved), posts[0]);
        Assert.Equal(posts[0], posts[2]);
        Assert.Equal(Data(posts[0]), Data(posts[1]));
        Assert.StartsWith(
            """{"factory_id": "f", "engine_id": "b", "timestamp": "2020-03-09 10:14:00", "x": 0.50}""",
            Data(posts[0]).First(),
            StringComparison.Ordinal
        );

        static IEnumerable<string> Data(string lines) =>
            lines
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("data").GetRawText());
    }

    [Fact]
    public async Task A_recording_of_another_form_is_replayed_when_its_form_is_said()
    {
        await using var ingest = await IngestStub.StartAsync();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "plant.csv");
        await File.WriteAllTextAsync(file, "03.02.2026|pump|1,5\n03.02.2026|fan|-\n");

        var (exitCode, _, error) = await RunAsync([
            "replay",
            "--factory",
            "f",
            "--csv",
            file,
            "--no-header",
            "--separator",
            "pipe",
            "--decimal",
            ",",
            "--time",
            "column_1",
            "--time-format",
            "dd.MM.yyyy",
            "--engine",
            "column:column_2",
            "--missing",
            "-",
            "--ingest",
            ingest.Address.ToString(),
            "--verifier",
            ingest.Address.ToString(),
            "--keys",
            folder.Path,
            "--admin-token",
            "t",
        ]);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal(
            [
                """{"factory_id": "f", "engine_id": "pump", "timestamp": "2026-02-03 00:00:00.000", "column_3": 1.5}""",
                """{"factory_id": "f", "engine_id": "fan", "timestamp": "2026-02-03 00:00:00.000"}""",
            ],
            ingest.AcceptedLines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("data").GetRawText())
        );
    }

    [Fact]
    public async Task A_replay_that_is_not_wholly_acknowledged_ends_with_an_error()
    {
        await using var ingest = await IngestStub.StartAsync(
            IngestStub.Status(202, null, """{"accepted": 1, "rejected": [{"line": 2, "reason": "malformed"}]}""")
        );
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "e.csv");
        await File.WriteAllTextAsync(file, "datetime;x\n2020-03-09 10:14:00;1\n2020-03-09 10:14:01;2\n");

        var (exitCode, output, _) = await RunAsync([
            "replay",
            "--factory",
            "f",
            "--csv",
            file,
            "--ingest",
            ingest.Address.ToString(),
            "--verifier",
            ingest.Address.ToString(),
            "--keys",
            folder.Path,
            "--admin-token",
            "t",
        ]);

        Assert.Equal(1, exitCode);
        Assert.Contains("malformed: 1", output, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await FactoryStream.Simulator.Commands.CommandLine.RunAsync(args, output, error).WaitAsync(TimeSpan.FromSeconds(60));
        return (exitCode, output.ToString(), error.ToString());
    }
}
