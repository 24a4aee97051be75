using System.Net;
using System.Text.Json;
using Aspire.Hosting.Testing;
using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.AspireDashboard;
using FactoryStream.Signatures;
using FactoryStream.Tests.Browser;
using FactoryStream.Tests.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Playwright;

namespace FactoryStream.Tests.LocalHosting.AspireDashboard;

/// <summary>The whole system with the real Aspire dashboard; <see cref="Missing"/> where npm cannot fetch that.</summary>
public sealed class ObservedPlant : IAsyncLifetime
{
    private Plant? plant;

    internal Plant Plant => plant ?? throw new InvalidOperationException("not started");

    internal DashboardResource Dashboard => Plant.App.Services.GetRequiredService<DashboardResource>();

    /// <summary>Why there is no dashboard; null when there is one.</summary>
    public string? Missing { get; private set; }

    public async Task InitializeAsync()
    {
        plant = await Plant.StartAsync("--aspire-dashboard=true");
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        var settled = await plant.App.ResourceNotifications.WaitForResourceAsync(
            DashboardResource.ResourceName, change => change.Snapshot.HealthStatus == HealthStatus.Healthy || change.Snapshot.State?.Text == KnownResourceStates.FailedToStart, timeout.Token);
        if (settled.Snapshot.State?.Text != KnownResourceStates.FailedToStart)
            return;
        await foreach (var lines in plant.App.Services.GetRequiredService<ResourceLoggerService>().GetAllAsync(settled.ResourceId))
        {
            var why = lines[^1].Content;
            // Anything else is not the machine's fault.
            Assert.Contains("npm", why, StringComparison.Ordinal);
            Missing = $"no Aspire dashboard on this machine: {why}";
        }
    }

    public async Task DisposeAsync()
    {
        if (plant is not null)
            await plant.DisposeAsync();
    }
}

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ObservedTests : ICollectionFixture<ObservedPlant>
{
    public const string Name = "observed";
}

[Collection(ObservedTests.Name)]
public sealed class RealDashboardTests(ObservedPlant observed, BrowserFixture browser) : IClassFixture<BrowserFixture>
{
    private readonly Plant plant = observed.Plant;

    [SkippableFact]
    public async Task Who_has_the_link_gets_in_and_nobody_else()
    {
        Skip.If(observed.Missing is not null, observed.Missing);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { BaseAddress = new Uri(observed.Dashboard.Url), Timeout = Plant.Patience };

        using var stranger = await client.GetAsync("/");
        using var guest = await client.GetAsync(observed.Dashboard.LoginLink);

        Assert.Equal((HttpStatusCode.Redirect, "/login"), (stranger.StatusCode, stranger.Headers.Location!.IsAbsoluteUri ? stranger.Headers.Location.AbsolutePath : stranger.Headers.Location.OriginalString.Split('?')[0]));
        Assert.Contains(guest.Headers, header => header.Key == "Set-Cookie");
    }

    [SkippableFact]
    public async Task One_trace_leads_from_the_post_through_kafka_to_the_transaction()
    {
        Skip.If(observed.Missing is not null, observed.Missing);
        using var signer = ReadingSigner.Create();
        await plant.EnrolAsync("seen", signer.ExportPublicKeyPem());
        var (status, _) = await plant.PostAsync(Plant.Sign(signer, "seen", "e1", new DateTime(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc), 1));
        Assert.Equal(202, status);
        await plant.SettledAsync("seen", 1);

        // Each service sends its spans once a second, in its own time.
        string[] steps = ["aggregator: commit factory", "ingest: POST /readings", "ingest: send readings.signed", "verifier: process readings.signed", "verifier: send readings.verified"];
        var trace = await Plant.EventuallyAsync(
            async () => (await SpansAsync()).GroupBy(span => span.TraceId).Select(spans => spans.ToArray()).FirstOrDefault(spans => spans.Any(span => span is { Service: "ingest", Name: "POST /readings" })) ?? [],
            spans => steps.Except(spans.Select(span => $"{span.Service}: {span.Name}")).FirstOrDefault() is null && spans.Any(span => span is { Service: "aggregator", Database: true }));

        var page = await browser.NewPageAsync();
        await page.GotoAsync(observed.Dashboard.LoginLink);
        await page.GotoAsync($"{observed.Dashboard.Url}/traces/detail/{trace[0].TraceId}");
        await Assertions.Expect(page.GetByText("commit factory").First).ToBeVisibleAsync();

        // Where the dashboard finds kafka and postgres by: the addresses of the resources.
        var kafka = await plant.App.GetConnectionStringAsync("kafka");
        Assert.All(trace.Where(span => span.Name.StartsWith("send ", StringComparison.Ordinal)), span => Assert.Equal(kafka, span.Server));
    }

