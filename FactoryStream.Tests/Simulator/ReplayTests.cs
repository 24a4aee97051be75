using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Simulator;
using FactoryStream.Simulator.Replay;
using FactoryStream.Simulator.Sending;
using Microsoft.Extensions.Time.Testing;

namespace FactoryStream.Tests.Simulator;

public sealed class ReplayTests
{
    private static readonly HashSet<string> Labels = ["anomaly", "changepoint"];

    [Fact]
    public void A_row_becomes_a_reading_of_the_cells_own_digits()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "valve1-0.csv");
        File.WriteAllText(
            file,
            """
            datetime;Accelerometer1RMS;Volume Flow RateRMS;Tiny;anomaly;changepoint
            2020-03-09 10:14:33;0.0265878;32.0;1e-05;0.0;0.0
            2020-03-09 10:14:34.5;0.0261697;;+1.50;1.0;0.0
            2020-03-09T10:14:35;nan;31;.5;1.0;0.0

            """
        );

        var readings = new CsvEngine(file, Labels).Read("a \"plant\"", shift: null).ToArray();

        Assert.Equal(
            [
                """{"factory_id": "a \"plant\"", "engine_id": "valve1-0", "timestamp": "2020-03-09 10:14:33", "Accelerometer1RMS": 0.0265878, "Volume Flow RateRMS": 32.0, "Tiny": 1e-05}""",
                """{"factory_id": "a \"plant\"", "engine_id": "valve1-0", "timestamp": "2020-03-09 10:14:34.5", "Accelerometer1RMS": 0.0261697, "Tiny": 1.5}""",
                """{"factory_id": "a \"plant\"", "engine_id": "valve1-0", "timestamp": "2020-03-09T10:14:35", "Volume Flow RateRMS": 31, "Tiny": 0.5}""",
            ],
            readings.Select(reading => Encoding.UTF8.GetString(reading.Data))
        );
        Assert.Equal(new DateTime(2020, 3, 9, 10, 14, 34, 500, DateTimeKind.Utc), readings[1].MeasuredAt);
    }

    [SkippableFact]
    public void Each_real_recording_gives_all_rows_with_all_eight_metrics()
    {
        var parser = new ReadingParser();
        foreach (var file in Directory.GetFiles(SharedData.Require("data/skab"), "*.csv"))
        {
            var lines = File.ReadAllLines(file);
            var names = lines[0].Split(';')[1..9];
            var readings = new CsvEngine(file, Labels).Read("skab", shift: null).ToArray();
            Assert.Equal(lines.Length - 1, readings.Length);
            foreach (var (reading, line) in readings.Zip(lines[1..]))
            {
                byte[] envelope = [.. "{\"data\":"u8, .. reading.Data, .. ",\"signature\":\"AAAA\"}"u8];
                Assert.Equal(Verdict.Accepted, parser.TryParse(envelope, out var parsed, out var detail));
                Assert.Null(detail);
                Assert.Equal(Path.GetFileNameWithoutExtension(file), parsed.EngineId);
                Assert.Equal(reading.MeasuredAt, parsed.MeasuredAt);
                Assert.Equal(names, parser.Metrics.Select(metric => metric.Name));
                Assert.Equal(
                    line.Split(';')[1..9].Select(cell => double.Parse(cell, System.Globalization.CultureInfo.InvariantCulture)),
                    parser.Metrics.Select(metric => metric.Value)
                );
            }
        }
    }

    [Theory]
    [InlineData("datetime;a\n2020-03-09 10:14:33;x\n", "row 2: 'x' in column a is no number")]
    [InlineData("datetime;a\n2020-03-09 10:14:33;1\nsoon;2\n", "row 3: 'soon' is no time")]
    [InlineData("datetime;a;b\n2020-03-09 10:14:33;1\n", "row 2: 2 columns, and the header has 3")]
    [InlineData("datetime;a;a\n", "row 1: 'a' cannot name a metric here")]
    [InlineData("datetime;engine_id\n", "row 1: 'engine_id' cannot name a metric here")]
    [InlineData("datetime\n", "row 1: a time and at least one metric are needed")]
    [InlineData("", "row 1: no header")]
    public void What_is_wrong_in_a_recording_is_said_with_its_place(string text, string expected)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "e.csv");
        File.WriteAllText(file, text);

        var exception = Assert.Throws<UsageException>(() => new CsvEngine(file, Labels).Read("f", null).Count());

        Assert.StartsWith($"{file}, {expected}", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("03.02.2026")]
    [InlineData("03/02/2026 10:15:30")]
    [InlineData("1.5")]
    [InlineData("10:15:30")]
    [InlineData("1583748873")]
    [InlineData("Monday")]
    public void A_time_that_would_have_to_be_guessed_is_refused_with_its_place_and_what_to_pass(string cell)
    {
        using var folder = new TemporaryFolder();
        var file = Write(folder, $"when;a\n2020-03-09;1\n{cell};2\n");

        var exception = Assert.Throws<UsageException>(() => new CsvEngine(file, Labels).Read("f", null).Count());

        Assert.StartsWith($"{file}, row 3: '{cell}' is no time in column when", exception.Message, StringComparison.Ordinal);
        Assert.Contains("--time-format", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dd.MM.yyyy", "03.02.2026", "2026-02-03 00:00:00.000")]
    [InlineData("M/d/yyyy h:mm:ss tt", "2/3/2026 1:05:09 PM", "2026-02-03 13:05:09.000")]
    [InlineData("dd.MM.yyyy HH:mm:ss zzz", "03.02.2026 10:15:30 +01:00", "2026-02-03 09:15:30.000")]
    [InlineData("unix", "1583748873.25", "2020-03-09 10:14:33.250")]
    [InlineData("unix-ms", "1583748873000", "2020-03-09 10:14:33.000")]
    [InlineData("unix-us", "1583748873000001", "2020-03-09 10:14:33.000001")]
    [InlineData("unix-ns", "1583748873000001000", "2020-03-09 10:14:33.000001")]
    [InlineData(null, "2020/03/09 10:14", "2020-03-09 10:14:00.000")]
    [InlineData(null, "2020-03-09T10:14:33", "2020-03-09T10:14:33")]
    public void A_time_is_read_by_the_format_that_was_said(string? format, string cell, string expected)
    {
        using var folder = new TemporaryFolder();
        var file = Write(folder, $"when;a\n{cell};1\n");

        var reading = Assert.Single(new CsvEngine(file, new CsvForm { TimeFormat = format }).Read("f", null));

        Assert.Equal(
            $$"""{"factory_id": "f", "engine_id": "e", "timestamp": "{{expected}}", "a": 1}""",
            Encoding.UTF8.GetString(reading.Data)
        );
    }

    [Theory]
    [InlineData("unix", "99999999999999999999999999")]
    [InlineData("unix", "-1")]
    [InlineData("yyyy-MM-dd", "1969-12-31")]
    [InlineData("dd.MM.yyyy", "2026-02-03")]
    public void A_time_that_is_not_of_the_format_or_before_all_readings_is_refused(string format, string cell)
    {
        using var folder = new TemporaryFolder();
        var file = Write(folder, $"when;a\n{cell};1\n");

        var exception = Assert.Throws<UsageException>(() =>
            new CsvEngine(file, new CsvForm { TimeFormat = format }).Read("f", null).Count()
        );

        Assert.Contains($"row 2: '{cell}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("column when", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_header_and_with_several_engines_is_read_as_it_was_said()
    {
        using var folder = new TemporaryFolder();
        var file = Write(folder, "1,5;pump;03.02.2026;n/a\n-;fan;04.02.2026;0,25\n");
        var form = new CsvForm
        {
            HasHeader = false,
            Separator = ';',
            Decimal = ',',
            TimeColumn = "column_3",
            TimeFormat = "dd.MM.yyyy",
            EngineColumn = "column_2",
            Missing = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "N/A", "-" },
        };

        Assert.Equal(
            [
                """{"factory_id": "f", "engine_id": "pump", "timestamp": "2026-02-03 00:00:00.000", "column_1": 1.5}""",
                """{"factory_id": "f", "engine_id": "fan", "timestamp": "2026-02-04 00:00:00.000", "column_4": 0.25}""",
            ],
            new CsvEngine(file, form).Read("f", null).Select(reading => Encoding.UTF8.GetString(reading.Data))
        );
    }

    [Theory]
    [InlineData("1,5", '.', "--decimal")]
    [InlineData("1.5", ',', "--decimal")]
    [InlineData("1.234,5", ',', "--decimal")]
    [InlineData("n/a", '.', "--missing")]
    public void A_number_of_another_form_is_refused_with_what_to_pass(string cell, char mark, string option)
    {
        using var folder = new TemporaryFolder();
        var file = Write(folder, $"when;a\n2020-03-09;{cell}\n");

        var exception = Assert.Throws<UsageException>(() =>
            new CsvEngine(file, new CsvForm { Separator = ';', Decimal = mark }).Read("f", null).Count()
        );

        Assert.StartsWith($"{file}, row 2: '{cell}' in column a is no number", exception.Message, StringComparison.Ordinal);
        Assert.Contains(option, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_column_that_is_not_there_is_named_beside_those_that_are()
    {
        using var folder = new TemporaryFolder();
        var file = Write(folder, "when;a\n2020-03-09;1\n");

        var exception = Assert.Throws<UsageException>(() =>
            new CsvEngine(file, new CsvForm { TimeColumn = "time" }).Read("f", null).Count()
        );

        Assert.Equal($"{file}, row 1: there is no column 'time', as --time has it, but when, a.", exception.Message);
    }

    [Fact]
    public void Shifted_times_keep_their_distances()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "e.csv");
        File.WriteAllText(file, "datetime,a\n2020-03-09 10:14:33,1\n2020-03-09 10:14:34.250,2\n");

        var readings = new CsvEngine(file, Labels).Read("f", TimeSpan.FromDays(366)).ToArray();

        Assert.Contains("\"2021-03-10 10:14:33.000\", \"a\": 1}", Encoding.UTF8.GetString(readings[0].Data), StringComparison.Ordinal);
        Assert.Contains("\"2021-03-10 10:14:34.250\", \"a\": 2}", Encoding.UTF8.GetString(readings[1].Data), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.0, 0)]
    [InlineData(0.5, 0)]
    [InlineData(10.0, -90)]
    [InlineData(null, -100)]
    public void A_shifted_replay_is_of_now_and_never_ahead_of_the_clock(double? speed, double beginsAfterSeconds)
    {
        var now = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var first = new DateTime(2020, 3, 9, 10, 14, 33, DateTimeKind.Utc);
        var span = TimeSpan.FromSeconds(100);

        var shift = Timeline.ShiftToNow(first, span, speed, now);

        Assert.Equal(now.AddSeconds(beginsAfterSeconds), first + shift);
        for (var second = 0; second <= 100; second += 10)
        {
            var sentAt = now.AddSeconds(speed is { } times ? second / times : 0);
            Assert.True(first.AddSeconds(second) + shift <= sentAt);
        }
    }

    [Fact]
    public void Engines_are_woven_by_time_and_each_keeps_its_own_order()
    {
        // Engine b's clock jumped back once: its order is its own.
        var woven = Timeline
            .Weave([Of("a", 1, 3, 5), Of("b", 2, 6, 4, 7), Of("c"), Of("d", 3)])
            .Select(reading => Encoding.UTF8.GetString(reading.Data));

        Assert.Equal(["a1", "b2", "a3", "d3", "a5", "b6", "b4", "b7"], woven);

        static IEnumerable<UnsignedReading> Of(string engine, params int[] seconds) =>
            seconds.Select(second => new UnsignedReading(
                DateTime.UnixEpoch.AddSeconds(second),
                Encoding.UTF8.GetBytes($"{engine}{second}")
            ));
    }

    [Fact]
    public async Task Flat_out_lines_go_in_order_in_large_posts()
    {
        var poster = new RecordingPoster();
        var tally = new Tally();
        var lines = Enumerable
            .Range(0, 1201)
            .Select(i => new SignedLine(DateTime.UnixEpoch.AddSeconds(i), Encoding.UTF8.GetBytes($"{i}\n")))
            .ToArray();

        await new ReplayRun(new Delivery(poster, TimeProvider.System, null), TimeProvider.System, speed: null).SendAsync(
            lines.ToAsyncEnumerable(),
            tally,
            CancellationToken.None
        );

        Assert.Equal([500, 500, 201], poster.Posts.Select(post => post.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        Assert.Equal(string.Concat(Enumerable.Range(0, 1201).Select(i => $"{i}\n")), string.Concat(poster.Posts));
        Assert.Equal((1201, 1201, true), (tally.Sent, tally.Acknowledged, tally.IsComplete));
    }

    [Fact]
    public async Task At_a_speed_lines_go_when_their_time_has_come()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var poster = new RecordingPoster();
        var tally = new Tally();
        var lines = ((int[])[0, 0, 10, 20])
            .Select((second, i) => new SignedLine(DateTime.UnixEpoch.AddSeconds(second), Encoding.UTF8.GetBytes($"{i}\n")))
            .ToArray();
        var sending = new ReplayRun(new Delivery(poster, clock, null), clock, speed: 2).SendAsync(
            lines.ToAsyncEnumerable(),
            tally,
            CancellationToken.None
        );

        Assert.Equal(["0\n1\n"], poster.Posts);
        clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(["0\n1\n"], poster.Posts);
        clock.Advance(TimeSpan.FromSeconds(0.1));
        await EventuallyAsync(() => tally.Acknowledged == 3);
        Assert.Equal(["0\n1\n", "2\n"], poster.Posts);
        Assert.False(sending.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(5));
        await sending.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["0\n1\n", "2\n", "3\n"], poster.Posts);
    }

    [Fact]
    public async Task Nothing_overtakes_a_post_that_failed()
    {
        var poster = new RecordingPoster { Answer = new PostAnswer(PostOutcome.Failed, Why: "no") };
        var tally = new Tally();
        var lines = Enumerable.Range(0, 2000).Select(i => new SignedLine(DateTime.UnixEpoch, Encoding.UTF8.GetBytes($"{i}\n"))).ToArray();

        await new ReplayRun(new Delivery(poster, TimeProvider.System, null), TimeProvider.System, speed: null).SendAsync(
            lines.ToAsyncEnumerable(),
            tally,
            CancellationToken.None
        );

        Assert.Single(poster.Posts);
        Assert.Equal(("no", false), (tally.Failure, tally.IsComplete));
    }

    [Fact]
    public void A_signed_file_is_read_line_by_line_whatever_their_length()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "f");
        string[] lines = ["a", "", new string('b', 700_000), "c\r", "  ", "d"];
        File.WriteAllText(file, string.Join('\n', lines));

        var read = SignedFile.Lines(file).Select(line => (line.Number, Encoding.UTF8.GetString(line.Line.Span)));

        Assert.Equal([(1, "a\n"), (3, lines[2] + "\n"), (4, "c\r\n"), (6, "d\n")], read);
    }

    private static string Write(TemporaryFolder folder, string text)
    {
        var file = Path.Combine(folder.Path, "e.csv");
        File.WriteAllText(file, text);
        return file;
    }

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!condition())
            await Task.Delay(5, timeout.Token);
    }
}

/// <summary>Remembers what was posted and answers at once.</summary>
internal sealed class RecordingPoster : IReadingsPoster
{
    public List<string> Posts { get; } = [];

    public PostAnswer? Answer { get; init; }

    public ValueTask<PostAnswer> PostAsync(ReadOnlyMemory<byte> lines, CancellationToken cancellationToken)
    {
        Posts.Add(Encoding.UTF8.GetString(lines.Span));
        return new(Answer ?? new PostAnswer(PostOutcome.Answered, lines.Span.Count((byte)'\n')));
    }
}
