using FactoryStream.Contracts;
using FactoryStream.Storage;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;
using Npgsql;

namespace FactoryStream.Tests.Browser;

[Collection(BrowserTests.Name)]
public sealed class PipelinePageTests(PostgresFixture postgres, BrowserFixture browser)
{
    private const string Hostile = "<img src=x onerror=window.isMarkup=true>";

    [SkippableFact]
    public async Task A_person_sees_the_flow_move()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}reconciliation");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { NameString = "Where readings are on their way" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { NameString = "Pipeline", Exact = true })).ToBeVisibleAsync();
        await Assertions
            .Expect(page.Locator("header [role=status]"))
            .ToHaveTextAsync("0 messages of readings.signed are not in the database yet.");

        await PipelineTests.PutAsync(dashboard, TopicNames.Signed, 2, "one", "two");

        await Assertions
            .Expect(page.Locator("header [role=status]"))
            .ToHaveTextAsync("2 messages of readings.signed are not in the database yet.");
        var first = page.GetByRole(AriaRole.Table, new() { NameString = "Partitions" }).Locator("tbody tr").First;
        await Assertions.Expect(first).ToContainTextAsync("readings.signed");
        await Assertions.Expect(first.Locator("td").Last).ToHaveTextAsync("2");
        await Assertions.Expect(page.Locator(".flow .topic").First).ToContainTextAsync("lag 2");
        await Assertions
            .Expect(page.GetByRole(AriaRole.Table, new() { NameString = "Verdicts" }).Locator("tbody tr").Last)
            .ToContainTextAsync("bad_signature");
        await Assertions
            .Expect(page.GetByRole(AriaRole.Table, new() { NameString = "Largest tables" }))
            .ToContainTextAsync("engine_windows");
        await page.SetViewportSizeAsync(1440, 2_300);
        await Picture.TakeBothAsync(page, "pipeline");
        await page.SetViewportSizeAsync(390, 844);
        // What is wider scrolls by itself.
        var wide = await page.EvaluateAsync<string[]>(
            "[...document.querySelectorAll('body *')].filter(one => !one.closest('.scroll') && !one.closest('.rz-popup') "
                + "&& one.getBoundingClientRect().right > window.innerWidth).map(one => one.outerHTML.slice(0, 120))"
        );
        Assert.Empty(wide);
        await Picture.TakeAsync(page, "pipeline-phone");
    }

    [SkippableFact]
    public async Task What_a_machine_sent_is_shown_as_text()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        await PipelineTests.PutAsync(dashboard, TopicNames.Signed, 0, "first", Hostile, new string('x', 5_000));
        var page = await OpenAsync(dashboard);

        await page.GetByLabel("How many, at most 100").First.FillAsync("2");
        await page.GetByLabel("How many, at most 100").First.PressAsync("Tab");
        var button = page.GetByRole(AriaRole.Button, new() { NameString = "Show messages" });
        await button.ClickAsync();
        // Asked again while the first answer is on its way.
        await button.EvaluateAsync("button => { for (let i = 0; i < 3; i++) button.click(); }");

        var rows = page.GetByRole(AriaRole.Table, new() { NameString = "Newest messages" }).Locator("tbody tr");
        await Assertions.Expect(rows).ToHaveCountAsync(2);
        await Assertions.Expect(rows.First).ToContainTextAsync("x… (5,000 bytes)");
        await Assertions.Expect(rows.Last.Locator("pre")).ToHaveTextAsync(Hostile);
        await Assertions.Expect(rows.Last).ToContainTextAsync("reason: <b>no</b>");
        Assert.True(await page.EvaluateAsync<bool>("window.isMarkup === undefined"));
        await page.SetViewportSizeAsync(1440, 2_300);
        await Picture.TakeAsync(page, "pipeline-messages");
        await page.GetByLabel("Partition", new() { Exact = true }).FillAsync("7");
        await page.GetByLabel("Partition", new() { Exact = true }).PressAsync("Tab");
        await button.ClickAsync();
        await Assertions.Expect(page.GetByText("There is no such partition; the topic has 3, numbered from 0.")).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task A_person_reads_the_last_rows_of_a_table()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        var page = await OpenAsync(dashboard);
        var rows = page.GetByRole(AriaRole.Table, new() { NameString = "Last rows" }).Locator("tbody tr");

        await ShowAsync("rejections");
        await Assertions.Expect(rows).ToHaveCountAsync(1);
        // The line, as hexadecimal digits, and its detail as text.
        await Assertions.Expect(rows.First).ToContainTextAsync("7b7d");
        await Assertions.Expect(rows.First).ToContainTextAsync(Hostile);
        await ShowAsync("engine_windows");
        await Assertions.Expect(rows).ToHaveCountAsync(3);
        await Assertions.Expect(rows.First).ToContainTextAsync("2026-02-25 06:13:30.000000");
        await ShowAsync("losses");
        await Assertions.Expect(page.GetByText("losses has no row yet.")).ToBeVisibleAsync();
        Assert.True(await page.EvaluateAsync<bool>("window.isMarkup === undefined"));

        async Task ShowAsync(string table)
        {
            await page.GetByLabel("Table", new() { Exact = true }).ClickAsync();
            await page.GetByRole(AriaRole.Option, new() { NameString = table, Exact = true }).ClickAsync();
            await page.GetByRole(AriaRole.Button, new() { NameString = "Show rows" }).ClickAsync();
        }
    }

    private async Task<IPage> OpenAsync(RunningDashboard dashboard)
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}pipeline");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        return page;
    }

    private static async Task SeedAsync(NpgsqlDataSource database)
    {
        await Seeds.TwoFactoriesAsync(database);
        await database.RejectAsync(new RejectionEntry(1, Seeds.Start, "f", "bad_signature", false, Hostile, "{}"u8.ToArray(), 1, 0));
    }
}
