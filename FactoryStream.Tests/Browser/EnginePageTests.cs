using System.Text.RegularExpressions;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Signatures;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

/// <summary>One engine's page, as who looks for a cause has it open.</summary>
[Collection(BrowserTests.Name)]
public sealed class EnginePageTests(PostgresFixture postgres, BrowserFixture browser)
{
    private const string Address = "engines/factory_b/engine_b2";

    [SkippableFact]
    public async Task An_engine_is_opened_from_the_plant_and_Back_leads_to_the_time_before()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard, "");
        await page.Locator(".tile").Filter(new() { HasText = "engine_b2" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "engine_b2, factory_b" })).ToBeVisibleAsync();

        await Assertions.Expect(Chart(page, "rpm")).ToHaveAttributeAsync("data-points", "30");
        await Assertions.Expect(Chart(page, "temp_air").Locator("svg").First).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".series")).ToHaveCountAsync(2);
        await Assertions.Expect(Choice(page, "15 min")).ToHaveAttributeAsync("aria-current", "true");

        await Choice(page, "1 h").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex(@"/engines/factory_b/engine_b2\?range=1h$"));
        await Assertions.Expect(Choice(page, "1 h")).ToHaveAttributeAsync("aria-current", "true");
        await Choice(page, "24 h").PressAsync("Enter");
        await Assertions.Expect(page.GetByText("a point for each 10 min")).ToBeVisibleAsync();
        await page.GoBackAsync();
        await page.GoBackAsync();

        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/engines/factory_b/engine_b2$"));
        await Assertions.Expect(Choice(page, "15 min")).ToHaveAttributeAsync("aria-current", "true");
        await Assertions.Expect(page.GetByText("a point for each 10 s")).ToBeVisibleAsync();
        await Picture.TakeAsync(page, "engine");
    }

    [SkippableFact]
    public async Task The_grid_of_engines_leads_to_each_one()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard, "engines");

        await page.GetByRole(AriaRole.Link, new() { Name = "engine_a1" }).ClickAsync();

        await Assertions.Expect(page).ToHaveURLAsync(new Regex("/engines/factory_a/engine_a1$"));
        await Assertions.Expect(Chart(page, "rpm")).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task A_gap_is_a_gap_and_a_corrected_window_is_marked()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
            {
                await PlantSeeds.FourEnginesAsync(database);
                // Of engine 4 the window at Recent is missing.
                await database.CloseAsync(4, PlantSeeds.Recent.AddSeconds(10), ("rpm", 230));
                await database.CloseAsync(4, PlantSeeds.Recent.AddSeconds(20), ("rpm", 231));
                await database.CorrectAsync(4, PlantSeeds.Recent.AddSeconds(-50), ("rpm", 240));
            }
        );
        var page = await OpenAsync(dashboard, Address);

        var chart = Chart(page, "rpm");
        await Assertions.Expect(chart).ToHaveAttributeAsync("data-gaps", "1");
        await Assertions.Expect(chart.Locator("path[style*='--line-colour'], path[stroke*='--line-colour']")).ToHaveCountAsync(2);
        await Assertions.Expect(chart).ToHaveAttributeAsync("data-corrected", "1");
        await Assertions.Expect(chart.Locator("[style*='--notice'], [fill*='--notice']")).ToHaveCountAsync(1);
        await Assertions.Expect(page.GetByRole(AriaRole.List, new() { Name = "Legend" })).ToContainTextAsync("corrected by late readings");
        await Assertions.Expect(page.GetByText("gaps: 1, corrected: 1")).ToBeVisibleAsync();
        await Picture.TakeAsync(page, "engine-gap");
    }

    [SkippableFact]
    public async Task A_new_window_is_drawn_on_an_open_page()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard, Address);
        await Assertions.Expect(Chart(page, "rpm")).ToHaveAttributeAsync("data-points", "30");
        await page.EvaluateAsync("window.isTheSamePage = true");

        await dashboard.Database.CloseAsync(4, PlantSeeds.Recent, ("rpm", 777), ("temp_air", 20));

        await Assertions.Expect(Chart(page, "rpm")).ToHaveAttributeAsync("data-points", "31");
        await Assertions.Expect(page.GetByText("last mean 777")).ToBeVisibleAsync();
        Assert.True(await page.EvaluateAsync<bool>("window.isTheSamePage === true"));
    }

    [SkippableFact]
    public async Task A_time_that_was_chosen_stands_in_the_address_and_can_be_moved()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var from = PlantSeeds.Recent.AddMinutes(-2);
        var page = await OpenAsync(dashboard, $"{Address}?from={from:s}Z&to={from.AddMinutes(2):s}Z&metric=rpm");

        await Assertions.Expect(Chart(page, "rpm")).ToHaveAttributeAsync("data-points", "12");
        await Assertions.Expect(page.Locator(".series")).ToHaveCountAsync(1);
        await Choice(page, "Zoom in").ClickAsync();
        await Assertions.Expect(Chart(page, "rpm")).ToHaveAttributeAsync("data-points", "6");
        await Choice(page, "Earlier").ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex(Regex.Escape($"from={Uri.EscapeDataString($"{from:s}Z")}")));
        await Assertions.Expect(page).ToHaveURLAsync(new Regex("metric=rpm"));

        await Assertions.Expect(page.GetByLabel("From", new() { Exact = true })).ToHaveValueAsync($"{from:yyyy-MM-dd HH:mm:ss}");
        await page.GetByLabel("From", new() { Exact = true }).FillAsync($"{from.AddMinutes(-1):yyyy-MM-dd HH:mm:ss}");
        await page.GetByLabel("From", new() { Exact = true }).PressAsync("Tab");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show this time" }).ClickAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new Regex(Regex.Escape($"from={Uri.EscapeDataString($"{from.AddMinutes(-1):s}Z")}")));
        await Assertions.Expect(Chart(page, "rpm")).ToHaveAttributeAsync("data-points", "12");
        await Choice(page, "Back to live").ClickAsync();
        await Assertions.Expect(Chart(page, "rpm")).ToHaveAttributeAsync("data-points", "30");
    }

    [SkippableFact]
    public async Task An_engine_is_compared_with_the_day_before_and_with_another_one()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
            {
                await PlantSeeds.FourEnginesAsync(database);
                for (var window = 20; window >= 1; window--)
                    await database.CloseAsync(4, PlantSeeds.Recent.AddDays(-1).AddSeconds(-10 * window), ("rpm", 200 + window));
            }
        );
        var page = await OpenAsync(dashboard, $"{Address}?compare=day");
        var second = Chart(page, "rpm").Locator("path[style*='--compared'], path[stroke*='--compared']");
        await Assertions.Expect(second).ToHaveCountAsync(1);
        await Assertions.Expect(page.GetByRole(AriaRole.List, new() { Name = "Legend" })).ToContainTextAsync("a day before");

        await page.GetByLabel("Compare with").ClickAsync();
        await page.GetByRole(AriaRole.Option, new() { NameString = "engine_a2, factory_a", Exact = true }).ClickAsync();

        await Assertions.Expect(page).ToHaveURLAsync(new Regex(@"\?compare_factory=factory_a&compare_engine=engine_a2$"));
        await Assertions.Expect(page.GetByRole(AriaRole.List, new() { Name = "Legend" })).ToContainTextAsync("engine_a2, factory_a");
        await Assertions.Expect(second).ToHaveCountAsync(1);
        await Picture.TakeBothAsync(page, "engine-compare");
    }

    [SkippableFact]
    public async Task Readings_are_shown_with_their_evidence()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
            {
                await PlantSeeds.FourEnginesAsync(database);
                var (_, key) = TestKeys.Pair();
                var keyNo = await database.EnrolAsync("factory_b", "k1", key);
                for (var n = 0; n < 101; n++)
                    await database.ReadingAsync(4, keyNo, PlantSeeds.Recent.AddSeconds(-n - 20), $$"""{"n": {{n}}}""");
                await database.ReadingAsync(4, keyNo, PlantSeeds.Recent.AddSeconds(-1), """{ "n" :  "<b>" }""", new byte[32]);
            }
        );
        var page = await OpenAsync(dashboard, Address);
        await page.GetByRole(AriaRole.Button, new() { Name = "Show the readings of this time" }).ClickAsync();
        var grid = page.GetByRole(AriaRole.Grid, new() { Name = "Readings" });
        var open = page.GetByRole(AriaRole.Button, new() { NameString = "Open", Exact = true });
        await Assertions.Expect(open).ToHaveCountAsync(100);

        // Asked again and again while the answer is on its way, and when it is there but not yet drawn: no reading is shown twice.
        await page.GetByRole(AriaRole.Button, new() { Name = "Show older ones" })
            .EvaluateAsync("button => { for (let i = 0; i < 50; i++) setTimeout(() => button.click(), 5 * i); }");
        await Assertions.Expect(open).ToHaveCountAsync(102);
        await open.First.ClickAsync();
        await Assertions.Expect(page.Locator("pre")).ToHaveTextAsync("""{ "n" :  "<b>" }""");
        await Assertions.Expect(page.GetByText("the batch's signature stands for all its readings")).ToBeVisibleAsync();
        await open.Nth(1).ClickAsync();

        await Assertions.Expect(page.Locator("pre")).ToHaveTextAsync("""{"n": 0}""");
        // The seeds' signature is one byte.
        await Assertions.Expect(page.Locator(".facts")).ToContainTextAsync("AQ==");
        await Assertions.Expect(page.Locator(".facts")).ToContainTextAsync("k1");
        await Assertions.Expect(grid).ToBeVisibleAsync();
        await Picture.TakeAsync(page, "engine-readings");
    }

    [SkippableFact]
    public async Task The_windows_of_the_time_are_downloaded_as_CSV()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var from = PlantSeeds.Recent.AddMinutes(-1);
        var page = await OpenAsync(dashboard, $"{Address}?from={from:s}Z&to={from.AddMinutes(1):s}Z");

        var download = await page.RunAndWaitForDownloadAsync(() =>
            page.GetByRole(AriaRole.Link, new() { Name = "Windows of this time as CSV" }).ClickAsync()
        );

        Assert.Equal("factory_b-engine_b2.csv", download.SuggestedFilename);
        var lines = (await File.ReadAllTextAsync(await download.PathAsync())).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        // Six windows of two metrics.
        Assert.Equal(12, lines.Count(line => line.StartsWith("factory_b,engine_b2,", StringComparison.Ordinal)));
        Assert.Equal(13, lines.Length);
    }

    [SkippableFact]
    public async Task Names_may_hold_what_has_a_meaning_in_an_address()
    {
        const string engineId = "a/b ?&#%+é";
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database => await database.CloseAsync(await database.EngineAsync("factory z", engineId), PlantSeeds.Recent, ("r/p m", 1))
        );
        var page = await OpenAsync(dashboard, "");

        await page.Locator(".tile").ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync($"{engineId}, factory z");
        await Assertions.Expect(Chart(page, "r/p m")).ToHaveAttributeAsync("data-points", "1");
    }

    [SkippableFact]
    public async Task An_engine_that_there_is_not_and_a_link_that_is_wrong_say_what_to_do()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);

        var page = await OpenAsync(dashboard, "engines/factory_b/engine_b99");
        await Assertions.Expect(page.GetByText("No window of engine_b99 in factory_b has closed.")).ToBeVisibleAsync();

        page = await OpenAsync(dashboard, $"{Address}?range=2h");
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("range: expected 15m, 1h");
        await Assertions.Expect(Chart(page, "rpm")).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task On_a_phone_and_in_the_dark_the_charts_stand_in_one_column()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard, Address, ColorScheme.Dark);
        await page.SetViewportSizeAsync(390, 844);
        await Assertions.Expect(Chart(page, "temp_air")).ToBeVisibleAsync();

        var columns = await page.Locator(".series").EvaluateAllAsync<int>("charts => new Set(charts.map(chart => chart.offsetLeft)).size");

        Assert.Equal(1, columns);
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= 390"));
        await Picture.TakeAsync(page, "engine-phone");
    }

    private static ILocator Chart(IPage page, string metric) => page.GetByRole(AriaRole.Img, new() { Name = $"{metric}: " });

    private static ILocator Choice(IPage page, string name) => page.GetByRole(AriaRole.Link, new() { NameString = name, Exact = true });

    private async Task<IPage> OpenAsync(RunningDashboard dashboard, string address, ColorScheme scheme = ColorScheme.Light)
    {
        var page = await browser.NewPageAsync(scheme);
        await page.GotoAsync($"{dashboard.Address}{address}");
        // Until then it is the page's first, static form, which answers no click.
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        return page;
    }
}
