using System.Security.Cryptography;
using FactoryStream.Contracts;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Signatures;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

/// <summary>What proves a reading that was signed together with others.</summary>
[Collection(BrowserTests.Name)]
public sealed class BatchEvidenceTests(PostgresFixture postgres, BrowserFixture browser)
{
    private const string Reading = """{"factory_id":"factory_b","engine_id":"engine_b2","timestamp":"2026-02-25 06:13:20","rpm":1.50}""";
    private const string Batch = $"[ {Reading} ]";

    [SkippableFact]
    public async Task The_batch_of_a_reading_is_shown_and_downloaded_exactly_as_signed()
    {
        var (signer, key) = TestKeys.Pair();
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
            {
                await PlantSeeds.FourEnginesAsync(database);
                await database.RowsAsync("INSERT INTO factory.metrics (name, unit, updated_by) VALUES ('rpm', '1/min', 'Ann')");
                var keyNo = await database.EnrolAsync("factory_b", "k1", key);
                var at = PlantSeeds.Recent.AddSeconds(-1);
                await database.ReadingAsync(4, keyNo, at, Reading, await database.BatchAsync(keyNo, signer, at, Batch));
            }
        );
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}engines/factory_b/engine_b2");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Show the readings of this time" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { NameString = "Open", Exact = true }).ClickAsync();

        await Assertions.Expect(page.Locator("pre[aria-labelledby=batch-title]")).ToHaveTextAsync(Batch);
        await Assertions.Expect(page.Locator(".facts").First).ToContainTextAsync("rpm 1.50 1/min");
        await Picture.TakeAsync(page, "engine-batch");
        var download = await page.RunAndWaitForDownloadAsync(() =>
            page.GetByRole(AriaRole.Link, new() { Name = "Download the batch" }).ClickAsync()
        );

        var envelope = EnvelopeParts.Find(await File.ReadAllBytesAsync(await download.PathAsync()));
        Assert.Equal(Batch, System.Text.Encoding.UTF8.GetString(envelope.Data.Span));
        Assert.Equal("k1", envelope.KeyId);
        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(key.SubjectPublicKeyInfo.Span, out _);
        Assert.True(rsa.VerifyData(envelope.Data.Span, envelope.Signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
    }
}
