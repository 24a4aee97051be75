using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

/// <summary>Times and numbers as the person at the browser writes them.</summary>
[Collection(BrowserTests.Name)]
public sealed class LocaleTests(PostgresFixture postgres, BrowserFixture browser)
{
    [SkippableFact]
    public async Task Times_are_of_the_browsers_zone_with_UTC_on_hover_and_numbers_have_its_separators()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);
        var page = await browser.NewPageAsync(timeZone: "Asia/Tokyo", locale: "de-DE");

        await page.GotoAsync($"{dashboard.Address}engines");

        // 2026-02-25 06:13:40 UTC, and 3001 in German.
        var closed = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "factory_a" }).Locator("time");
        await Assertions.Expect(closed).ToHaveTextAsync("2026-02-25 15:13:40");
        await Assertions.Expect(closed).ToHaveAttributeAsync("title", "2026-02-25 06:13:40.000 UTC");
        await Assertions.Expect(page.GetByRole(AriaRole.Gridcell, new() { NameString = "3.001" })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Gridcell, new() { NameString = "1,5" })).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("#time-zone")).ToHaveTextAsync("Asia/Tokyo");
    }

    [SkippableFact]
    public async Task A_time_that_a_person_writes_is_of_the_browsers_zone_and_the_link_holds_UTC()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);
        var page = await browser.NewPageAsync(timeZone: "America/New_York");
        await page.GotoAsync($"{dashboard.Address}engines/factory_a/e1?from=2026-02-25T06:00:00Z&to=2026-02-25T06:30:00Z");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        var from = page.GetByLabel("From", new() { Exact = true });
        await Assertions.Expect(from).ToHaveValueAsync("2026-02-25 01:00:00");

        await from.FillAsync("2026-02-25 01:10:00");
        await from.PressAsync("Tab");
        await page.GetByRole(AriaRole.Button, new() { NameString = "Show this time" }).ClickAsync();

        await Assertions.Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("from=2026-02-25T06(:|%3A)10"));
        await Assertions.Expect(page.GetByText("2026-02-25 01:10:00 to 2026-02-25 01:30:00")).ToBeVisibleAsync();
    }
}
