using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using FactoryStream.Storage;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

/// <summary>What axe-core finds on the pages: nothing that keeps somebody from using them.</summary>
[Collection(BrowserTests.Name)]
public sealed class AccessibilityTests(PostgresFixture postgres, BrowserFixture browser)
{
    private static readonly AxeRunOptions OfColours = new() { RunOnly = RunOnlyOptions.Rules("color-contrast") };

    [SkippableFact]
    public async Task No_page_has_a_serious_issue_in_light_or_dark()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
            {
                await Seeds.TwoFactoriesAsync(database);
                await database.AlertAsync(1, "factory_a", 1, "raised", "alarm", Seeds.Start);
                await database.AlertAsync(2, "factory_b", null, "cleared", "warning", Seeds.Start);
                await database.RejectAsync(new RejectionEntry(1, Seeds.Start, "factory_b", "bad_signature", false, "as it is", [1], 1, 0));
            },
            "--Dashboard:Access:AdminToken=administer"
        );
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}sign-in");
        await page.GetByLabel("Token").FillAsync("administer");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Signed in: admin token")).ToBeVisibleAsync();

        var issues = new List<string>();
        foreach (var path in DashboardPages.All)
        {
            await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
            await page.GotoAsync($"{dashboard.Address}{path}");
            await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
            foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
            {
                await page.EmulateMediaAsync(new() { ColorScheme = scheme });
                // Colours change gradually.
                await page.EvaluateAsync("Promise.allSettled(document.getAnimations().map(animation => animation.finished))");
                // All but the contrast of colours is the same in dark.
                var found = scheme == ColorScheme.Dark ? await page.RunAxe(OfColours) : await page.RunAxe();
                Assert.NotEmpty(found.Passes);
                issues.AddRange(
                    found
                        .Violations.Where(violation => violation.Impact is "serious" or "critical")
                        .SelectMany(violation => violation.Nodes.Select(node => $"/{path}, {scheme}: {violation.Id}: {node.Html}"))
                );
            }
        }

        Assert.True(issues.Count == 0, string.Join("\n", issues));
    }
}
