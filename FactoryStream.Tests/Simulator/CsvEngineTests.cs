using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Simulator;
using FactoryStream.Simulator.Replay;

namespace FactoryStream.Tests.Simulator;

public sealed class CsvEngineTests
{
    private static readonly HashSet<string> Labels = ["anomaly", "changepoint"];

    [Fact]
    public void A_row_becomes_a_reading_of_the_cells_own_digits()
    {
        var file = TestData.File("recordings/valve1-0.csv");

        var readings = new CsvEngine(file, Labels).Read("a \"plant\"", shift: null).ToArray();

        Assert.Equal(TestData.Lines("recordings/valve1-0.ndjson"), readings.Select(reading => Encoding.UTF8.GetString(reading.Data)));
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

    private static string Write(TemporaryFolder folder, string text)
    {
        var file = Path.Combine(folder.Path, "e.csv");
        File.WriteAllText(file, text);
        return file;
    }
}
