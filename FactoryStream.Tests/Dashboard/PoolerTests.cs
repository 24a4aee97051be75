using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

/// <summary>Behind a pooler of transactions notifications do not come through.</summary>
[Collection(DatabaseTests.Name)]
public sealed class PoolerTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task The_dashboard_notices_it_says_so_and_shows_new_windows_all_the_same()
    {
        var server = await postgres.CreateDatabaseAsync();
        await using var pooler = await Pooler.StartAsync(server);
        await using var dashboard = await RunningDashboard.StartAsync(
            server,
            Seeds.TwoFactoriesAsync,
            $"--ConnectionStrings:factorydb={pooler.Through(server)}"
        );
        await RunningSystem.EventuallyAsync(
            () => dashboard.Client.GetStringAsync("/health"),
            health => health.Contains("polls for closed windows", StringComparison.Ordinal)
        );
        Assert.Equal(Seeds.Start.AddSeconds(20), await WatermarkAsync());

        await dashboard.Database.CloseAsync(
            await dashboard.Database.ScalarAsync<int>("SELECT engine_no FROM factory.engines WHERE factory_id = 'factory_a'"),
            Seeds.Start.AddSeconds(20),
            ("rpm", 5)
        );

        await RunningSystem.EventuallyAsync(WatermarkAsync, watermark => watermark == Seeds.Start.AddSeconds(30));

        async Task<DateTime> WatermarkAsync()
        {
            var latest = await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/latest-data?factory_id=factory_a");
            return latest.GetProperty("data")[0].GetProperty("watermark").GetDateTime().ToUniversalTime();
        }
    }

    [SkippableFact]
    public async Task Without_one_it_listens()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);

        var health = await dashboard.Client.GetStringAsync("/health");

        Assert.DoesNotContain("polls for", health, StringComparison.Ordinal);
    }
}
