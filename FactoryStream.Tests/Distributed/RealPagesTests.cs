using System.Globalization;
using FactoryStream.Tests.Browser;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Distributed;

/// <summary>A run of a real water-circulation rig, replayed, and what a person sees of it and does with it on each page.</summary>
[Collection(DistributedTests.Name)]
public sealed class RealPagesTests(SharedSystem shared, BrowserFixture browser) : IClassFixture<BrowserFixture>
{
    private const string Factory = "skab_pages";
    private const string Engine = "valve1-0";
    private const string Rule = "rig is warm";

    private readonly RunningSystem system = shared.RunningSystem;

    [SkippableFact]
    public async Task A_person_sees_the_rig_on_every_page_is_warned_and_says_so()
    {
        var file = Path.Combine(SharedData.Require("data/skab"), $"{Engine}.csv");
        var rows = (await File.ReadAllLinesAsync(file)).Length - 1;
        var page = await browser.NewPageAsync();
        using var dashboard = system.Client("dashboard");

        // A rule, made before there is anything to warn of.
        await page.GotoAsync(Address("sign-in?return=/alerts/rules"));
        await page.GetByLabel("Token").FillAsync(RunningSystem.AdminToken);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Alert rules");
        await AliveAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync(Rule);
        await page.GetByLabel("Factory", new() { Exact = true }).FillAsync(Factory);
        await page.GetByLabel("Metric", new() { Exact = true }).FillAsync("Temperature");
        await page.GetByLabel("Limit", new() { Exact = true }).FillAsync("10");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the rule" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Gridcell, new() { Name = Rule, Exact = true })).ToBeVisibleAsync();

        using var folder = new TemporaryFolder();
        var (exitCode, output) = await ToolProcess.RunAsync(
            system,
            "FactoryStream.Simulator",
            ["replay", "--factory", Factory, "--keys", folder.Path, "--csv", file]
        );
        Assert.True(exitCode == 0, output);
        await system.LedgerWithoutBacklogAsync(Factory, rows);

        await OpenAsync("alerts", "Alerts");
        var alert = page.GetByRole(AriaRole.Grid, new() { Name = "Raised alerts" })
            .GetByRole(AriaRole.Row)
            .Filter(new() { HasText = Rule });
        await Assertions.Expect(alert).ToContainTextAsync("Temperature");
        await alert.GetByRole(AriaRole.Button).First.ClickAsync();
        await page.GetByLabel("Comment").FillAsync("it is July");
        await page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Grid, new() { Name = "Events of the alert" })).ToContainTextAsync("it is July");

        // The plant: the rig's tile has the word of its alert, and leads to its page.
        await OpenAsync("", "Plant");
        await page.GetByLabel("Find an engine").PressSequentiallyAsync($"pages {Engine}");
        var tile = page.Locator(".tile");
        await Assertions.Expect(tile).ToHaveCountAsync(1);
        await Assertions.Expect(tile).ToContainTextAsync("warning");
        await tile.ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = $"{Engine}, {Factory}" })).ToBeVisibleAsync();
        await AliveAsync();

        // All eight sensors of the run, and a reading with its evidence.
        await page.GetByRole(AriaRole.Link, new() { Name = "1 h", Exact = true }).ClickAsync();
        await Assertions.Expect(page.Locator(".series")).ToHaveCountAsync(8);
        var points = page.Locator(".series").Filter(new() { HasText = "Volume Flow RateRMS" }).Locator("[data-points]");
        await RunningSystem.EventuallyAsync(
            async () => int.Parse(await points.GetAttributeAsync("data-points") ?? "0", CultureInfo.InvariantCulture),
            shown => shown > 100
        );
        await page.GetByRole(AriaRole.Button, new() { Name = "Show the readings of this time" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Grid, new() { Name = "Readings" })).ToContainTextAsync("Temperature");

        // A line that somebody changed on the way: rejected, seen, and explained.
        var changed =
            """{"data":{"factory_id":"FACTORY","engine_id":"valve1-0","timestamp":"2020-03-09 10:14:33","x":1},"signature":"AAAA"}""";
        await system.PostAsync(changed.Replace("FACTORY", Factory, StringComparison.Ordinal));
        await system.LedgerWithoutBacklogAsync(Factory, rows + 1);
        await OpenAsync("rejections", "Rejections");
        await page.GetByLabel("Factory", new() { Exact = true }).FillAsync(Factory);
        await page.GetByLabel("Factory", new() { Exact = true }).PressAsync("Tab");
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "bad_signature" })).ToHaveCountAsync(1);

        await OpenAsync("reconciliation", "Reconciliation");
        await Assertions
            .Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = Factory }))
            .ToContainTextAsync((rows + 1).ToString("N0", CultureInfo.InvariantCulture));
        await OpenAsync("keys", "Keys");
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = Factory }).First).ToContainTextAsync("valid");
        await OpenAsync("pipeline", "Pipeline");
        await Assertions.Expect(page.GetByText("readings.signed").First).ToBeVisibleAsync();

        await OpenAsync("alerts/rules", "Alert rules");
        await page.GetByRole(AriaRole.Button, new() { Name = $"Delete {Rule}" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete for good" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Gridcell, new() { Name = Rule, Exact = true })).ToHaveCountAsync(0);

        string Address(string path) => new Uri(dashboard.BaseAddress!, path).ToString();

        async Task OpenAsync(string path, string title)
        {
            await page.GotoAsync(Address(path));
            await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(title);
            await AliveAsync();
        }

        Task AliveAsync() => Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
    }
}
