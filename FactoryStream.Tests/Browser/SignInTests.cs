using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

[Collection(BrowserTests.Name)]
public sealed class SignInTests(PostgresFixture postgres, BrowserFixture browser)
{
    [SkippableFact]
    public async Task A_person_signs_in_with_a_token_sees_the_page_that_was_asked_for_and_signs_out()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, "--Dashboard:Access:ReadToken=the-read-token");
        var page = await browser.NewPageAsync();

        await page.GotoAsync($"{dashboard.Address}rejections");
        await page.GetByLabel("Token").FillAsync("another");
        await page.GetByRole(AriaRole.Button, new() { NameString = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("none of the Dashboard's tokens");
        await Picture.TakeAsync(page, "sign-in");
        await page.GetByLabel("Token").FillAsync("the-read-token");
        await page.GetByRole(AriaRole.Button, new() { NameString = "Sign in" }).ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { NameString = "Rejections" })).ToBeVisibleAsync();
        // Its live connection is let in as well.
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        var cookie = Assert.Single(await page.Context.CookiesAsync(), cookie => cookie.Name == "factorystream");
        Assert.Equal((true, SameSiteAttribute.Lax), (cookie.HttpOnly, cookie.SameSite));

        await page.GetByRole(AriaRole.Link, new() { NameString = "Signed in: read token" }).ClickAsync();
        await Assertions.Expect(page.GetByText("As read token, with the role viewer.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { NameString = "Sign out" }).ClickAsync();
        await Assertions.Expect(page.GetByLabel("Token")).ToBeVisibleAsync();
        await page.GotoAsync($"{dashboard.Address}rejections");
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { NameString = "Sign in" })).ToBeVisibleAsync();
    }

    [SkippableTheory]
    [InlineData("operator", "As Ann, with the role operator.", true)]
    [InlineData("visitor", "As Ann, with the role none: whoever manages the provider gives you one.", false)]
    public async Task A_person_signs_in_with_a_provider_and_has_the_role_that_it_tells(string role, string told, bool mayLook)
    {
        await using var provider = await IdentityProvider.StartAsync(role);
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, provider.Settings);
        var page = await browser.NewPageAsync();

        await page.GotoAsync($"{dashboard.Address}rejections");
        await page.GetByRole(AriaRole.Link, new() { NameString = "Sign in with 127.0.0.1" }).ClickAsync();
        if (mayLook)
        {
            await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { NameString = "Rejections" })).ToBeVisibleAsync();
            await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        }
        else
            await Assertions.Expect(page.GetByText("Ann is of no role here")).ToBeVisibleAsync();
        await page.GotoAsync($"{dashboard.Address}sign-in");

        await Assertions.Expect(page.GetByText(told)).ToBeVisibleAsync();
    }
}