    [SkippableFact]
    public async Task The_page_lists_every_resource_and_stops_and_starts_one()
    {
        Skip.If(observed.Missing is not null, observed.Missing);
        var page = await browser.NewPageAsync();
        await page.GotoAsync(observed.Dashboard.LoginLink);

        foreach (var name in (string[])["kafka", "postgres", "factorydb", "migrations", "ingest", "aggregator", "dashboard"])
            await Assertions.Expect(Row(page, $": {name}")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("tr").Filter(new() { Has = page.Locator("td[title*=': verifier-']") })).ToHaveCountAsync(2);
        await Assertions.Expect(Row(page, ": aggregator").Locator("td[title='Running']")).ToBeVisibleAsync();

        await Row(page, ": aggregator").Locator("fluent-button[title='Stop']").ClickAsync();
        await plant.App.ResourceNotifications.WaitForResourceAsync("aggregator", KnownResourceStates.Exited).WaitAsync(Plant.Patience);
        using var signer = ReadingSigner.Create();
        await plant.EnrolAsync("meanwhile", signer.ExportPublicKeyPem());
        Assert.Equal(202, (await plant.PostAsync(Plant.Sign(signer, "meanwhile", "e1", new DateTime(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc), 1))).Status);
        await Row(page, ": aggregator").Locator("fluent-button[title='Start']").ClickAsync();
        await plant.App.ResourceNotifications.WaitForResourceHealthyAsync("aggregator", WaitBehavior.WaitOnResourceUnavailable).WaitAsync(Plant.Patience);
        await Assertions.Expect(Row(page, ": aggregator").Locator("td[title='Running']")).ToBeVisibleAsync();
        var books = await plant.SettledAsync("meanwhile", 1);
        books.AssertBalanced();
        Assert.Equal(1, books.Stored);
    }

    [SkippableFact]
    public async Task The_page_charts_what_the_aggregator_stored()
    {
        Skip.If(observed.Missing is not null, observed.Missing);
        using var signer = ReadingSigner.Create();
        await plant.EnrolAsync("charted", signer.ExportPublicKeyPem());
        await plant.PostAsync(Plant.Sign(signer, "charted", "e1", new DateTime(2026, 1, 5, 0, 0, 0, DateTimeKind.Utc), 1));
        await plant.SettledAsync("charted", 1);
        var page = await browser.NewPageAsync();
        await page.GotoAsync(observed.Dashboard.LoginLink);

        await page.GotoAsync($"{observed.Dashboard.Url}/metrics/resource/aggregator?meter=FactoryStream.Aggregator&instrument=factorystream.aggregator.stored&duration=5&view=Graph");

        await Assertions.Expect(page.GetByText("Readings stored").First).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".js-plotly-plot .scatterlayer path").First).ToBeAttachedAsync();
    }

    [SkippableFact]
    public async Task The_page_shows_a_verifiers_console()
    {
        Skip.If(observed.Missing is not null, observed.Missing);
        var page = await browser.NewPageAsync();
        await page.GotoAsync(observed.Dashboard.LoginLink);
        Assert.True(plant.App.ResourceNotifications.TryGetCurrentState("verifier", out var verifier));

        await page.GotoAsync($"{observed.Dashboard.Url}/consolelogs/resource/{verifier.ResourceId}");
        await Assertions.Expect(page.GetByText("Partitions given to this replica").First).ToBeVisibleAsync();

        plant.App.Services.GetRequiredService<ResourceLoggerService>().Write(verifier.ResourceId, "a line that is written while one looks", isError: false);
        await Assertions.Expect(page.GetByText("a line that is written while one looks")).ToBeVisibleAsync();
    }

    [SkippableFact]
    public async Task A_killed_dashboard_comes_back_by_the_same_link()
    {
        Skip.If(observed.Missing is not null, observed.Missing);
        Assert.True(plant.App.ResourceNotifications.TryGetCurrentState(DashboardResource.ResourceName, out var before));
        var pid = (int)before.Snapshot.Properties.Single(property => property.Name == "executable.pid").Value!;

        SupervisionTests.Kill(pid);

        using var timeout = new CancellationTokenSource(Plant.Patience);
        await plant.App.ResourceNotifications.WaitForResourceAsync(
            DashboardResource.ResourceName,
            change => change.Snapshot.HealthStatus == HealthStatus.Healthy && change.Snapshot.Properties.Any(property => property.Name == "executable.pid" && property.Value is int now && now != pid),
            timeout.Token);
        var page = await browser.NewPageAsync();
        await page.GotoAsync(observed.Dashboard.LoginLink);
        await Assertions.Expect(Row(page, ": ingest").Locator("td[title='Running']")).ToBeVisibleAsync();
    }

    private static ILocator Row(IPage page, string title) => page.Locator("tr").Filter(new() { Has = page.Locator($"td[title$='{title}']") });

    private async Task<IReadOnlyList<Span>> SpansAsync()
    {
        using var client = new HttpClient { BaseAddress = new Uri(observed.Dashboard.Url), Timeout = Plant.Patience };
        client.DefaultRequestHeaders.Add("x-api-key", observed.Dashboard.ApiKey);
        var answer = JsonDocument.Parse(await client.GetStringAsync("/api/telemetry/traces")).RootElement;
        var spans = new List<Span>();
        foreach (var resource in Of(answer.GetProperty("data"), "resourceSpans"))
        {
            var service = Attributes(resource.GetProperty("resource"))["service.name"];
            foreach (var span in Of(resource, "scopeSpans").SelectMany(scope => Of(scope, "spans")))
            {
                var attributes = Attributes(span);
                spans.Add(new Span(
                    span.GetProperty("traceId").GetString()!, service, span.GetProperty("name").GetString()!,
                    $"{attributes.GetValueOrDefault("server.address")}:{attributes.GetValueOrDefault("server.port")}", attributes.ContainsKey("db.system.name")));
            }
        }
        return spans;

        static IEnumerable<JsonElement> Of(JsonElement element, string name) => element.TryGetProperty(name, out var many) ? many.EnumerateArray() : [];

        static Dictionary<string, string> Attributes(JsonElement element) =>
            Of(element, "attributes").ToDictionary(attribute => attribute.GetProperty("key").GetString()!, attribute => attribute.GetProperty("value").EnumerateObject().First().Value.ToString());
    }

    private sealed record Span(string TraceId, string Service, string Name, string Server, bool Database);
}
