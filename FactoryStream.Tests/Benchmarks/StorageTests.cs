using System.Text.Json;
using FactoryStream.Benchmarks;
using FactoryStream.Benchmarks.EndToEnd;

namespace FactoryStream.Tests.Benchmarks;

public sealed class StorageTests
{
    [Theory]
    [InlineData("--readings", "0")]
    [InlineData("--engines", "9")]
    [InlineData("--event-rate", "0")]
    [InlineData("--unknown", "1")]
    public async Task What_makes_no_sense_is_an_error_before_anything_is_signed(string option, string value)
    {
        var (output, error) = (new StringWriter(), new StringWriter());

        Assert.Equal(1, await Commands.RunAsync(["storage", option, value], output, error));
        Assert.Contains(option, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_names_its_machine_and_its_commit()
    {
        var report = new StorageReport(
            DateTime.UnixEpoch,
            "7fb060e",
            new MachineNote("AMD", 2, "Linux", ".NET"),
            1000,
            60,
            60,
            [new("PostgreSQL: together", 762, "bytes a reading")]
        );

        var json = JsonSerializer.Serialize(report, BenchJson.Default.StorageReport);

        Assert.Contains("\"event_rate\": 60", json, StringComparison.Ordinal);
        Assert.Contains("\"value\": 762", json, StringComparison.Ordinal);
        var read = JsonSerializer.Deserialize(json, BenchJson.Default.StorageReport)!;
        Assert.Equal((report.Readings, report.Engines, report.Machine), (read.Readings, read.Engines, read.Machine));
        Assert.Equal(report.Rows, read.Rows);
    }
}
