using System.Security.Cryptography;
using System.Text;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Signatures;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;
using Npgsql;

namespace FactoryStream.Tests.Browser;

[Collection(BrowserTests.Name)]
public sealed class RejectionListTests(PostgresFixture postgres, BrowserFixture browser)
{
    private const string Data =
        """{"factory_id":"factory_a","engine_id":"<img src=x onerror=window.isMarkup=true>","timestamp":"2026-02-25 06:13:20","rpm":1}""";

    [SkippableFact]
    public async Task A_person_filters_opens_a_rejection_and_reads_why_its_signature_fails()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}reconciliation");
        // What a click hits is replaced in the moment when the page comes alive.
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { NameString = "Every rejection" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { NameString = "Rejections" })).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(4);

        await page.GetByLabel("Factory", new() { Exact = true }).FillAsync("factory_a");
        await page.GetByLabel("Factory", new() { Exact = true }).PressAsync("Tab");
        // Asked again while the first answer is on its way: no line is shown twice.
        await page.GetByLabel("Factory", new() { Exact = true })
            .EvaluateAsync("box => { for (let i = 0; i < 5; i++) box.dispatchEvent(new Event('change', { bubbles: true })); }");
        await Assertions.Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(3);
        await page.GetByLabel("Reason", new() { Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Option, new() { NameString = "bad_signature", Exact = true }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(2);

        await page.GetByRole(AriaRole.Button, new() { NameString = "Open", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Locator("pre")).ToContainTextAsync("<img src=x onerror=window.isMarkup=true>");
        await page.GetByRole(AriaRole.Button, new() { NameString = "Why does it fail?" }).ClickAsync();

        await Assertions.Expect(page.GetByText("The signature is RSASSA-PKCS1-v1_5; sign with RSASSA-PSS, SHA-256.")).ToBeVisibleAsync();
        Assert.True(await page.EvaluateAsync<bool>("window.isMarkup === undefined"));
        await Picture.TakeBothAsync(page, "rejections");
    }

    [SkippableFact]
    public async Task A_page_without_any_rejection_says_where_else_to_look()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);
        var page = await browser.NewPageAsync();

        await page.GotoAsync($"{dashboard.Address}rejections");

        await Assertions.Expect(page.GetByText("No line was refused or rejected")).ToBeVisibleAsync();
    }

    private static async Task SeedAsync(NpgsqlDataSource database)
    {
        var (signer, key) = TestKeys.Pair();
        await database.EnrolAsync("factory_a", "k1", key);
        using var rsa = RSA.Create();
        rsa.ImportFromPem(signer.ExportPrivateKeyPem());
        var signature = rsa.SignData(Encoding.UTF8.GetBytes(Data), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var line = Encoding.UTF8.GetBytes($$"""{"data": {{Data}}, "signature": "{{Convert.ToBase64String(signature)}}"}""");
        await database.RejectAsync(
            new(1, Seeds.Start, "factory_a", "bad_signature", false, "<b>no key</b> fits", line, 1, 0),
            new(1, Seeds.Start, "factory_a", "future", false, null, line, 1, 1),
            new(1, Seeds.Start, "factory_b", "bad_signature", false, null, line, 1, 2)
        );
    }
}
