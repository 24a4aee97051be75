using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

/// <summary>The Dashboard under a path of a site that is not its own.</summary>
[Collection(BrowserTests.Name)]
public sealed class SubPathTests(PostgresFixture postgres, BrowserFixture browser)
{
    [SkippableFact]
    public async Task A_person_signs_in_and_goes_from_page_to_page_under_the_path()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            Seeds.TwoFactoriesAsync,
            "--Dashboard:Access:PathBase=/factorystream",
            "--Dashboard:Access:ReadToken=read"
        );
        var page = await browser.NewPageAsync();
        var outside = new List<string>();
        page.Request += (_, request) =>
        {
            if (!new Uri(request.Url).AbsolutePath.StartsWith("/factorystream/", StringComparison.Ordinal))
                outside.Add(request.Url);
        };

        await page.GotoAsync($"{dashboard.Address}factorystream/engines");
        await page.GetByLabel("Token").FillAsync("read");
        await page.GetByRole(AriaRole.Button, new() { NameString = "Sign in" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { NameString = "e1" }).First.ClickAsync();
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/factorystream/engines/factory_[ab]/e1"));
        foreach (var link in (string[])["Pipeline", "Reconciliation", "Rejections", "Alerts", "Keys", "Plant"])
        {
            await page.Locator("nav").GetByRole(AriaRole.Link, new() { NameString = link }).ClickAsync();
            await Assertions.Expect(page.Locator("nav a.active").First).ToContainTextAsync(link);
            await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        }
        await page.Locator("nav").GetByRole(AriaRole.Link, new() { NameString = "API" }).ClickAsync();
        await Assertions.Expect(page.Locator("#operations-Dashboard-GetWindows")).ToBeVisibleAsync();

        Assert.Empty(outside);
    }

    [SkippableFact]
    public async Task What_is_made_by_the_API_is_said_to_stand_under_the_path()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            null,
            "--Dashboard:Access:PathBase=/factorystream",
            "--Dashboard:Access:AdminToken=administer"
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, "/factorystream/api/webhooks");
        request.Headers.Add("Authorization", "Bearer administer");
        request.Content = new StringContent("""{"url":"https://hooks.example.org/alerts"}""", null, "application/json");

        using var response = await dashboard.Client.SendAsync(request);

        Assert.Equal("/factorystream/api/webhooks/1", response.Headers.Location?.OriginalString);
    }

    [SkippableFact]
    public async Task A_known_proxy_that_takes_the_path_off_tells_it()
    {
        await using var known = await RunningDashboard.StartAsync(postgres, null, "--Dashboard:Access:KnownProxies:0=127.0.0.1");
        await using var unknown = await RunningDashboard.StartAsync(postgres, null, "--Dashboard:Access:ReadToken=read");

        Assert.Contains("<base href=\"/plant-7/\"", await ForwardedAsync(known), StringComparison.Ordinal);
        Assert.Contains("<base href=\"/\"", await ForwardedAsync(unknown), StringComparison.Ordinal);

        static async Task<string> ForwardedAsync(RunningDashboard dashboard)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/sign-in");
            request.Headers.Add("X-Forwarded-Prefix", "/plant-7");
            using var response = await dashboard.Client.SendAsync(request);
            return await response.Content.ReadAsStringAsync();
        }
    }
}
