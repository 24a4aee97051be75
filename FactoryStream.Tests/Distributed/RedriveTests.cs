using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Distributed;

[Collection(DistributedTests.Name)]
public sealed class RedriveTests(SharedSystem shared)
{
    private static readonly DateTime Start = new(2026, 1, 7, 0, 0, 0, DateTimeKind.Utc);

    private readonly RunningSystem system = shared.RunningSystem;

    [Fact]
    public async Task Readings_of_before_the_key_are_all_stored_in_their_windows_by_a_re_drive()
    {
        const string Factory = "late-key";
        using var signer = ReadingSigner.Create();
        // Two windows of an engine, and a batch of two readings of another.
        string[] lines =
        [
            .. Enumerable.Range(0, 5).Select(second => RunningSystem.Sign(signer, Factory, "e1", Start.AddSeconds(second * 4), second)),
            BatchTests.Sign(signer, Factory, Start, [("e2", 17), ("e2", 18)]),
        ];
        Assert.Equal(202, (await system.PostAsync(lines)).Status);
        await RunningSystem.EventuallyAsync(() => RejectedAsync(Factory), count => count == lines.Length);

        // At once: before the Verifier rejects a line for want of a key, it reads which keys there are now.
        await system.EnrolAsync(Factory, signer.ExportPublicKeyPem());
        var redrive = await RedriveAsync(Factory, again: false);

        Assert.Equal("complete 6 of 6, 7 readings", redrive);
        var ledger = await system.LedgerWithoutBacklogAsync(Factory, 7);
        Assert.Equal((7, 7, 0, 7), (ledger.Accepted, ledger.Stored, ledger.Duplicates, ledger.Redriven));
        ledger.AssertBalanced();
        await system.AssertStoredOnceAsync(Factory, 7);
        Assert.Equal(
            3,
            await system.QueryAsync<long>(
                "SELECT sum(count)::bigint FROM factory.windows JOIN factory.engines USING (engine_no) "
                    + "WHERE factory_id = $1 AND engine_id = 'e1' AND window_start = $2",
                Factory,
                Start
            )
        );

        Assert.Equal("complete 0 of 0, 0 readings", await RedriveAsync(Factory, again: false));
        Assert.Equal("complete 6 of 6, 7 readings", await RedriveAsync(Factory, again: true));
        ledger = await system.LedgerWithoutBacklogAsync(Factory, 14);
        Assert.Equal((14, 7, 7, 14), (ledger.Accepted, ledger.Stored, ledger.Duplicates, ledger.Redriven));
        ledger.AssertBalanced();
        // The evidence stays.
        Assert.Equal(lines.Length, await RejectedAsync(Factory));
    }

    private Task<long> RejectedAsync(string factoryId) =>
        system.QueryAsync<long>("SELECT count(*) FROM factory.rejections WHERE factory_id = $1 AND reason = 'unknown_key'", factoryId);

    private async Task<string> RedriveAsync(string factoryId, bool again)
    {
        using var client = system.Client("dashboard");
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", RunningSystem.AdminToken);
        using var response = await client.PostAsJsonAsync(
            "/api/redrives",
            new
            {
                factory_id = factoryId,
                reason = "unknown_key",
                again,
            }
        );
        response.EnsureSuccessStatusCode();
        var ended = await RunningSystem.EventuallyAsync(
            () => client.GetFromJsonAsync<JsonElement>(response.Headers.Location),
            one => one.GetProperty("state").GetString() != "running"
        );
        return $"{ended.GetProperty("state")} {ended.GetProperty("sent")} of {ended.GetProperty("matched")}, "
            + $"{ended.GetProperty("readings")} readings";
    }
}
