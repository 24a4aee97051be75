using System.Collections.Concurrent;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

[Collection(BrowserTests.Name)]
public sealed class ContentSecurityTests(PostgresFixture postgres, BrowserFixture browser)
{
    [SkippableFact]
    public async Task No_page_does_what_its_policy_forbids()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);
        var page = await browser.NewPageAsync();
        var forbidden = new ConcurrentQueue<string>();
        page.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase))
                forbidden.Enqueue($"{page.Url}: {message.Text}");
        };

        foreach (
            var path in (string[])
                [
                    "",
                    "engines",
                    "pipeline",
                    "reconciliation",
                    "rejections",
                    "alerts",
                    "alerts/rules",
                    "keys",
                    "units",
                    "kiosk",
                    "sign-in",
                    "engines/factory_a/e1",
                ]
        )
        {
            await page.GotoAsync($"{dashboard.Address}{path}");
            await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        }
        await page.GotoAsync($"{dashboard.Address}openapi");
        await page.Locator("#operations-Dashboard-GetWindows").ClickAsync();
        await Assertions.Expect(page.GetByText("engine_id").First).ToBeVisibleAsync();
        await Picture.TakeAsync(page, "openapi");
        await page.GotoAsync($"{dashboard.Address}rejections");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await page.GetByLabel("Reason", new() { Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Option, new() { NameString = "bad_signature", Exact = true }).ClickAsync();
        await page.Locator(".rz-datepicker-trigger").First.ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog, new() { NameString = "Date picker" })).ToBeVisibleAsync();

        Assert.True(forbidden.IsEmpty, string.Join("\n", forbidden));
        // That the policy is in force: what it forbids is seen.
        await page.EvaluateAsync("document.body.setAttribute('onclick', 'window.isRun = true')");
        await page.EvaluateAsync("document.body.click()");
        Assert.True(await page.EvaluateAsync<bool>("window.isRun === undefined"));
        await RunningSystem.EventuallyAsync(() => Task.FromResult(forbidden.Count), count => count > 0);
    }

    [SkippableFact]
    public async Task Every_answer_has_the_headers_once()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        foreach (var path in (string[])["/", "/sign-in", "/api/books", "/api/windows?limit=0", "/nothing", "/app.css", "/health", "/ws"])
        {
            using var response = await dashboard.Client.GetAsync(path);
            var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("script-src 'self' 'unsafe-inline'", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("same-origin", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
        }
    }
}
