using System.Net;
using Aspire.Hosting.ApplicationModel;
using FactoryStream.Signatures;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.Tests.Distributed;

[Collection(DistributedTests.Name)]
public sealed class PurgeTests(SharedPlant shared)
{
    private static readonly DateTime Start = new(2026, 1, 6, 0, 0, 0, DateTimeKind.Utc);

    private readonly Plant plant = shared.Plant;

    [Fact]
    public async Task After_a_purge_nothing_is_left_and_counting_begins_at_zero()
    {
        using var signer = ReadingSigner.Create();
        await plant.EnrolAsync("purged", signer.ExportPublicKeyPem());
        // Two windows: one closed by what comes after it, one open in the Aggregator's memory; a batch of another engine, and one reading
        // that is rejected.
        string[] lines =
        [
            .. Enumerable.Range(0, 5).Select(second => Plant.Sign(signer, "purged", "e1", Start.AddSeconds(second * 4), second)),
            BatchTests.Sign(signer, "purged", Start, [("e2", 17), ("e2", 18)]),
        ];
        using var stranger = ReadingSigner.Create();
        string[] bad = [Plant.Sign(stranger, "purged", "e1", Start, 1)];
        await plant.PostAsync([.. lines, .. bad]);
        (await plant.CommittedAsync("purged", 8)).AssertBalanced();

        var resource = plant
            .App.Services.GetRequiredService<DistributedApplicationModel>()
            .Resources.Single(resource => resource.Name == "aggregator");
        using var timeout = new CancellationTokenSource(Plant.Patience);
        var result = await plant.App.ResourceCommands.ExecuteCommandAsync(resource, "purge", timeout.Token);

        Assert.True(result.Success, result.Message);
        foreach (var table in (string[])["readings", "batches", "windows", "rejections", "rejection_counts", "ledger"])
            Assert.Equal((table, 0L), (table, await plant.QueryAsync<long>($"SELECT count(*) FROM factory.{table}")));
        // Books that were counted a moment ago are given again for a second.
        await Plant.EventuallyAsync(() => plant.BooksAsync("purged"), books => books is null);

        // The same again is new: nobody knows it any more. The key is still enrolled.
        await plant.PostAsync([.. lines, .. bad]);
        var books = await plant.CommittedAsync("purged", 8);
        Assert.Equal((8, 7, 0), (books.Accepted, books.Stored, books.Duplicates));
        books.AssertBalanced();
        var window = await Plant.EventuallyAsync(
            () =>
                plant.QueryAsync<long>(
                    "SELECT coalesce(sum(count), 0)::bigint FROM factory.windows JOIN factory.engines USING (engine_no) WHERE "
                        + "factory_id = 'purged' AND window_start = $1",
                    Start
                ),
            count => count > 0
        );
        Assert.Equal(3, window);
    }

    [Fact]
    public async Task Who_has_not_the_admin_token_purges_nothing()
    {
        using var client = plant.Client("aggregator");
        using var refused = await client.PostAsync("/purge", null);

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }
}
