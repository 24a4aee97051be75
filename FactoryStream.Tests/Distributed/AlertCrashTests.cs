using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace FactoryStream.Tests.Distributed;

/// <summary>The Aggregator is killed under load, and each alert is raised exactly once.</summary>
[Collection(DistributedTests.Name)]
public sealed class AlertCrashTests(SharedSystem shared)
{
    private const int Engines = 12;

    private readonly RunningSystem system = shared.RunningSystem;

    [Fact]
    public async Task Killing_the_Aggregator_raises_each_alert_once_and_by_the_window_that_broke_the_rule()
    {
        using var folder = new TemporaryFolder();
        using var dashboard = system.Client("dashboard");
        dashboard.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", RunningSystem.AdminToken);
        foreach (var factory in (string[])["alertcrash_001", "alertcrash_002", "alertcrash_003"])
        {
            // Each window of an engine breaks it, so each engine has one alert, and it is raised by the engine's first window.
            using var made = await dashboard.PostAsJsonAsync(
                "/api/alert-rules",
                new
                {
                    name = "rpm",
                    kind = "threshold",
                    factory_id = factory,
                    metric = "rpm",
                    comparison = "above",
                    limit = -1e9,
                    severity = "warning",
                }
            );
            Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync());
        }
        // Nobody listens there: what counts is what is written, and that goes with the events, whatever is killed.
        using var webhook = await dashboard.PostAsJsonAsync(
            "/api/webhooks",
            new { url = "http://127.0.0.1:9/", severities = (string[])["warning"] }
        );
        Assert.True(webhook.IsSuccessStatusCode, await webhook.Content.ReadAsStringAsync());
        var load = ToolProcess.RunAsync(
            system,
            "FactoryStream.Benchmarks",
            "load",
            "--rate",
            "1000",
            "--seconds",
            "25",
            "--factories",
            "3",
            "--engines",
            "4",
            "--factory-prefix",
            "alertcrash",
            "--keys",
            folder.Path,
            "--out",
            Path.Combine(folder.Path, "load.json")
        );
        await RunningSystem.EventuallyAsync(
            () =>
                system.QueryAsync<long>("SELECT coalesce(sum(stored), 0)::bigint FROM factory.ledger WHERE factory_id LIKE 'alertcrash%'"),
            stored => stored > 0,
            3 * RunningSystem.Patience
        );
        // About the time at which the first windows close, and after it.
        for (var kill = 0; kill < 4; kill++)
            await system.KillAndReviveAsync("aggregator");
        var (exitCode, output) = await load;
        Assert.True(exitCode == 0, output);

        await RunningSystem.EventuallyAsync(
            () =>
                system.QueryAsync<long>(
                    "SELECT count(*) FROM factory.engine_windows JOIN factory.engines USING (engine_no) "
                        + "WHERE factory_id LIKE 'alertcrash%'"
                ),
            windows => windows >= 3 * Engines
        );
        Assert.Equal(
            $"{Engines} alerts, {Engines} events",
            await system.QueryAsync<string>(
                """
                SELECT count(DISTINCT alert_no) || ' alerts, ' || count(*) || ' events'
                FROM factory.alerts JOIN factory.alert_events USING (alert_no) JOIN factory.engines USING (engine_no)
                JOIN LATERAL (
                    SELECT min(w.window_end) AS first_end FROM factory.engine_windows AS w WHERE w.engine_no = alerts.engine_no) AS first
                    ON true
                WHERE engines.factory_id LIKE 'alertcrash%' AND state = 'raised' AND event = 'raised' AND raised_at = first_end
                """
            )
        );
        Assert.Equal(
            (long)Engines,
            await system.QueryAsync<long>(
                "SELECT count(*) FROM factory.alert_events JOIN factory.alerts USING (alert_no) WHERE factory_id LIKE 'alertcrash%'"
            )
        );
        Assert.Equal(
            $"{Engines} events, {Engines} deliveries",
            await system.QueryAsync<string>(
                """
                SELECT count(DISTINCT event_no) || ' events, ' || count(d.delivery_no) || ' deliveries'
                FROM factory.alerts JOIN factory.alert_events USING (alert_no)
                    LEFT JOIN factory.webhook_deliveries AS d USING (alert_no, event_no)
                WHERE factory_id LIKE 'alertcrash%'
                """
            )
        );
        using var deleted = await dashboard.DeleteAsync(webhook.Headers.Location);
        Assert.True(deleted.IsSuccessStatusCode, await deleted.Content.ReadAsStringAsync());
    }
}
