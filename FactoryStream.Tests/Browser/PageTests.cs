using System.Globalization;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;
using Npgsql;

namespace FactoryStream.Tests.Browser;

public sealed class PageTests(PostgresFixture postgres, BrowserFixture browser) : IClassFixture<PostgresFixture>, IClassFixture<BrowserFixture>
{
    /// <summary>The latest window that may have closed by now.</summary>
    private static readonly DateTime Recent =
        DateTime.UnixEpoch.AddSeconds(Math.Floor((TimeProvider.System.GetUtcNow().UtcDateTime - DateTime.UnixEpoch).TotalSeconds / 10) * 10 - 20);

    [SkippableFact]
    public async Task The_page_shows_every_engine_and_follows_its_windows_without_being_loaded_again()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        var page = await OpenAsync(dashboard);
        var engine = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "engine_b2" });
        await Assertions.Expect(engine).ToContainTextAsync("222");
        await page.EvaluateAsync("window.isTheSamePage = true");

        await dashboard.Database.CloseAsync(4, Recent, ("rpm", 777), ("temp_air", 20));

        await Assertions.Expect(engine).ToContainTextAsync("777");
        await Assertions.Expect(engine).ToContainTextAsync(Recent.AddSeconds(10).ToString("HH:mm:ss", CultureInfo.InvariantCulture));
        Assert.True(await page.EvaluateAsync<bool>("window.isTheSamePage === true"));
    }

    [SkippableFact]
    public async Task The_chart_shows_the_metric_that_was_chosen()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        var page = await OpenAsync(dashboard);

        await ChooseAsync(page, "Factory of the chart", "factory_b");
        await ChooseAsync(page, "Engine of the chart", "engine_b1");
        await ChooseAsync(page, "Metric of the chart", "rpm");

        var chart = page.GetByRole(AriaRole.Img, new() { NameString = "rpm of engine_b1 in factory_b, 30 windows" });
        await Assertions.Expect(chart.Locator("svg path").First).ToBeVisibleAsync();
        // The chart follows as the grid does.
        await dashboard.Database.CloseAsync(3, Recent, ("rpm", 118), ("temp_air", 20));
        await Assertions.Expect(page.GetByRole(AriaRole.Img, new() { NameString = "rpm of engine_b1 in factory_b, 31 windows" })).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task The_grid_can_be_narrowed_to_a_factory()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        var page = await OpenAsync(dashboard);
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "engine_a1" })).ToBeVisibleAsync();

        await ChooseAsync(page, "Factory to show", "factory_b");

        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "engine_a1" })).ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "engine_b2" })).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task The_books_are_shown_and_followed()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        await dashboard.Database.ScalarAsync<object>("INSERT INTO factory.ledger (partition, factory_id, accepted, stored, duplicates) VALUES (1, 'factory_a', 12345, 12300, 40) RETURNING 1");
        var page = await OpenAsync(dashboard);
        var book = page.GetByRole(AriaRole.Table, new() { NameString = "Books" }).GetByRole(AriaRole.Row).Filter(new() { HasText = "factory_a" });
        await Assertions.Expect(book).ToContainTextAsync("12,345");

        await dashboard.Database.ScalarAsync<object>("UPDATE factory.ledger SET accepted = 54321 RETURNING 1");

        await Assertions.Expect(book).ToContainTextAsync("54,321");
    }

    [SkippableFact]
    public async Task Nothing_is_asked_of_any_other_address_and_nothing_is_missing()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        var page = await browser.NewPageAsync();
        var foreign = new List<string>();
        var failed = new List<string>();
        var errors = new List<string>();
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(dashboard.Address.ToString(), StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
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

        await page.GotoAsync(dashboard.Address.ToString());
        await Assertions.Expect(page.Locator("[role=img] svg path").First).ToBeVisibleAsync();
        await page.GotoAsync($"{dashboard.Address}favicon.ico");

        Assert.Empty(foreign);
        Assert.Empty(failed);
        Assert.Empty(errors);
    }

    [SkippableFact]
    public async Task A_page_without_any_window_says_so_and_fills_by_itself()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);
        var page = await OpenAsync(dashboard);
        await Assertions.Expect(page.GetByText("No window has closed yet")).ToBeVisibleAsync();

        await dashboard.Database.CloseAsync(await dashboard.Database.EngineAsync("factory_z", "engine_z"), Recent, ("rpm", 1234));

        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "engine_z" })).ToContainTextAsync("1,234");
    }

    [SkippableFact]
    public async Task Ten_thousand_engines_are_a_grid_of_a_few_rows()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, database => PlantAsync(database, 10_000));
        var page = await OpenAsync(dashboard);

        await Assertions.Expect(page.GetByText("10,000 engines")).ToBeVisibleAsync();

        Assert.InRange(await page.Locator("tbody tr").CountAsync(), 5, 200);
    }

    private static async Task SeedAsync(NpgsqlDataSource database)
    {
        // Numbers 1 to 4.
        foreach (var (factory, engine, rpm) in ((string, string, double)[])[("factory_a", "engine_a1", 3000), ("factory_a", "engine_a2", 111), ("factory_b", "engine_b1", 100), ("factory_b", "engine_b2", 222)])
        {
            var engineNo = await database.EngineAsync(factory, engine);
            for (var window = 30; window >= 1; window--)
                await database.CloseAsync(engineNo, Recent.AddSeconds(-10 * window), ("rpm", rpm + (window == 1 ? 0 : 20 * Math.Sin(window / 4.0))), ("temp_air", 20 + window / 10.0));
        }
    }

    private static async Task PlantAsync(NpgsqlDataSource database, int engines)
    {
        await database.ScalarAsync<object>("SELECT factory.ensure_partition('windows', $1)", Recent);
        await database.ScalarAsync<object>("""
            WITH engine AS (
                INSERT INTO factory.engines (factory_id, engine_id, closed_until)
                SELECT 'factory_' || to_char(n / 100, 'FM000'), 'engine_' || to_char(n % 100, 'FM000'), $1::timestamptz + interval '10 s' FROM generate_series(0, $2 - 1) AS n
                RETURNING engine_no),
            written AS (
                INSERT INTO factory.windows (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at, metric)
                SELECT engine_no, 0, $1, $1::timestamptz + interval '10 s', 10, 250, 24, 27, 3, now(), metric
                FROM engine, unnest('{temp_air,temp_oil,temp_exhaust,vibration,pressure_1,pressure_2,rpm}'::text[]) AS metric
                RETURNING 1)
            SELECT count(*) FROM written
            """, Recent, engines);
    }

    private async Task<IPage> OpenAsync(RunningDashboard dashboard)
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync(dashboard.Address.ToString());
        return page;
    }

    private static async Task ChooseAsync(IPage page, string picker, string option)
    {
        await page.GetByLabel(picker, new() { Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Option, new() { NameString = option, Exact = true }).ClickAsync();
    }
}
