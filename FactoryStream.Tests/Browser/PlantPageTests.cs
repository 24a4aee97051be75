using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;
using Npgsql;

namespace FactoryStream.Tests.Browser;

/// <summary>The plant's page and the kiosk, as a shift lead has them open.</summary>
[Collection(BrowserTests.Name)]
public sealed class PlantPageTests(PostgresFixture postgres, BrowserFixture browser)
{
    [SkippableFact]
    public async Task A_silent_engine_is_seen_as_silent_by_its_word()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, OneSilentOfFourAsync);
        var page = await OpenAsync(dashboard);

        await Assertions.Expect(Tile(page, "engine_b1")).ToContainTextAsync("silent");
        await Assertions.Expect(Tile(page, "engine_b2")).ToContainTextAsync("normal");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "1 silent" })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "3 normal" })).ToBeVisibleAsync();
        // Three engines of ten readings in ten seconds; the silent one sends nothing.
        await Assertions.Expect(page.Locator(".counts")).ToContainTextAsync("3 readings/s");
    }

    [SkippableFact]
    public async Task An_engine_with_a_raised_alert_is_seen_by_its_word_counted_and_normal_when_it_is_cleared()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, OneSilentOfFourAsync);
        await dashboard.Database.AlertAsync(1, "factory_a", 1, "raised", "alarm", Seeds.Start);
        await dashboard.Database.AlertAsync(2, "factory_a", 1, "raised", "warning", Seeds.Start);
        await dashboard.Database.AlertAsync(1, "factory_b", 3, "raised", "warning", Seeds.Start);
        await dashboard.Database.AlertAsync(1, "factory_b", 4, "withdrawn", "alarm", Seeds.Start);
        var page = await OpenAsync(dashboard);

        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "1 warning" })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "2 normal" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "1 alarm" }).ClickAsync();
        await Assertions.Expect(page.Locator(".tile")).ToHaveCountAsync(1);
        await Assertions.Expect(Tile(page, "alarm")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "1 alarm" }).ClickAsync();
        await Picture.TakeAsync(page, "plant-alerts");

        await dashboard.Database.RowsAsync("UPDATE factory.alerts SET state = 'cleared' WHERE engine_no = 1");

        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "3 normal" })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "0 alarm" })).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task A_click_on_a_count_shows_the_engines_that_it_counts_and_a_second_one_all()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, OneSilentOfFourAsync);
        var page = await OpenAsync(dashboard);
        await Assertions.Expect(page.Locator(".tile")).ToHaveCountAsync(4);
        var silent = page.GetByRole(AriaRole.Button, new() { Name = "1 silent" });

        await silent.ClickAsync();

        await Assertions.Expect(page.Locator(".tile")).ToHaveCountAsync(1);
        await Assertions.Expect(Tile(page, "engine_b1")).ToBeVisibleAsync();
        await Assertions.Expect(silent).ToHaveAttributeAsync("aria-pressed", "true");

        await silent.ClickAsync();
        await Assertions.Expect(page.Locator(".tile")).ToHaveCountAsync(4);
    }

    [SkippableFact]
    public async Task One_engine_of_ten_thousand_is_found_by_typing_a_part_of_its_id()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, database => PlantSeeds.EnginesAsync(database, 10_000));
        var page = await OpenAsync(dashboard);
        await Assertions.Expect(page.GetByText("10,000 engines")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".tile").First).ToBeVisibleAsync();
        Assert.InRange(await page.Locator(".tile").CountAsync(), 6, 600);

        var find = page.GetByLabel("Find an engine");
        await find.FillAsync("nothing like this");
        await page.GetByRole(AriaRole.Button, new() { Name = "Show all" }).ClickAsync();
        await Assertions.Expect(find).ToHaveValueAsync("");
        await find.PressSequentiallyAsync("y_042 NE_017");

        await Assertions.Expect(page.Locator(".tile")).ToHaveCountAsync(1);
        await Assertions.Expect(Tile(page, "engine_017")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Group, new() { Name = "factory_042" })).ToBeVisibleAsync();
        await Tile(page, "engine_017").PressAsync("Enter");
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "of engine_017, factory_042" })).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task A_new_window_shows_on_an_open_page_with_its_trend()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard);
        var tile = Tile(page, "engine_b2");
        await Assertions.Expect(tile).ToContainTextAsync("222 rpm");
        await Assertions.Expect(tile.GetByRole(AriaRole.Img, new() { Name = "rpm over the last 30 windows" })).ToBeVisibleAsync();
        await page.EvaluateAsync("window.isTheSamePage = true");

        await dashboard.Database.CloseAsync(4, PlantSeeds.Recent, ("rpm", 777), ("temp_air", 20));

        await Assertions.Expect(tile).ToContainTextAsync("777 rpm");
        Assert.True(await page.EvaluateAsync<bool>("window.isTheSamePage === true"));
    }

    [SkippableFact]
    public async Task A_factory_with_rejections_is_marked_and_found_by_its_count()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        await dashboard.Database.RejectAsync(
            new(1, now, "factory_b", "bad_signature", false, null, [1], 1, 0),
            new(1, now.AddMinutes(-30), "factory_a", "bad_signature", false, null, [1], 1, 1),
            // A name that anybody may claim marks nothing.
            new(1, now, "factory_a", "unknown_key", false, null, [1], 1, 2, IsOfUnknownFactory: true)
        );
        var page = await OpenAsync(dashboard);

        await Assertions.Expect(page.GetByText("rejected in the last hour: 3")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "factories with rejections: 1" }).ClickAsync();

        await Assertions.Expect(page.Locator(".tile")).ToHaveCountAsync(2);
        await Assertions
            .Expect(page.GetByRole(AriaRole.Group, new() { Name = "factory_b" }))
            .ToContainTextAsync("1 rejected in the last 5 minutes");
    }

    [SkippableFact]
    public async Task A_plant_without_any_window_says_what_to_do_and_fills_by_itself()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);
        var page = await OpenAsync(dashboard);
        await Assertions.Expect(page.GetByText("No window has closed yet. Enrol a factory's public key")).ToBeVisibleAsync();

        await dashboard.Database.CloseAsync(
            await dashboard.Database.EngineAsync("factory_z", "engine_z"),
            PlantSeeds.Recent,
            ("rpm", 1234)
        );

        await Assertions.Expect(Tile(page, "engine_z")).ToContainTextAsync("1,234 rpm");
    }

    [SkippableFact]
    public async Task The_kiosk_turns_through_the_factories_by_itself_and_leads_nowhere()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, database => PlantSeeds.EnginesAsync(database, 200));
        var page = await OpenAsync(dashboard, "kiosk");

        await Assertions.Expect(page.Locator(".tile").First).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Navigation)).ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByRole(AriaRole.Link)).ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator(".is-live")).ToBeVisibleAsync();
        await Assertions
            .Expect(page.Locator(".corner time"))
            .ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^[0-2][0-9]:[0-5][0-9]$"));
        foreach (var (width, height) in ((int, int)[])[(1920, 1080), (1280, 1024), (3840, 2160)])
        {
            await page.SetViewportSizeAsync(width, height);
            await Assertions.Expect(page.Locator("footer")).ToBeInViewportAsync(new() { Ratio = 1 });
        }
        // Two factories of a hundred engines are 34 rows.
        var screen = page.GetByText(" of 9");
        await Assertions.Expect(screen).ToBeVisibleAsync();
        await Assertions.Expect(screen).Not.ToHaveTextAsync(await screen.InnerTextAsync());
    }

    [SkippableFact]
    public async Task On_a_phone_the_tiles_stand_in_one_column()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard);
        await page.SetViewportSizeAsync(390, 844);

        // The rows are drawn anew for another width, and for a moment there is none.
        await RunningSystem.EventuallyAsync(
            () => page.Locator(".tile").EvaluateAllAsync<int>("tiles => new Set(tiles.map(tile => tile.offsetLeft)).size"),
            columns => columns == 1
        );
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= 390"));
    }

    [SkippableFact]
    public async Task One_navigation_leads_to_every_page()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard);

        foreach (var name in (string[])["Engines", "Reconciliation", "Rejections", "Alerts", "Plant"])
        {
            await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = name, Exact = true }).ClickAsync();
            await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(name);
        }
    }

    /// <summary>Engine 3, <c>engine_b1</c>, has been silent for an hour; no test is slow enough for the others to become so.</summary>
    private static async Task OneSilentOfFourAsync(NpgsqlDataSource database)
    {
        await PlantSeeds.FourEnginesAsync(database);
        foreach (var (engineNo, ago) in ((int, TimeSpan)[])[(1, -Hour), (2, -Hour), (3, Hour), (4, -Hour)])
            await database.UpdatedAsync(engineNo, ago);
    }

    private static TimeSpan Hour => TimeSpan.FromHours(1);

    private static ILocator Tile(IPage page, string engineId) => page.Locator(".tile").Filter(new() { HasText = engineId });

    private async Task<IPage> OpenAsync(RunningDashboard dashboard, string address = "")
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}{address}");
        // Until then it is the page's first, static form, which answers no click.
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        return page;
    }
}
