using System.Text;
using FactoryStream.Storage;
using FactoryStream.Tests.AppHost;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Signatures;
using FactoryStream.Tests.Simulator;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;
using Npgsql;

namespace FactoryStream.Tests.Browser;

/// <summary>Where people send rejections again: the list of rejections, and the keys once one is enrolled.</summary>
[Collection(BrowserTests.Name)]
public sealed class RedrivePageTests(PostgresFixture postgres, BrowserFixture browser)
{
    private const string Token = "the-admin-token";

    private readonly int verifierPort = LocalServers.FreePort();

    [SkippableFact]
    public async Task An_operator_sees_what_would_be_sent_sends_it_and_follows_it_to_its_end()
    {
        await using var ingest = await IngestStub.StartAsync();
        await using var dashboard = await StartAsync(ingest);
        var page = await browser.NewPageAsync();
        await SignInAsync(page, dashboard, "rejections", "Rejections");
        await Assertions.Expect(Button(page, "Send these again")).ToBeDisabledAsync();

        await page.GetByLabel("Factory", new() { Exact = true }).FillAsync("late");
        await page.GetByLabel("Factory", new() { Exact = true }).PressAsync("Tab");
        await Assertions
            .Expect(page.GetByRole(AriaRole.Grid, new() { NameString = "Rejections" }).GetByRole(AriaRole.Row))
            .ToHaveCountAsync(4);
        await Button(page, "Send these again").ClickAsync();
        var question = page.GetByRole(AriaRole.Alertdialog);
        await Assertions.Expect(question).ToContainTextAsync("Send 3 lines of factory late again?");
        await Assertions.Expect(question).ToContainTextAsync("unknown_key");
        await Button(page, "Leave them").ClickAsync();
        await Assertions.Expect(question).ToHaveCountAsync(0);
        Assert.Empty(ingest.Posts);

        ingest.IsAway = true;
        await Button(page, "Send these again").ClickAsync();
        await Button(page, "Send them again").ClickAsync();
        var redrives = page.GetByRole(AriaRole.Grid, new() { NameString = "Re-drives" });
        await Assertions.Expect(redrives).ToContainTextAsync("Ingest answers 503.");
        await Assertions.Expect(redrives).ToContainTextAsync("0 of 3 lines sent");
        ingest.IsAway = false;

        // Live: nobody asks for it again.
        await Assertions.Expect(redrives).ToContainTextAsync("3 of 3 lines sent");
        await Assertions.Expect(redrives.GetByText("complete")).ToBeVisibleAsync();
        await Picture.TakeAsync(page, "redrives");
        await Button(page, "Send these again").ClickAsync();
        await Assertions.Expect(question).ToContainTextAsync("Nothing of this selection can be sent");
        Assert.Equal(3, ingest.AcceptedLines.Count());
    }

    [SkippableFact]
    public async Task Who_may_only_look_sees_re_drives_and_no_button_that_sends()
    {
        await using var ingest = await IngestStub.StartAsync();
        await using var dashboard = await StartAsync(ingest);
        var page = await browser.NewPageAsync();

        await page.GotoAsync($"{dashboard.Address}rejections");

        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("Nothing was sent again yet.")).ToBeVisibleAsync();
        Assert.Equal(0, await Button(page, "Send these again").CountAsync());
    }

    [SkippableFact]
    public async Task An_admin_who_enrols_a_key_late_is_asked_whether_to_send_what_came_before()
    {
        await using var ingest = await IngestStub.StartAsync();
        await using var dashboard = await StartAsync(ingest);
        await using var verifier = await InProcessService.StartAsync(
            "FactoryStream.Verifier",
            [
                $"--ConnectionStrings:kafka={dashboard.Kafka}",
                $"--ConnectionStrings:factorydb={dashboard.Database.ConnectionString}",
                $"--urls=http://127.0.0.1:{verifierPort}",
                $"--Verifier:AdminToken={Token}",
                "--Logging:LogLevel:Default=Warning",
            ],
            _ => { }
        );
        var page = await browser.NewPageAsync();
        await SignInAsync(page, dashboard, "keys", "Keys");

        // A factory of which nothing was rejected: there is nothing to ask.
        await EnrolAsync("early");
        await Assertions.Expect(page.GetByRole(AriaRole.Gridcell, new() { NameString = "early", Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alertdialog)).ToHaveCountAsync(0);
        await EnrolAsync("late");
        await Assertions
            .Expect(page.GetByRole(AriaRole.Alertdialog))
            .ToContainTextAsync("2 readings of this factory were rejected before it had a key. Send them again?");
        await Picture.TakeAsync(page, "late-key");
        await Button(page, "Send them again").ClickAsync();

        await Assertions.Expect(page.GetByText("Re-drive 1 has begun: 2 lines.")).ToBeVisibleAsync();
        await RunningSystem.EventuallyAsync(() => Task.FromResult(ingest.AcceptedLines.Count()), count => count == 2);

        async Task EnrolAsync(string factoryId)
        {
            await page.GetByLabel("Public key (PEM)").FillAsync(TestKeys.Pair().Signer.ExportPublicKeyPem());
            await page.GetByLabel("Factory", new() { Exact = true }).FillAsync(factoryId);
            await Button(page, "Enrol").ClickAsync();
        }
    }

    private Task<RunningDashboard> StartAsync(IngestStub ingest) =>
        RunningDashboard.StartAsync(
            postgres,
            SeedAsync,
            $"--services:ingest:http:0={ingest.Address.GetLeftPart(UriPartial.Authority)}",
            $"--services:verifier:http:0=http://127.0.0.1:{verifierPort}",
            $"--Dashboard:Access:AdminToken={Token}",
            $"--Dashboard:VerifierAdminToken={Token}"
        );

    private static Task SeedAsync(NpgsqlDataSource database) =>
        database.RejectAsync(
            Rejected(1, "unknown_key", "late"),
            Rejected(2, "unknown_key", "late"),
            Rejected(3, "future", "late"),
            Rejected(4, "bad_signature", "another")
        );

    private static RejectionEntry Rejected(int offset, string reason, string factoryId) =>
        new(
            1,
            Seeds.Start.AddSeconds(offset),
            factoryId,
            reason,
            false,
            null,
            Encoding.UTF8.GetBytes($$"""{"data": {"rpm": {{offset}}}, "signature": "AAAA"}"""),
            offset,
            0
        );

    private static ILocator Button(IPage page, string name) => page.GetByRole(AriaRole.Button, new() { NameString = name, Exact = true });

    private static async Task SignInAsync(IPage page, RunningDashboard dashboard, string path, string heading)
    {
        await page.GotoAsync($"{dashboard.Address}sign-in?return=/{path}");
        await page.GetByLabel("Token").FillAsync(Token);
        await Button(page, "Sign in").ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { NameString = heading, Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
    }
}
