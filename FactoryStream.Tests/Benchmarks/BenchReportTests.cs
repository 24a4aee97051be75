using FactoryStream.Benchmarks.EndToEnd;
using FactoryStream.Benchmarks.Load;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Benchmarks;

public sealed class BenchReportTests
{
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
}
