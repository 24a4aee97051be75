using System.Globalization;
using System.Text.RegularExpressions;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

/// <summary>A part of a chart is chosen by dragging over it.</summary>
[Collection(BrowserTests.Name)]
public sealed class BrushTests(PostgresFixture postgres, BrowserFixture browser)
{
    private static readonly DateTime From = PlantSeeds.Recent.AddMinutes(-4);
    private static readonly string Address = $"engines/factory_b/engine_b2?from={From:s}Z&to={From.AddMinutes(4):s}Z&metric=rpm";

    [SkippableFact]
    public async Task Dragging_over_a_chart_shows_that_time_and_Back_leads_to_the_one_before()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard);
        var (left, width, y) = await PlotAsync(page);

        // From a quarter to three quarters of four minutes, begun at the later end.
        await page.Mouse.MoveAsync(left + width * 3 / 4, y);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(left + width / 2, y);
        await page.Mouse.MoveAsync(left + width / 4, y);
        await Assertions.Expect(page.Locator(".brush")).ToBeVisibleAsync();
        await Picture.TakeAsync(page, "engine-brush");
        await page.Mouse.UpAsync();

        await Assertions.Expect(page).ToHaveURLAsync(new Regex("metric=rpm"));
        await Assertions.Expect(Chart(page)).ToHaveAttributeAsync("data-points", new Regex("^1[234]$"));
        await Assertions.Expect(page.Locator(".brush")).ToHaveCountAsync(0);
        var shown = System.Web.HttpUtility.ParseQueryString(new Uri(page.Url).Query);
        Assert.Equal(0, (TimeOf(shown["from"]) - From.AddMinutes(1)).TotalSeconds, tolerance: 3);
        Assert.Equal(0, (TimeOf(shown["to"]) - From.AddMinutes(3)).TotalSeconds, tolerance: 3);

        await page.GoBackAsync();
        await Assertions.Expect(Chart(page)).ToHaveAttributeAsync("data-points", "24");
    }

    [SkippableFact]
    public async Task Escape_and_a_click_leave_the_time_as_it_was()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard);
        var address = page.Url;
        var (left, width, y) = await PlotAsync(page);

        await page.Mouse.MoveAsync(left + width / 4, y);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(left + width / 2, y);
        await Assertions.Expect(page.Locator(".brush")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(page.Locator(".brush")).ToHaveCountAsync(0);
        await page.Mouse.UpAsync();
        await page.Mouse.ClickAsync(left + width / 4, y);

        await Assertions.Expect(page.Locator(".brush")).ToHaveCountAsync(0);
        Assert.Equal(address, page.Url);
        await Assertions.Expect(Chart(page)).ToHaveAttributeAsync("data-points", "24");
    }

    private static DateTime TimeOf(string? text) => DateTime.Parse(text!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);

    private static ILocator Chart(IPage page) => page.GetByRole(AriaRole.Img, new() { Name = "rpm: " });

    /// <summary>Where the chart's time begins, how wide it is, and a height within it.</summary>
    private static async Task<(float Left, float Width, float Y)> PlotAsync(IPage page)
    {
        var chart = (await Chart(page).BoundingBoxAsync())!;
        var axis = (await Chart(page).Locator(".rz-category-axis .rz-line").First.BoundingBoxAsync())!;
        return (axis.X, axis.Width, chart.Y + chart.Height / 2);
    }

    private async Task<IPage> OpenAsync(RunningDashboard dashboard)
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}{Address}");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await Assertions.Expect(Chart(page)).ToHaveAttributeAsync("data-points", "24");
        return page;
    }
}
