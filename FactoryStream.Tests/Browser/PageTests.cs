using System.Globalization;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

[Collection(BrowserTests.Name)]
public sealed class PageTests(PostgresFixture postgres, BrowserFixture browser)
{
    [SkippableFact]
    public async Task The_page_shows_every_engine_and_follows_its_windows_without_being_loaded_again()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard);
        var engine = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "engine_b2" });
        await Assertions.Expect(engine).ToContainTextAsync("222");
        await page.EvaluateAsync("window.isTheSamePage = true");

        await dashboard.Database.CloseAsync(4, PlantSeeds.Recent, ("rpm", 777), ("temp_air", 20));

        await Assertions.Expect(engine).ToContainTextAsync("777");
        await Assertions
            .Expect(engine)
            .ToContainTextAsync(PlantSeeds.Recent.AddSeconds(10).ToString("HH:mm:ss", CultureInfo.InvariantCulture));
        Assert.True(await page.EvaluateAsync<bool>("window.isTheSamePage === true"));
    }

    [SkippableFact]
    public async Task Without_a_script_the_pages_show_every_engine_and_the_ledger_as_it_is_now()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        await dashboard.Database.ScalarAsync<object>(
            "INSERT INTO factory.ledger (partition, factory_id, accepted, stored, duplicates) VALUES (1, 'factory_a', 12345, "
                + "12300, 45) RETURNING 1"
        );

        await RunningSystem.EventuallyAsync(
            () => dashboard.Client.GetStringAsync("/reconciliation"),
            page => page.Contains("12,345", StringComparison.Ordinal)
        );
        var page = await dashboard.Client.GetStringAsync("/engines");

        Assert.All(
            (string[])["engine_a1", "engine_a2", "engine_b1", "engine_b2"],
            engine => Assert.Contains($">{engine}<", page, StringComparison.Ordinal)
        );
    }

    [SkippableFact]
    public async Task The_chart_shows_the_metric_that_was_chosen()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard);

        await ChooseAsync(page, "Factory", "factory_b");
        await ChooseAsync(page, "Engine", "engine_b1");
        await ChooseAsync(page, "Metric", "rpm");

        var chart = page.GetByRole(AriaRole.Img, new() { NameString = "rpm of engine_b1 in factory_b, 30 windows" });
        await Assertions.Expect(chart.Locator("svg").First).ToBeVisibleAsync();
        // The chart follows as the grid does.
        await dashboard.Database.CloseAsync(3, PlantSeeds.Recent, ("rpm", 118), ("temp_air", 20));
        await Assertions
            .Expect(page.GetByRole(AriaRole.Img, new() { NameString = "rpm of engine_b1 in factory_b, 31 windows" }))
            .ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task The_grid_can_be_narrowed_to_a_factory()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard);
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "engine_a1" })).ToBeVisibleAsync();

        await ChooseAsync(page, "Show factory", "factory_b");

        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "engine_a1" })).ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "engine_b2" })).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task The_ledger_is_shown_and_kept_up_to_date()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        await dashboard.Database.ScalarAsync<object>(
            "INSERT INTO factory.ledger (partition, factory_id, accepted, stored, duplicates) VALUES (1, 'factory_a', 12345, "
                + "12300, 40) RETURNING 1"
        );
        var page = await OpenAsync(dashboard, "reconciliation");
        var ledger = page.GetByRole(AriaRole.Table, new() { NameString = "Reconciliation" })
            .GetByRole(AriaRole.Row)
            .Filter(new() { HasText = "factory_a" });
        await Assertions.Expect(ledger).ToContainTextAsync("12,345");

        await dashboard.Database.ScalarAsync<object>("UPDATE factory.ledger SET accepted = 54321 RETURNING 1");

        await Assertions.Expect(ledger).ToContainTextAsync("54,321");
    }

    [SkippableFact]
    public async Task A_page_without_any_window_says_so_and_fills_by_itself()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);
        var page = await OpenAsync(dashboard);
        await Assertions.Expect(page.GetByText("No window has closed yet")).ToBeVisibleAsync();

        await dashboard.Database.CloseAsync(
            await dashboard.Database.EngineAsync("factory_z", "engine_z"),
            PlantSeeds.Recent,
            ("rpm", 1234)
        );

        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "engine_z" })).ToContainTextAsync("1,234");
    }

    [SkippableFact]
    public async Task Ten_thousand_engines_are_a_grid_of_a_few_rows()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, database => PlantSeeds.EnginesAsync(database, 10_000));
        var page = await OpenAsync(dashboard);

        await Assertions.Expect(page.GetByText("10,000 engines")).ToBeVisibleAsync();

        await Assertions.Expect(page.Locator("tbody tr").Nth(4)).ToBeVisibleAsync();
        Assert.InRange(await page.Locator("tbody tr").CountAsync(), 5, 200);
    }

    [SkippableFact]
    public async Task A_page_whose_Dashboard_is_gone_says_so_and_comes_back_with_it()
    {
        var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await OpenAsync(dashboard);
        await Assertions.Expect(page.GetByText("4 engines")).ToBeVisibleAsync();
        await page.EvaluateAsync("document.body.setAttribute('data-same-page', 'true')");

        await dashboard.DisposeAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alertdialog)).ToBeVisibleAsync(new() { Timeout = 30_000 });
        // A failure is another thing, and is not claimed.
        await Assertions.Expect(page.Locator("#blazor-error-ui")).ToBeHiddenAsync();

        await using var next = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync, $"--urls={dashboard.Address}");
        await Assertions.Expect(page.Locator("body[data-same-page]")).ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByText("4 engines")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Assertions.Expect(page.GetByRole(AriaRole.Alertdialog)).ToBeHiddenAsync();
    }

    [SkippableFact]
    public async Task Nothing_is_asked_of_any_other_address_and_nothing_is_missing()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        var page = await browser.NewPageAsync();
        var foreign = new List<string>();
        var failed = new List<string>();
        var errors = new List<string>();
        page.Request += (_, request) =>
        {
            if (
                !request.Url.StartsWith(dashboard.Address.ToString(), StringComparison.Ordinal)
                && !request.Url.StartsWith("data:", StringComparison.Ordinal)
            )
                foreign.Add(request.Url);
        };
        page.Response += (_, response) =>
        {
            if (response.Status >= 400)
                failed.Add($"{response.Status} {response.Url}");
        };
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                errors.Add(message.Text);
        };

        foreach (var address in (string[])["", "engines", "kiosk"])
        {
            await page.GotoAsync($"{dashboard.Address}{address}");
            await Assertions.Expect(page.Locator("[role=img] svg").First).ToBeVisibleAsync();
        }
        foreach (var address in (string[])["reconciliation", "rejections"])
        {
            await page.GotoAsync($"{dashboard.Address}{address}");
            await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        }
        await page.GotoAsync($"{dashboard.Address}favicon.ico");

        Assert.Empty(foreign);
        Assert.Empty(failed);
        Assert.Empty(errors);
    }

    [SkippableTheory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Its_text_stands_out_from_its_background_in_light_and_dark(ColorScheme scheme)
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, PlantSeeds.FourEnginesAsync);
        await dashboard.Database.ScalarAsync<object>(
            "INSERT INTO factory.ledger (partition, factory_id, accepted, stored, duplicates) VALUES (1, 'factory_a', 12345, "
                + "12300, 40) RETURNING 1"
        );
        var page = await browser.NewPageAsync(scheme);

        // WCAG's contrast ratio of what is read most, against the nearest background that is painted; 4.5 is asked for.
        var contrast = TestData.Text("browser/contrast.js");
        foreach (
            var (address, selectors) in ((string, string[])[])
                [
                    (
                        "",
                        [
                            "h1",
                            "h2",
                            "h3",
                            "nav a",
                            "header a",
                            "[role=status]",
                            "[role=combobox]",
                            ".count",
                            ".count .rejecting",
                            ".tile strong",
                            ".tile .state",
                            ".tile-value",
                            ".tile-facts",
                        ]
                    ),
                    ("engines", ["h1", "h2", "[role=status]", "[role=combobox]", "[role=gridcell]", "[role=columnheader]"]),
                    ("reconciliation", ["h1", "h2", ".ledger td"]),
                    ("kiosk", ["h1", "h3", ".count", ".is-live", "time", ".tile strong", ".tile .state", ".tile-facts"]),
                ]
        )
        {
            await page.GotoAsync($"{dashboard.Address}{address}");
            await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
            await Assertions.Expect(page.Locator(address == "reconciliation" ? ".ledger td" : "[role=img] svg").First).ToBeVisibleAsync();
            foreach (var selector in selectors)
                Assert.True(
                    await page.Locator(selector).First.EvaluateAsync<double>(contrast) >= 4.5,
                    $"{selector} of /{address} is hard to read in {scheme}"
                );
        }
    }

    private async Task<IPage> OpenAsync(RunningDashboard dashboard, string address = "engines")
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}{address}");
        // Until then it is the page's first, static form, which answers no click.
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        return page;
    }

    private static async Task ChooseAsync(IPage page, string picker, string option)
    {
        await page.GetByLabel(picker, new() { Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Option, new() { NameString = option, Exact = true }).ClickAsync();
    }
}
