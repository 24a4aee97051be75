using System.Text;
using System.Text.Json;
using FactoryStream.Tests.AppHost;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Signatures;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

[Collection(BrowserTests.Name)]
public sealed class KeysPageTests(PostgresFixture postgres, BrowserFixture browser)
{
    private const string Token = "the-admin-token";

    private readonly int port = LocalServers.FreePort();

    [SkippableFact]
    public async Task An_admin_enrols_a_key_revokes_it_and_sees_both_in_the_trail()
    {
        await using var dashboard = await StartAsync();
        await using var verifier = await VerifierAsync(dashboard);
        var page = await browser.NewPageAsync();
        await SignInAsync(page, dashboard);
        await Assertions.Expect(page.GetByText("No key is enrolled")).ToBeVisibleAsync();

        await page.GetByLabel("Public key (PEM)").FillAsync("nonsense");
        await page.GetByLabel("Factory", new() { Exact = true }).FillAsync("factory_a");
        await page.GetByRole(AriaRole.Button, new() { NameString = "Enrol" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        var (signer, _) = TestKeys.Pair();
        await page.GetByLabel("Public key (PEM)").FillAsync(signer.ExportPublicKeyPem());
        await page.GetByRole(AriaRole.Button, new() { NameString = "Enrol" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Gridcell, new() { NameString = "valid", Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Img, new() { NameString = "Valid without bounds" })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("key enrolled")).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Button, new() { NameString = "Revoke" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { NameString = "Keep the key" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alertdialog)).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { NameString = "Revoke" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { NameString = "Revoke for good" }).ClickAsync();

        await Assertions.Expect(page.GetByText("revoked since")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("key revoked")).ToBeVisibleAsync();
        await Picture.TakeBothAsync(page, "keys");
        Assert.Equal(
            ["admin token|admin|key_enrolled", "admin token|admin|key_revoked"],
            await dashboard.Database.RowsAsync("SELECT who, role, action FROM factory.audit_events ORDER BY event_no")
        );
        Assert.Equal(0, await page.GetByRole(AriaRole.Button, new() { NameString = "Revoke" }).CountAsync());
    }

    [SkippableFact]
    public async Task An_admin_enrols_what_a_factory_has_signed_with_its_new_key()
    {
        await using var dashboard = await StartAsync();
        await using var verifier = await VerifierAsync(dashboard);
        var (signer, _) = TestKeys.Pair();
        var data = JsonSerializer.Serialize(
            new
            {
                factory_id = "factory_b",
                public_key = signer.ExportPublicKeyPem(),
                not_after = "2999-01-01T00:00:00Z",
            }
        );
        var signature = new byte[signer.SignatureLength];
        signer.Sign(Encoding.UTF8.GetBytes(data), signature);
        var page = await browser.NewPageAsync();
        await SignInAsync(page, dashboard);

        await page.GetByLabel("Public key (PEM)")
            .FillAsync($$"""{"data": {{data}}, "signature": "{{Convert.ToBase64String(signature)}}"}""");
        await page.GetByRole(AriaRole.Button, new() { NameString = "Enrol" }).ClickAsync();

        await Assertions.Expect(page.GetByText("valid until 2999-01-01 00:00", new() { Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Gridcell, new() { NameString = "factory_b", Exact = true })).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task A_viewer_sees_bars_and_last_uses_and_no_button_that_changes_a_key()
    {
        await using var dashboard = await StartAsync();
        await using var verifier = await VerifierAsync(dashboard);
        var first = await dashboard.Database.EnrolAsync("factory_a", "k1", TestKeys.Pair().Key);
        await dashboard.Database.EnrolAsync("factory_a", "k2", TestKeys.Pair().Key);
        var measuredAt = await dashboard.Database.ScalarAsync<DateTime>("SELECT date_trunc('minute', now()) - interval '1 hour'");
        await dashboard.Database.ReadingAsync(
            await dashboard.Database.EngineAsync("factory_a", "e1"),
            first,
            measuredAt,
            """{"factory_id":"factory_a"}"""
        );
        var page = await browser.NewPageAsync();

        await page.GotoAsync($"{dashboard.Address}keys");

        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Img, new() { NameString = "Valid without bounds" })).ToHaveCountAsync(2);
        await Assertions.Expect(page.GetByText($"{measuredAt:yyyy-MM-dd HH:mm}", new() { Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("of no engine's newest reading")).ToBeVisibleAsync();
        Assert.Equal(0, await page.GetByRole(AriaRole.Button, new() { NameString = "Revoke" }).CountAsync());
        Assert.Equal(0, await page.GetByRole(AriaRole.Button, new() { NameString = "Enrol" }).CountAsync());
    }

    [SkippableFact]
    public async Task A_Verifier_that_is_away_is_said_and_asked_again()
    {
        await using var dashboard = await StartAsync();
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}keys");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The Verifier does not respond");

        await using var verifier = await VerifierAsync(dashboard);
        await page.GetByRole(AriaRole.Button, new() { NameString = "Try again" }).ClickAsync();

        await Assertions.Expect(page.GetByText("No key is enrolled")).ToBeVisibleAsync();
    }

    private Task<RunningDashboard> StartAsync() =>
        RunningDashboard.StartAsync(
            postgres,
            null,
            $"--services:verifier:http:0=http://127.0.0.1:{port}",
            $"--Dashboard:Access:AdminToken={Token}",
            $"--Dashboard:VerifierAdminToken={Token}"
        );

    private Task<InProcessService> VerifierAsync(RunningDashboard dashboard) =>
        InProcessService.StartAsync(
            "FactoryStream.Verifier",
            [
                $"--ConnectionStrings:kafka={dashboard.Kafka}",
                $"--ConnectionStrings:factorydb={dashboard.Database.ConnectionString}",
                $"--urls=http://127.0.0.1:{port}",
                $"--Verifier:AdminToken={Token}",
                "--Logging:LogLevel:Default=Warning",
            ],
            _ => { }
        );

    private static async Task SignInAsync(IPage page, RunningDashboard dashboard)
    {
        await page.GotoAsync($"{dashboard.Address}sign-in?return=/keys");
        await page.GetByLabel("Token").FillAsync(Token);
        await page.GetByRole(AriaRole.Button, new() { NameString = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { NameString = "Keys", Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
    }
}
