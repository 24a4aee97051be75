using FactoryStream.Simulator.Factories;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Simulator;

[Collection(DatabaseTests.Name)]
public sealed class MetricDescriptionsTests(PostgresFixture postgres)
{
    private const string Token = "the-admin-token";

    [SkippableFact]
    public async Task What_nobody_has_described_is_described_and_what_people_said_stays()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            database => database.RowsAsync("INSERT INTO factory.metrics (name, unit, updated_by) VALUES ('temp_oil', '°F', 'Ann')"),
            $"--Dashboard:Access:AdminToken={Token}"
        );
        var descriptions = new MetricDescriptions(dashboard.Client, dashboard.Address, Token, TimeProvider.System);

        Assert.Null(await descriptions.DescribeAsync(EngineModel.Metrics, Assert.Fail, CancellationToken.None));
        Assert.Null(await descriptions.DescribeAsync(EngineModel.Metrics, Assert.Fail, CancellationToken.None));

        Assert.Equal(
            [
                "pressure_1|bar|1",
                "pressure_2|bar|1",
                "rpm|1/min|1",
                "temp_air|°C|1",
                "temp_exhaust|°C|1",
                "temp_oil|°F|1",
                "vibration|mm/s|1",
            ],
            await dashboard.Database.RowsAsync("SELECT name, unit, version FROM factory.metrics ORDER BY name COLLATE \"C\"")
        );
    }

    [SkippableFact]
    public async Task A_Dashboard_that_refuses_the_token_is_asked_once()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, $"--Dashboard:Access:AdminToken={Token}");
        var descriptions = new MetricDescriptions(dashboard.Client, dashboard.Address, "another", TimeProvider.System);

        var why = await descriptions.DescribeAsync(EngineModel.Metrics, Assert.Fail, CancellationToken.None);

        Assert.Contains("answers 401", why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reading_has_the_metrics_that_are_described()
    {
        var data = new byte[EngineModel.MaxReadingBytes];
        var length = new EngineModel("f", 1).Measure(DateTime.UnixEpoch.AddYears(56), new Random(1), data);

        using var reading = System.Text.Json.JsonDocument.Parse(data.AsMemory(0, length));

        Assert.Equal(
            EngineModel.Metrics.Select(metric => metric.Name),
            reading.RootElement.EnumerateObject().Skip(3).Select(member => member.Name)
        );
    }
}
