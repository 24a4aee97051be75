using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using FactoryStream.Signatures;
using FactoryStream.Tests.Distributed;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

/// <summary>What a user does on the Aspire dashboard that comes with the AppHost.</summary>
public sealed class AspireDashboardTests(ObservedAppHost appHost, BrowserFixture browser)
    : IClassFixture<ObservedAppHost>,
        IClassFixture<BrowserFixture>
{
    private const string Running = "td[title='Running']";

    [SkippableFact]
    public async Task Only_the_login_link_opens_the_Aspire_dashboard()
    {
        Skip.If(appHost.Missing is not null, appHost.Missing);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { BaseAddress = appHost.Dashboard, Timeout = RunningSystem.Patience };

        using var stranger = await client.GetAsync("/");
        using var guest = await client.GetAsync(appHost.LoginLink);

        Assert.Equal(HttpStatusCode.Redirect, stranger.StatusCode);
        Assert.StartsWith("/login", new Uri(appHost.Dashboard, stranger.Headers.Location!).AbsolutePath, StringComparison.Ordinal);
        Assert.Contains(guest.Headers, header => header.Key == "Set-Cookie");
    }

    [SkippableFact]
    public async Task The_page_lists_every_resource_and_stops_and_starts_one()
    {
        var page = await SignedInAsync();
        foreach (var name in (string[])["kafka", "postgres", "factorydb", "migrations", "ingest", "aggregator", "dashboard", "simulator"])
            await Assertions.Expect(Row(page, $": {name}")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("tr").Filter(new() { Has = page.Locator("td[title*=': verifier-']") })).ToHaveCountAsync(2);
        foreach (var link in (string[])["Plant", "Live readings"])
            await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = link, Exact = true })).ToBeVisibleAsync();
        await Assertions.Expect(Row(page, ": aggregator").Locator(Running)).ToBeVisibleAsync();
        await Picture.TakeAsync(page, "aspire-resources");

        await Row(page, ": aggregator").Locator("fluent-button[title='Stop resource']").ClickAsync();
        await Assertions.Expect(Row(page, ": aggregator").Locator("fluent-button[title='Start resource']")).ToBeVisibleAsync();
        var stopped = (await LedgerAsync()).Stored;
        await Row(page, ": aggregator").Locator("fluent-button[title='Start resource']").ClickAsync();
        await Assertions.Expect(Row(page, ": aggregator").Locator(Running)).ToBeVisibleAsync();

        // The simulator has gone on: what it sent meanwhile is stored, too.
        var ledger = await RunningSystem.EventuallyAsync(LedgerAsync, ledger => ledger.Stored > stopped + 60);
        Assert.Equal(ledger.Accepted, ledger.Stored + ledger.Duplicates + ledger.Rejected + ledger.Backlog);
    }

    [SkippableFact]
    public async Task One_trace_leads_from_the_post_through_kafka_to_the_transaction()
    {
        Skip.If(appHost.Missing is not null, appHost.Missing);
        using var signer = ReadingSigner.Create();
        var page = await SignedInAsync();
        // Nobody has a key of that factory: it is rejected, and that is stored, all in this trace.
        string[] steps =
        [
            "^ingest: .*POST",
            "^ingest: MSG kafka readings.signed",
            "^verifier.*: MSG kafka readings.signed",
            "^verifier.*: MSG kafka readings.verified",
            "^aggregator: commit factory",
        ];
        // A machine that runs all tests at once may lose a batch of spans, as telemetry may; a person posts again. Nor does the page look
        // again by itself for a trace that had not come when it was opened.
        await RunningSystem.EventuallyAsync(
            async () =>
            {
                var trace = await PostTracedAsync(signer);
                var missing = steps.ToList();
                for (var look = 0; look < 10 && missing.Count > 0; look++)
                {
                    await page.GotoAsync(new Uri(appHost.Dashboard, $"/traces/detail/{trace}").ToString());
                    await Assertions
                        .Expect(Step(page, steps[0]).Or(page.GetByText($"Trace \"{trace}\" not found")).First)
                        .ToBeVisibleAsync();
                    missing.Clear();
                    foreach (var step in steps)
                    {
                        if (!await Step(page, step).IsVisibleAsync())
                            missing.Add(step);
                    }
                }
                return missing;
            },
            missing => missing.Count == 0
        );
        await Picture.TakeAsync(page, "aspire-trace");
    }

    [SkippableFact]
    public async Task The_page_charts_what_the_aggregator_stored()
    {
        var page = await SignedInAsync();
        const string chart =
            "/metrics/resource/aggregator?meter=FactoryStream.Aggregator"
            + "&instrument=factorystream.aggregator.reading.stored&duration=5&view=Graph";
        await page.GotoAsync(new Uri(appHost.Dashboard, chart).ToString());

        await Assertions.Expect(page.GetByText("Readings stored").First).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".js-plotly-plot .scatterlayer path").First).ToBeAttachedAsync();
        await Picture.TakeAsync(page, "aspire-metrics");
    }

    [SkippableFact]
    public async Task Commands_pause_resume_and_change_the_rate_and_the_console_shows_it_live()
    {
        var console = await SignedInAsync();
        await console.GotoAsync(new Uri(appHost.Dashboard, "/consolelogs/resource/simulator").ToString());
        await Assertions.Expect(console.GetByText("Enrolled 10 factories").First).ToBeVisibleAsync();
        var page = await SignedInAsync();

        await CommandAsync(page, "simulator", "Pause");
        await Assertions.Expect(console.GetByText("Paused: no reading is taken until resumed").First).ToBeVisibleAsync();
        await CommandAsync(page, "simulator", "Resume");
        await Assertions.Expect(console.GetByText("Resumed").First).ToBeVisibleAsync();

        await CommandAsync(page, "simulator", "Change rate");
        var dialog = page.Locator("#interactions-input-dialog");
        await dialog.Locator("input").First.FillAsync("101");
        await dialog.GetByText("Change rate").Last.ClickAsync();
        await Assertions.Expect(dialog.GetByText("Expected a number from 0.01 to 100.").First).ToBeVisibleAsync();
        await dialog.Locator("input").First.FillAsync("2");
        await dialog.GetByText("Change rate").Last.ClickAsync();
        await Assertions.Expect(console.GetByText("Each engine measures 2 times a second now").First).ToBeVisibleAsync();
        await Picture.TakeAsync(console, "aspire-console");
    }

    [SkippableFact]
    public async Task Purge_asks_before_it_deletes_everything()
    {
        var page = await SignedInAsync();
        await CommandAsync(page, "simulator", "Pause");
        await RunningSystem.EventuallyAsync(LedgerAsync, ledger => ledger is { Stored: > 0, Backlog: 0 });

        await CommandAsync(page, "aggregator", "Purge data");
        var dialog = page.Locator("fluent-dialog");
        await Assertions.Expect(dialog.GetByText("Delete all readings, windows, alerts, rejections").First).ToBeVisibleAsync();
        await dialog.GetByText("No", new() { Exact = true }).ClickAsync();
        await Assertions.Expect(dialog).ToHaveCountAsync(0);
        Assert.True((await LedgerAsync()).Stored > 0);

        await CommandAsync(page, "aggregator", "Purge data");
        await Assertions.Expect(dialog.GetByText("Delete all readings, windows, alerts, rejections").First).ToBeVisibleAsync();
        await dialog.Locator("fluent-button[appearance=primary]").ClickAsync();
        await RunningSystem.EventuallyAsync(LedgerAsync, ledger => ledger.Stored == 0);
        await CommandAsync(page, "simulator", "Resume");
        await RunningSystem.EventuallyAsync(LedgerAsync, ledger => ledger.Stored > 0);
    }

    [SkippableFact]
    public async Task The_link_of_the_dashboard_leads_to_the_plants_page()
    {
        var page = await SignedInAsync();

        var plant = await page.RunAndWaitForPopupAsync(() =>
            page.GetByRole(AriaRole.Link, new() { Name = "Plant", Exact = true }).ClickAsync()
        );

        // Ten simulated factories of six engines, each with a window closed.
        await Assertions.Expect(plant.GetByText("60 engines")).ToBeVisibleAsync();
        await Assertions.Expect(plant.Locator("[role=img] svg").First).ToBeVisibleAsync();
        await Picture.TakeBothAsync(plant, "plant");
    }

    [SkippableFact]
    public async Task The_graph_shows_which_resource_refers_to_which()
    {
        var page = await SignedInAsync();
        await page.GotoAsync(new Uri(appHost.Dashboard, "/?view=Graph").ToString());
        foreach (var name in (string[])["kafka", "factorydb", "ingest", "aggregator", "dashboard"])
            await Assertions.Expect(page.Locator("svg").GetByText(name, new() { Exact = true }).First).ToBeVisibleAsync();
        await Picture.TakeAsync(page, "aspire-graph");
    }

    private static ILocator Step(IPage page, string name) => page.GetByRole(AriaRole.Row, new() { NameRegex = new(name) }).First;

    /// <summary>Posts a reading of a factory that nobody knows in a trace of its own; the trace's id.</summary>
    private async Task<string> PostTracedAsync(ReadingSigner signer)
    {
        var trace = Convert.ToHexStringLower(Guid.NewGuid().ToByteArray());
        using var client = new HttpClient { BaseAddress = appHost.Ingest, Timeout = RunningSystem.Patience };
        client.DefaultRequestHeaders.Add("traceparent", $"00-{trace}-00f067aa0ba902b7-01");
        using var content = new StringContent(
            RunningSystem.Sign(signer, "unknown_to_all", "e1", new DateTime(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc), 1),
            new MediaTypeHeaderValue("application/x-ndjson")
        );
        using var answer = await client.PostAsync("/readings", content);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return trace;
    }

    private async Task<IPage> SignedInAsync()
    {
        Skip.If(appHost.Missing is not null, appHost.Missing);
        var page = await browser.NewPageAsync();
        await page.GotoAsync(appHost.LoginLink.ToString());
        await Assertions.Expect(Row(page, ": ingest").Locator(Running)).ToBeVisibleAsync();
        return page;
    }

    private async Task CommandAsync(IPage page, string resource, string command)
    {
        // A page of its own for each: the menu of the one before may still be closing.
        await page.GotoAsync(appHost.Dashboard.ToString());
        await Row(page, $": {resource}").Locator("fluent-button[title='Actions']").ClickAsync();
        // Where there are many commands the first that has the text is the item that their menu hangs from, and the last the command.
        var items = page.Locator("fluent-menu-item").Filter(new() { HasText = command });
        await Assertions.Expect(items.First).ToBeVisibleAsync();
        if (await items.CountAsync() > 1)
            await items.First.ClickAsync();
        await items.Last.ClickAsync();
    }

    private static ILocator Row(IPage page, string title) =>
        page.Locator("tr").Filter(new() { Has = page.Locator($"td[title$='{title}']") });

    /// <summary>What all factories together have sent, and what became of it.</summary>
    private async Task<Sums> LedgerAsync()
    {
        using var client = new HttpClient { BaseAddress = appHost.RunningSystem, Timeout = RunningSystem.Patience };
        using var answer = JsonDocument.Parse(await client.GetStringAsync("/api/books"));
        var factories = answer.RootElement.GetProperty("factories").EnumerateArray().ToArray();
        var rejected = factories.Sum(factory => factory.GetProperty("rejected").EnumerateObject().Sum(reason => reason.Value.GetInt64()));
        return new(Sum("accepted"), Sum("stored"), Sum("duplicates"), rejected, Sum("backlog"));

        long Sum(string name) => factories.Sum(factory => factory.GetProperty(name).GetInt64());
    }

    private readonly record struct Sums(long Accepted, long Stored, long Duplicates, long Rejected, long Backlog);
}
