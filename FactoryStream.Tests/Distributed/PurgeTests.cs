using System.Net;
using Aspire.Hosting.ApplicationModel;
using FactoryStream.Signatures;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.Tests.Distributed;

[Collection(DistributedTests.Name)]
public sealed class PurgeTests(SharedSystem shared)
{
    private static readonly DateTime Start = new(2026, 1, 6, 0, 0, 0, DateTimeKind.Utc);

    private readonly RunningSystem system = shared.RunningSystem;

    [Fact]
    public async Task After_a_purge_nothing_is_left_and_counting_begins_at_zero()
    {
        using var signer = ReadingSigner.Create();
        await system.EnrolAsync("purged", signer.ExportPublicKeyPem());
        // Two windows: one closed by what comes after it, one open in the Aggregator's memory; a batch of another engine, and one reading
        // that is rejected.
        string[] lines =
        [
            .. Enumerable.Range(0, 5).Select(second => RunningSystem.Sign(signer, "purged", "e1", Start.AddSeconds(second * 4), second)),
            BatchTests.Sign(signer, "purged", Start, [("e2", 17), ("e2", 18)]),
        ];
        using var stranger = ReadingSigner.Create();
        string[] bad = [RunningSystem.Sign(stranger, "purged", "e1", Start, 1)];
        await system.PostAsync([.. lines, .. bad]);
        (await system.LedgerWithoutBacklogAsync("purged", 8)).AssertBalanced();

        var resource = system
            .App.Services.GetRequiredService<DistributedApplicationModel>()
            .Resources.Single(resource => resource.Name == "aggregator");
        using var timeout = new CancellationTokenSource(RunningSystem.Patience);
        var result = await system.App.ResourceCommands.ExecuteCommandAsync(resource, "purge", timeout.Token);

        Assert.True(result.Success, result.Message);
        foreach (
            var table in (string[])
                ["readings", "batches", "windows", "window_days", "stale_minutes", "rejections", "rejection_counts", "ledger"]
        )
            Assert.Equal((table, 0L), (table, await system.QueryAsync<long>($"SELECT count(*) FROM factory.{table}")));
        // Ledger that were counted a moment ago are given again for a second.
        await RunningSystem.EventuallyAsync(() => system.LedgerAsync("purged"), ledger => ledger is null);

        // The same again is new: nobody knows it any more. The key is still enrolled.
        await system.PostAsync([.. lines, .. bad]);
        var ledger = await system.LedgerWithoutBacklogAsync("purged", 8);
        Assert.Equal((8, 7, 0), (ledger.Accepted, ledger.Stored, ledger.Duplicates));
        ledger.AssertBalanced();
        var window = await RunningSystem.EventuallyAsync(
            () =>
                system.QueryAsync<long>(
                    "SELECT coalesce(sum(count), 0)::bigint FROM factory.windows JOIN factory.engines USING (engine_no) WHERE "
                        + "factory_id = 'purged' AND window_start = $1",
                    Start
                ),
            count => count > 0
        );
        Assert.Equal(3, window);
    }

    [Fact]
    public async Task Purge_without_admin_token_is_refused()
    {
        using var client = system.Client("aggregator");
        using var refused = await client.PostAsync("/purge", null);

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }
}
