using System.Globalization;
using System.Text.Json;

namespace FactoryStream.Tests.Distributed;

/// <summary>Every service is killed under load, and nothing is lost or doubled.</summary>
[Collection(DistributedTests.Name)]
public sealed class CrashTests(SharedPlant shared)
{
    private readonly Plant plant = shared.Plant;

    [Fact]
    public async Task Killing_each_service_under_load_loses_nothing_and_doubles_nothing()
    {
        using var folder = new TemporaryFolder();
        var report = Path.Combine(folder.Path, "load.json");
        var load = SimulatorProcess.RunAsync(plant,
            "load", "--rate", "2000", "--seconds", "20", "--factories", "3", "--engines", "4", "--factory-prefix", "crash", "--keys", folder.Path, "--out", report);

        // The load signs ahead before it sends: the first kill waits for its first reading to arrive.
        await Plant.EventuallyAsync(() => plant.QueryAsync<long>("SELECT coalesce(sum(stored), 0)::bigint FROM factory.ledger WHERE factory_id LIKE 'crash%'"), stored => stored > 0);
        foreach (var service in (string[])["verifier", "aggregator", "ingest", "dashboard", "verifier", "aggregator"])
            await plant.KillAndReviveAsync(service);

        var (exitCode, output) = await load;
        Assert.True(exitCode == 0, output);
        var acknowledged = JsonDocument.Parse(await File.ReadAllTextAsync(report)).RootElement.GetProperty("acknowledged").GetInt64();
        Assert.Equal(40_000, acknowledged);

        var stored = await Plant.EventuallyAsync(
            () => plant.QueryAsync<long>("SELECT count(*) FROM factory.readings JOIN factory.engines USING (engine_no) WHERE factory_id LIKE 'crash%'"),
            stored => stored >= acknowledged);
        Assert.Equal(acknowledged, stored);
        Assert.Equal(stored, await plant.QueryAsync<long>(
            "SELECT count(DISTINCT (engine_no, measured_at, data_sha256)) FROM factory.readings JOIN factory.engines USING (engine_no) WHERE factory_id LIKE 'crash%'"));

        // Each reading is in one window's count, too, once the last windows have closed by the clock.
        await Plant.EventuallyAsync(
            () => plant.QueryAsync<string>("""
                SELECT coalesce(string_agg(DISTINCT total::text, ','), '') FROM (
                    SELECT sum(count) AS total FROM factory.windows JOIN factory.engines USING (engine_no) WHERE factory_id LIKE 'crash%' GROUP BY metric) AS metrics
                """),
            totals => totals == stored.ToString(CultureInfo.InvariantCulture));
        foreach (var factory in await FactoriesAsync())
        {
            var books = await plant.SettledAsync(factory, 1);
            books.AssertBalanced();
            Assert.Equal(books.Stored, await plant.StoredAsync(factory));
            Assert.Empty(books.Rejected);
        }
    }

    private async Task<List<string>> FactoriesAsync()
    {
        await using var command = plant.Database.CreateCommand("SELECT DISTINCT factory_id FROM factory.engines WHERE factory_id LIKE 'crash%'");
        await using var reader = await command.ExecuteReaderAsync();
        var factories = new List<string>();
        while (await reader.ReadAsync())
            factories.Add(reader.GetString(0));
        return factories;
    }
}
