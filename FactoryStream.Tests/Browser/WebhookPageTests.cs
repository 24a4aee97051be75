using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

/// <summary>The page of webhooks, as an admin has it open, and as others do.</summary>
[Collection(BrowserTests.Name)]
public sealed class WebhookPageTests(PostgresFixture postgres, BrowserFixture browser)
{
    private const string Token = "the-admin-token";

    [SkippableFact]
    public async Task An_admin_makes_turns_off_and_deletes_a_webhook()
    {
        await using var dashboard = await StartAsync();
        var page = await OpenAsync(dashboard);

        await page.GetByLabel("Address (https://...)").FillAsync("here");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the webhook" }).ClickAsync();
        await Assertions.Expect(page.Locator("#url-error")).ToContainTextAsync("expected an address of http or https");
        await page.GetByLabel("Address (https://...)").FillAsync("https://hooks.example.org/alerts");
        await page.GetByLabel("Description").FillAsync("on call");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the webhook" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Webhook 1 is made")).ToBeVisibleAsync();
        var secret = await dashboard.Database.ScalarAsync<string>("SELECT secret FROM factory.webhooks");
        await Assertions.Expect(page.Locator("#secret")).ToHaveTextAsync(secret);
        await page.GetByRole(AriaRole.Button, new() { Name = "I have kept it" }).ClickAsync();
        await Assertions.Expect(page.GetByText(secret)).ToHaveCountAsync(0);

        await page.GetByRole(AriaRole.Button, new() { Name = "Turn off webhook 1" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Webhook 1 is turned off.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Test webhook 1" })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete webhook 1" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete for good" }).ClickAsync();
        await Assertions.Expect(page.GetByText("No system is told of alerts.")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Grid, new() { Name = "Audit events" })).ToContainTextAsync("webhook deleted");
    }

    [SkippableFact]
    public async Task A_viewer_is_told_who_sees_webhooks_and_sees_none()
    {
        await using var dashboard = await StartAsync();
        await dashboard.Database.RowsAsync(
            """
            INSERT INTO factory.webhooks (url, secret, is_enabled, severities, created_by, created_at)
            VALUES ('https://hooks.example.org/', 'a-secret-of-the-tests', false, '{alarm}', 'Ada', now())
            """
        );
        var page = await browser.NewPageAsync();

        await page.GotoAsync($"{dashboard.Address}alerts/webhooks");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();

        await Assertions.Expect(page.GetByText("Admins see them")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("hooks.example.org")).ToHaveCountAsync(0);
        await Assertions.Expect(page.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        await page.GotoAsync($"{dashboard.Address}alerts");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Link, new() { Name = "Webhooks" })).ToHaveCountAsync(0);
    }

    [SkippableFact]
    public async Task An_admin_tests_a_webhook_and_sees_what_came_of_it()
    {
        await using var receiver = await ReceiverStub.StartAsync();
        await using var dashboard = await StartAsync();
        await dashboard.Database.RowsAsync(
            $"""
            INSERT INTO factory.webhooks (url, secret, is_enabled, severities, created_by, created_at)
            VALUES ('{receiver.Address}', 'a-secret-of-the-tests', true, ARRAY['alarm'], 'Ada', now())
            """
        );
        var page = await OpenAsync(dashboard);

        await page.GetByRole(AriaRole.Button, new() { Name = "Test webhook 1" }).ClickAsync();
        var deliveries = page.GetByRole(AriaRole.Grid, new() { Name = "Deliveries" });
        await Assertions.Expect(deliveries.GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("delivered");
        Assert.Equal("test", Assert.Single(receiver.Messages).Event);
        await Picture.TakeAsync(page, "webhooks");
        await page.SetViewportSizeAsync(390, 844);
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= 390"));
        await Picture.TakeAsync(page, "webhooks-phone");
    }

    [SkippableFact]
    public async Task An_admin_sees_why_a_delivery_is_dead_and_tries_it_again_while_an_answer_is_on_its_way()
    {
        await using var receiver = await ReceiverStub.StartAsync(ReceiverStub.Status(500));
        await using var dashboard = await StartAsync(
            "--Dashboard:Webhooks:RetryFor=00:00:00.1",
            "--Dashboard:Webhooks:RetryAfter=00:00:00.1"
        );
        await dashboard.Database.RowsAsync(
            $"""
            INSERT INTO factory.webhooks (url, secret, is_enabled, severities, created_by, created_at)
            VALUES ('{receiver.Address}', 'a-secret-of-the-tests', true, ARRAY['alarm'], 'Ada', now());
            INSERT INTO factory.webhook_deliveries (webhook_no, attempts, first_attempt_at) VALUES (1, 1, now() - interval '1 second')
            """
        );
        var page = await OpenAsync(dashboard);

        await page.GetByRole(AriaRole.Button, new() { Name = "Deliveries of webhook 1" }).ClickAsync();
        var row = page.GetByRole(AriaRole.Grid, new() { Name = "Deliveries" }).GetByRole(AriaRole.Row).Nth(1);
        await Assertions.Expect(row).ToContainTextAsync("answered 500");
        await Assertions.Expect(row).ToContainTextAsync("dead");
        await Picture.TakeAsync(page, "webhooks-dead");
        await page.GetByRole(AriaRole.Button, new() { Name = "Try delivery 1 again" })
            .EvaluateAsync("button => { for (let i = 0; i < 5; i++) button.click(); }");

        await Assertions.Expect(row).ToContainTextAsync("delivered");
        Assert.Equal(["1", "1"], receiver.Messages.Select(message => message.Delivery));
    }

    private Task<RunningDashboard> StartAsync(params string[] settings) =>
        RunningDashboard.StartAsync(
            postgres,
            null,
            [$"--Dashboard:Access:AdminToken={Token}", "--Dashboard:Webhooks:AllowPrivateAddresses=true", .. settings]
        );

    private async Task<IPage> OpenAsync(RunningDashboard dashboard)
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"{dashboard.Address}sign-in?return=/alerts/webhooks");
        await page.GetByLabel("Token").FillAsync(Token);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Webhooks");
        await Assertions.Expect(page.Locator("main[aria-busy=false]")).ToBeVisibleAsync();
        return page;
    }
}
