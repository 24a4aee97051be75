using System.Text.Json;

namespace FactoryStream.Tests.Distributed;

/// <summary>Every service is killed under load, and nothing is lost or doubled.</summary>
[Collection(DistributedTests.Name)]
public sealed class CrashTests(SharedSystem shared)
{
    private readonly RunningSystem system = shared.RunningSystem;

    [Fact]
    public async Task Killing_each_service_under_load_loses_nothing_and_doubles_nothing()
    {
        using var folder = new TemporaryFolder();
        var report = Path.Combine(folder.Path, "load.json");
        var load = ToolProcess.RunAsync(
            system,
            "FactoryStream.Benchmarks",
            "load",
            "--rate",
            "2000",
            "--seconds",
            "20",
            "--factories",
            "3",
            "--engines",
            "4",
            "--factory-prefix",
            "crash",
            "--keys",
            folder.Path,
            "--out",
            report
        );

        // The load signs ahead before it sends, which takes a busy machine minutes: the first kill waits for its first reading to arrive.
        await RunningSystem.EventuallyAsync(
            () => system.QueryAsync<long>("SELECT coalesce(sum(stored), 0)::bigint FROM factory.ledger WHERE factory_id LIKE 'crash%'"),
            stored => stored > 0,
            3 * RunningSystem.Patience
        );
        foreach (var service in (string[])["verifier", "aggregator", "ingest", "dashboard", "verifier", "aggregator"])
            await system.KillAndReviveAsync(service);

        var (exitCode, output) = await load;
        Assert.True(exitCode == 0, output);
        var acknowledged = JsonDocument.Parse(await File.ReadAllTextAsync(report)).RootElement.GetProperty("acknowledged").GetInt64();
        Assert.Equal(40_000, acknowledged);

        await system.AssertStoredOnceAsync("crash", acknowledged);
    }
}
