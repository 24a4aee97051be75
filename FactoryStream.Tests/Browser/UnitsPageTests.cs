using System.Net.Http.Headers;
using System.Net.Http.Json;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;
using Npgsql;

namespace FactoryStream.Tests.Browser;

/// <summary>Where people say what metrics are measured in, and where it shows.</summary>
[Collection(BrowserTests.Name)]
public sealed class UnitsPageTests(PostgresFixture postgres, BrowserFixture browser)
{
    private const string Token = "the-operator-token";

    [SkippableFact]
    public async Task An_operator_finds_a_metric_describes_it_and_deletes_what_was_said()
    {
        await using var dashboard = await StartAsync(async database =>
            await database.KnowAsync(await database.EngineAsync("f", "e"), "rpm", "temp_air", "temp_oil")
        );
        var page = await SignInAsync(dashboard);
        await OpenAsync(page, dashboard, "units");
        var rows = page.GetByRole(AriaRole.Grid, new() { Name = "Metrics" }).GetByRole(AriaRole.Row);
        await Assertions.Expect(rows).ToHaveCountAsync(4);
        await page.GetByLabel("Find a metric").PressSequentiallyAsync("OIL");
        await Assertions.Expect(rows).ToHaveCountAsync(2);

        await Button(page, "Change temp_oil").ClickAsync();
        await page.GetByLabel("Unit of temp_oil").FillAsync("°C");
        await page.GetByLabel("Unit of temp_oil").PressAsync("Tab");
        await page.GetByLabel("Description of temp_oil").FillAsync("<b>before</b> the cooler");
        await page.GetByLabel("Description of temp_oil").PressAsync("Tab");
        await Button(page, "Save temp_oil").ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("temp_oil is described.");
        await Assertions.Expect(rows.Nth(1)).ToContainTextAsync("°C");
        await Assertions.Expect(rows.Nth(1)).ToContainTextAsync("<b>before</b> the cooler");
        await Assertions.Expect(rows.Nth(1)).ToContainTextAsync("operator token");
        await Picture.TakeBothAsync(page, "units");

        await Button(page, "Delete what is said of temp_oil").ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("What was said of temp_oil is deleted.");
        await Assertions.Expect(rows.Nth(1)).ToContainTextAsync("nobody");
        Assert.Equal(
            ["metric_described", "metric_description_deleted"],
            await dashboard.Database.RowsAsync("SELECT action FROM factory.audit_events ORDER BY event_no")
        );
        await page.GetByLabel("Find a metric").FillAsync("nothing like this");
        await Assertions.Expect(page.GetByText("No metric has “nothing like this” in its name")).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task Who_changes_what_another_has_changed_meanwhile_is_told_so()
    {
        await using var dashboard = await StartAsync(DescribedAsync);
        var page = await SignInAsync(dashboard);
        await OpenAsync(page, dashboard, "units");
        await Button(page, "Change rpm").ClickAsync();
        await DescribeAsync(dashboard, "rpm", new { unit = "Hz", version = 1 });

        await page.GetByLabel("Unit of rpm").FillAsync("rad/s");
        await page.GetByLabel("Unit of rpm").PressAsync("Tab");
        await Button(page, "Save rpm").ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Somebody else has described rpm meanwhile");
        var row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "rpm" });
        await Assertions.Expect(row).ToContainTextAsync("Hz");
    }

    [SkippableFact]
    public async Task A_viewer_sees_units_on_a_phone_and_changes_nothing_and_an_empty_page_says_what_comes()
    {
        await using var dashboard = await StartAsync();
        var page = await browser.NewPageAsync(ColorScheme.Dark);
        await OpenAsync(page, dashboard, "units");
        await Assertions.Expect(page.GetByText("No engine has sent a metric yet.")).ToBeVisibleAsync();

        await dashboard.Database.KnowAsync(await dashboard.Database.EngineAsync("f", "e"), "rpm");
        await page.SetViewportSizeAsync(390, 844);
        await OpenAsync(page, dashboard, "units");

        await Assertions.Expect(page.GetByRole(AriaRole.Grid, new() { Name = "Metrics" })).ToContainTextAsync("rpm");
        await Assertions.Expect(page.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= 390"));
        await Picture.TakeAsync(page, "units-phone");
    }

    [SkippableFact]
    public async Task A_unit_shows_wherever_its_metric_does()
    {
        await using var dashboard = await StartAsync(DescribedAsync);
        var page = await SignInAsync(dashboard);

        await OpenAsync(page, dashboard, "");
        var tile = page.Locator(".tile").Filter(new() { HasText = "engine_b2" });
        await Assertions.Expect(tile).ToContainTextAsync("222 1/min rpm");
        await Assertions.Expect(page.GetByLabel("Metric", new() { Exact = true })).ToContainTextAsync("rpm (1/min)");
        await Picture.TakeAsync(page, "units-plant");
        await OpenAsync(page, dashboard, "kiosk?metric=rpm");
        await Assertions.Expect(page.Locator(".tile").Filter(new() { HasText = "engine_b2" })).ToContainTextAsync("222 1/min rpm");

        await OpenAsync(page, dashboard, "engines");
        var header = page.GetByRole(AriaRole.Columnheader, new() { Name = "rpm (1/min)" });
        await Assertions.Expect(header.GetByTitle("of the shaft")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "rpm (1/min) of engine_a1" })).ToBeVisibleAsync();
        await Assertions
            .Expect(page.GetByRole(AriaRole.Img, new() { Name = "rpm of engine_a1 in factory_a" }))
            .ToHaveAccessibleNameAsync(new System.Text.RegularExpressions.Regex("last mean 3,000 1/min$"));

        await OpenAsync(page, dashboard, "alerts");
        await Assertions.Expect(page.GetByText("rpm 3500 1/min").First).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("rpm 7 1/min/s").First).ToBeVisibleAsync();
        await OpenAsync(page, dashboard, "alerts/rules");
        await Assertions.Expect(page.GetByText("mean of rpm above 3200 1/min for 30 s")).ToBeVisibleAsync();
        await page.GetByLabel("Metric", new() { Exact = true }).FillAsync("rpm");
        await page.GetByLabel("Metric", new() { Exact = true }).PressAsync("Tab");
        await Assertions.Expect(page.GetByLabel("Limit, in 1/min")).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task A_chart_that_is_open_tells_its_unit_as_soon_as_somebody_says_it()
    {
        await using var dashboard = await StartAsync(PlantSeeds.FourEnginesAsync);
        var page = await browser.NewPageAsync();
        await OpenAsync(page, dashboard, "engines/factory_b/engine_b2?metric=rpm");
        await Assertions.Expect(page.GetByRole(AriaRole.Img, new() { Name = "rpm: last mean 222, " })).ToBeVisibleAsync();

        await DescribeAsync(dashboard, "rpm", new { unit = "1/min", description = "of the shaft" });
        await dashboard.Database.CloseAsync(4, PlantSeeds.Recent, ("rpm", 777), ("temp_air", 20));

        var chart = page.GetByRole(AriaRole.Img, new() { Name = "rpm (1/min): last mean 777 1/min, least" });
        await Assertions.Expect(chart).ToBeVisibleAsync();
        await Assertions
            .Expect(page.GetByRole(AriaRole.Heading, new() { Name = "rpm (1/min)" }))
            .ToHaveAttributeAsync("title", "of the shaft");
        // A tooltip is of what is near the pointer.
        var line = (await chart.Locator("path[style*='--line-colour'], path[stroke*='--line-colour']").First.BoundingBoxAsync())!;
        for (var y = line.Y; y <= line.Y + line.Height; y += 8)
            await page.Mouse.MoveAsync(line.X + line.Width / 2, y);
        await Assertions.Expect(page.Locator(".rz-chart-tooltip").First).ToContainTextAsync("1/min");
        await Picture.TakeAsync(page, "units-engine");
    }

    private static async Task DescribedAsync(NpgsqlDataSource database)
    {
        await PlantSeeds.FourEnginesAsync(database);
        await database.KnowAsync(1, "rpm", "temp_air");
        await database.RowsAsync(
            """
            INSERT INTO factory.metrics (name, unit, description, updated_by) VALUES ('rpm', '1/min', 'of the shaft', 'Ann');
            INSERT INTO factory.alert_rules (name, kind, metric, comparison, statistic, "limit", duration, severity, is_enabled, created_at,
                updated_at)
            VALUES ('fast', 'threshold', 'rpm', 'above', 'mean', 3200, 30, 'warning', true, now(), now());
            INSERT INTO factory.alerts (rule_no, name, kind, severity, factory_id, engine_no, metric, state, raised_at, raised_recorded_at,
                value)
            VALUES (1, 'fast', 'threshold', 'warning', 'factory_a', 1, 'rpm', 'raised', now(), now(), 3500),
                (2, 'faster', 'rate_of_change', 'warning', 'factory_a', 1, 'rpm', 'raised', now(), now(), 7)
            """
        );
    }

    private static async Task DescribeAsync(RunningDashboard dashboard, string metric, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/metrics/{metric}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        request.Content = JsonContent.Create(body);
        using var response = await dashboard.Client.SendAsync(request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private Task<RunningDashboard> StartAsync(Func<NpgsqlDataSource, Task>? seed = null) =>
        RunningDashboard.StartAsync(postgres, seed, $"--Dashboard:Access:OperatorToken={Token}");

    private async Task<IPage> SignInAsync(RunningDashboard dashboard)
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}sign-in?return=/units");
        await page.GetByLabel("Token").FillAsync(Token);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Metrics and their units");
        return page;
    }

    private static async Task OpenAsync(IPage page, RunningDashboard dashboard, string address)
    {
        await page.GotoAsync($"{dashboard.Address}{address}");
        // Until then it is the page's first, static form, which answers no click.
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync(new() { Timeout = 30_000 });
    }

    private static ILocator Button(IPage page, string name) => page.GetByRole(AriaRole.Button, new() { NameString = name, Exact = true });
}
