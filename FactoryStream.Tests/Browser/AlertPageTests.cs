using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;
using Npgsql;

namespace FactoryStream.Tests.Browser;

/// <summary>The pages of alerts and of their rules, as a shift lead and an operator have them open.</summary>
[Collection(BrowserTests.Name)]
public sealed class AlertPageTests(PostgresFixture postgres, BrowserFixture browser)
{
    private const string Token = "the-operator-token";

    [SkippableFact]
    public async Task A_viewer_sees_what_is_raised_alarms_first_and_no_button_that_changes_anything()
    {
        await using var dashboard = await StartAsync(ThreeAlertsAsync);
        var page = await browser.NewPageAsync();
        await OpenAsync(page, dashboard, "alerts");

        var rows = Raised(page).GetByRole(AriaRole.Row);
        await Assertions.Expect(rows).ToHaveCountAsync(3);
        await Assertions.Expect(rows.Nth(1)).ToContainTextAsync("alarm");
        await Assertions.Expect(rows.Nth(2)).ToContainTextAsync("warning");
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Alerts 2 raised" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Open alert 2" }).First.ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Grid, new() { Name = "Events of the alert" })).ToContainTextAsync("raised");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" })).ToHaveCountAsync(0);
        await Picture.TakeBothAsync(page, "alerts");
        await page.SetViewportSizeAsync(390, 844);
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= 390"));

        await OpenAsync(page, dashboard, "alerts/rules");
        await Assertions.Expect(page.GetByText("There is no rule, so no alert is raised.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
    }

    [SkippableFact]
    public async Task An_alert_shows_on_an_open_page_when_it_is_raised_and_leads_to_its_engine_at_that_time()
    {
        await using var dashboard = await StartAsync(Seeds.TwoFactoriesAsync);
        var page = await browser.NewPageAsync();
        await OpenAsync(page, dashboard, "alerts");
        await Assertions.Expect(page.GetByText("No alert is raised.")).ToBeVisibleAsync();
        await page.EvaluateAsync("window.isTheSamePage = true");

        await dashboard.Database.AlertAsync(1, "factory_a", 1, "raised", "alarm", Seeds.Start.AddSeconds(10));

        await Assertions.Expect(Raised(page).GetByRole(AriaRole.Row)).ToHaveCountAsync(2);
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Alerts 1 raised" })).ToBeVisibleAsync();
        Assert.True(await page.EvaluateAsync<bool>("window.isTheSamePage === true"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Read again" }).ClickAsync();
        await Assertions.Expect(History(page).GetByRole(AriaRole.Row)).ToHaveCountAsync(2);

        await Raised(page).GetByRole(AriaRole.Link, new() { Name = "e1" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("e1, factory_a");
        await Assertions.Expect(page.GetByText("2026-02-25 06:03:30 to 2026-02-25 06:18:30")).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task The_history_is_filtered_while_an_answer_is_on_its_way()
    {
        await using var dashboard = await StartAsync(ThreeAlertsAsync);
        var page = await browser.NewPageAsync();
        await OpenAsync(page, dashboard, "alerts");
        var rows = History(page).GetByRole(AriaRole.Row);
        await Assertions.Expect(rows).ToHaveCountAsync(4);

        await page.GetByLabel("Factory", new() { Exact = true }).FillAsync("factory_a");
        await page.GetByLabel("Factory", new() { Exact = true }).PressAsync("Tab");
        await page.GetByLabel("Factory", new() { Exact = true })
            .EvaluateAsync("box => { for (let i = 0; i < 5; i++) box.dispatchEvent(new Event('change', { bubbles: true })); }");
        await Assertions.Expect(rows).ToHaveCountAsync(3);
        await page.GetByLabel("State", new() { Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Option, new() { Name = "cleared", Exact = true }).ClickAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(2);
        await page.GetByLabel("Engine", new() { Exact = true }).FillAsync("e9");
        await page.GetByLabel("Engine", new() { Exact = true }).PressAsync("Tab");

        await Assertions.Expect(page.GetByText("No alert is like this; clear a filter to see others.")).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task An_operator_acknowledges_an_alert_by_name_and_comment_and_others_see_it_at_once()
    {
        await using var dashboard = await StartAsync(ThreeAlertsAsync);
        var viewer = await browser.NewPageAsync();
        await OpenAsync(viewer, dashboard, "alerts");
        var page = await browser.NewPageAsync();
        await SignInAsync(page, dashboard, "alerts", "Alerts");

        await page.GetByRole(AriaRole.Button, new() { Name = "Open alert 2" }).First.ClickAsync();
        await page.GetByLabel("Comment").FillAsync("on my way");
        await page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" }).ClickAsync();

        var events = page.GetByRole(AriaRole.Grid, new() { Name = "Events of the alert" });
        await Assertions.Expect(events).ToContainTextAsync("on my way");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" })).ToHaveCountAsync(0);
        await Assertions.Expect(Raised(viewer).GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("operator token");
        Assert.Equal(
            ["2|operator token|on my way"],
            await dashboard.Database.RowsAsync("SELECT alert_no, by, comment FROM factory.alert_events WHERE event = 'acknowledged'")
        );
    }

    [SkippableFact]
    public async Task An_operator_makes_changes_turns_off_and_deletes_a_rule()
    {
        await using var dashboard = await StartAsync();
        var page = await browser.NewPageAsync();
        await SignInAsync(page, dashboard, "alerts/rules", "Alert rules");

        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("too hot");
        await page.GetByLabel("Metric", new() { Exact = true }).FillAsync("temp_oil");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the rule" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("expected a number, found null");
        await Assertions.Expect(page.Locator("#limit-error")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByLabel("Limit", new() { Exact = true })).ToHaveAttributeAsync("aria-describedby", "limit-error");
        await page.GetByLabel("Limit", new() { Exact = true }).FillAsync("95");
        await page.GetByLabel("Seconds beyond the limit").FillAsync("30");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the rule" }).ClickAsync();
        await Assertions.Expect(Cell(page, "mean of temp_oil above 95 for 30 s")).ToBeVisibleAsync();
        await Picture.TakeAsync(page, "alert-rules");

        await page.GetByRole(AriaRole.Button, new() { Name = "Change too hot" }).ClickAsync();
        // With the button's words the fields have the rule's values; what is written before is written over.
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Save the change" })).ToBeVisibleAsync();
        await page.GetByLabel("Factory", new() { Exact = true }).FillAsync("factory_a");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save the change" }).ClickAsync();
        await Assertions.Expect(Cell(page, "factory_a")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Turn off too hot" }).ClickAsync();
        await Assertions.Expect(Cell(page, "no")).ToBeVisibleAsync();
        Assert.Equal(
            ["too hot|threshold|factory_a|temp_oil|above|mean|95|30|warning|False|3"],
            await dashboard.Database.RowsAsync(
                """
                SELECT name, kind, factory_id, metric, comparison, statistic, "limit", duration, severity, is_enabled, version
                FROM factory.alert_rules
                """
            )
        );

        await page.GetByRole(AriaRole.Button, new() { Name = "Delete too hot" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete for good" }).ClickAsync();
        await Assertions.Expect(page.GetByText("There is no rule, so no alert is raised.")).ToBeVisibleAsync();
        Assert.Empty(await dashboard.Database.RowsAsync("SELECT rule_no FROM factory.alert_rules"));
    }

    [SkippableFact]
    public async Task An_operator_makes_a_rule_of_what_is_unusual_for_an_engine()
    {
        await using var dashboard = await StartAsync();
        var page = await browser.NewPageAsync();
        await SignInAsync(page, dashboard, "alerts/rules", "Alert rules");

        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("unusual");
        await page.GetByLabel("Kind", new() { Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Option, new() { Name = "unusual for this engine", Exact = true }).ClickAsync();
        await Assertions.Expect(page.GetByText("Each engine is compared with its own last hour.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByLabel("Metric", new() { Exact = true })).ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByLabel("Limit of the anomaly score")).ToHaveValueAsync("1");
        await page.GetByLabel("Seconds beyond the limit").FillAsync("30");
        await Picture.TakeAsync(page, "alert-rule-anomaly");
        await page.SetViewportSizeAsync(390, 844);
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= 390"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the rule" }).ClickAsync();

        await Assertions.Expect(Cell(page, "unusual for this engine: anomaly score above 1 for 30 s")).ToBeVisibleAsync();
        Assert.Equal(
            ["unusual|anomaly|||1|30"],
            await dashboard.Database.RowsAsync("SELECT name, kind, factory_id, metric, \"limit\", duration FROM factory.alert_rules")
        );
    }

    [SkippableFact]
    public async Task Who_has_not_signed_in_is_not_told_how_many_alerts_there_are()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            ThreeAlertsAsync,
            "--Dashboard:Access:ReadToken=the-read-token"
        );
        var page = await browser.NewPageAsync();

        await page.GotoAsync($"{dashboard.Address}sign-in");

        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Alerts", Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("2 raised")).ToHaveCountAsync(0);
    }

    private static ILocator Raised(IPage page) => page.GetByRole(AriaRole.Grid, new() { Name = "Raised alerts" });

    private static ILocator History(IPage page) => page.GetByRole(AriaRole.Grid, new() { Name = "History of alerts" });

    private static ILocator Cell(IPage page, string text) => page.GetByRole(AriaRole.Gridcell, new() { Name = text, Exact = true });

    /// <summary>1: a warning, of the whole factory_b; 2: a later found and older alarm of e1; 3: a cleared one of e1.</summary>
    private static async Task ThreeAlertsAsync(NpgsqlDataSource database)
    {
        await Seeds.TwoFactoriesAsync(database);
        await database.AlertAsync(1, "factory_b", null, "raised", "warning", Seeds.Start.AddSeconds(20));
        await database.AlertAsync(2, "factory_a", 1, "raised", "alarm", Seeds.Start.AddSeconds(10));
        await database.AlertAsync(3, "factory_a", 1, "cleared", "warning", Seeds.Start);
        await database.RowsAsync("UPDATE factory.alerts SET metric = 'temp_oil'");
    }

    private Task<RunningDashboard> StartAsync(Func<NpgsqlDataSource, Task>? seed = null) =>
        RunningDashboard.StartAsync(postgres, seed, $"--Dashboard:Access:OperatorToken={Token}");

    private static async Task OpenAsync(IPage page, RunningDashboard dashboard, string address)
    {
        await page.GotoAsync($"{dashboard.Address}{address}");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
    }

    private static async Task SignInAsync(IPage page, RunningDashboard dashboard, string address, string title)
    {
        await page.GotoAsync($"{dashboard.Address}sign-in?return=/{address}");
        await page.GetByLabel("Token").FillAsync(Token);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync(title);
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
    }
}
