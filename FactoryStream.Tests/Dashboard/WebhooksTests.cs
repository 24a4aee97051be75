using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

/// <summary>Webhooks by their API.</summary>
[Collection(DatabaseTests.Name)]
public sealed class WebhooksTests(PostgresFixture postgres)
{
    private const string Url = "https://hooks.example.org/services/token-of-theirs";

    [SkippableFact]
    public async Task Who_is_no_admin_neither_sees_nor_changes_a_webhook()
    {
        await using var dashboard = await StartAsync("operator");

        using var read = await dashboard.Client.GetAsync("/api/webhooks");
        using var made = await dashboard.Client.PostAsJsonAsync("/api/webhooks", new { url = Url });
        using var deliveries = await dashboard.Client.GetAsync("/api/webhooks/1/deliveries");
        using var test = await dashboard.Client.PostAsync("/api/webhooks/1/test", null);

        Assert.All([read, made, deliveries, test], answer => Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode));
    }

    [SkippableFact]
    public async Task A_webhook_is_made_shown_without_its_secret_changed_and_deleted_and_each_is_an_audit_event()
    {
        await using var dashboard = await StartAsync("admin");

        using var made = await dashboard.Client.PostAsJsonAsync("/api/webhooks", new { url = Url, severities = (string[])["alarm"] });
        Assert.Equal((HttpStatusCode.Created, "/api/webhooks/1"), (made.StatusCode, made.Headers.Location?.ToString()));
        var secret = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("secret").GetString()!;
        Assert.Equal(secret, await dashboard.Database.ScalarAsync<string>("SELECT secret FROM factory.webhooks"));
        Assert.True(secret.Length >= 32, secret);

        var text = await dashboard.Client.GetStringAsync("/api/webhooks");
        Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        Assert.Contains(
            "\"settings\":{\"url\":\"https://hooks.example.org/services/token-of-theirs\",\"severities\":[\"alarm\"],\"description\":null,"
                + "\"is_enabled\":true}",
            text,
            StringComparison.Ordinal
        );

        var changed = new
        {
            url = Url,
            is_enabled = false,
            version = 1,
        };
        using var first = await dashboard.Client.PutAsJsonAsync("/api/webhooks/1", changed);
        using var second = await dashboard.Client.PutAsJsonAsync("/api/webhooks/1", changed);
        using var none = await dashboard.Client.PutAsJsonAsync("/api/webhooks/2", changed);
        using var wrong = await dashboard.Client.PutAsJsonAsync("/api/webhooks/1", new { url = "here" });
        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.Conflict, HttpStatusCode.NotFound, HttpStatusCode.BadRequest],
            [first.StatusCode, second.StatusCode, none.StatusCode, wrong.StatusCode]
        );
        Assert.Contains(
            "Somebody else has changed webhook 1 meanwhile",
            await second.Content.ReadAsStringAsync(),
            StringComparison.Ordinal
        );
        Assert.Equal(secret, await dashboard.Database.ScalarAsync<string>("SELECT secret FROM factory.webhooks"));

        using var deleted = await dashboard.Client.DeleteAsync("/api/webhooks/1");
        using var again = await dashboard.Client.DeleteAsync("/api/webhooks/1");
        Assert.Equal([HttpStatusCode.NoContent, HttpStatusCode.NotFound], [deleted.StatusCode, again.StatusCode]);
        Assert.Equal(
            [
                "admin token|admin|webhook_made|1|hooks.example.org",
                "admin token|admin|webhook_changed|1|hooks.example.org, turned off",
                "admin token|admin|webhook_deleted|1|hooks.example.org",
            ],
            await dashboard.Database.RowsAsync("SELECT who, role, action, subject, detail FROM factory.audit_events ORDER BY event_no")
        );
    }

    [SkippableFact]
    public async Task A_test_goes_through_the_outbox_and_deliveries_come_newest_first_page_by_page()
    {
        await using var receiver = await ReceiverStub.StartAsync();
        await using var dashboard = await StartAsync("admin");
        using var made = await dashboard.Client.PostAsJsonAsync("/api/webhooks", new { url = receiver.Address });

        for (var i = 1; i <= 3; i++)
        {
            using var test = await dashboard.Client.PostAsync("/api/webhooks/1/test", null);
            Assert.Equal(HttpStatusCode.Accepted, test.StatusCode);
        }
        await Distributed.RunningSystem.EventuallyAsync(
            async () => (await DeliveriesAsync(dashboard, "state=delivered")).Numbers,
            numbers => numbers == "3 2 1"
        );
        Assert.All(receiver.Messages, message => Assert.Equal("test", message.Event));

        var (first, cursor) = await DeliveriesAsync(dashboard, "limit=2");
        var (second, end) = await DeliveriesAsync(dashboard, $"limit=2&cursor={cursor}");
        Assert.Equal(("3 2", "1", (string?)null), (first, second, end));
        using var retried = await dashboard.Client.PostAsync("/api/webhooks/1/deliveries/1/retry", null);
        using var noDelivery = await dashboard.Client.PostAsync("/api/webhooks/1/deliveries/9/retry", null);
        using var noWebhook = await dashboard.Client.GetAsync("/api/webhooks/9/deliveries");
        using var noTest = await dashboard.Client.PostAsync("/api/webhooks/9/test", null);
        using var noState = await dashboard.Client.GetAsync("/api/webhooks/1/deliveries?state=lost");
        Assert.Equal(
            [HttpStatusCode.Conflict, HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.NotFound, HttpStatusCode.BadRequest],
            [retried.StatusCode, noDelivery.StatusCode, noWebhook.StatusCode, noTest.StatusCode, noState.StatusCode]
        );

        using var deleted = await dashboard.Client.DeleteAsync("/api/webhooks/1");
        Assert.Equal(0L, await dashboard.Database.ScalarAsync<long>("SELECT count(*) FROM factory.webhook_deliveries"));
    }

    private static async Task<(string Numbers, string? Next)> DeliveriesAsync(RunningDashboard dashboard, string query)
    {
        var page = await dashboard.Client.GetFromJsonAsync<JsonElement>($"/api/webhooks/1/deliveries?{query}");
        var numbers = page.GetProperty("deliveries").EnumerateArray().Select(delivery => delivery.GetProperty("delivery_no").GetInt64());
        return (string.Join(' ', numbers), page.GetProperty("next_cursor").GetString());
    }

    private async Task<RunningDashboard> StartAsync(string role)
    {
        var dashboard = await RunningDashboard.StartAsync(
            postgres,
            null,
            "--Dashboard:Access:AdminToken=admin-of-the-tests",
            "--Dashboard:Access:OperatorToken=operator-of-the-tests",
            "--Dashboard:Webhooks:AllowPrivateAddresses=true"
        );
        dashboard.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", $"{role}-of-the-tests");
        return dashboard;
    }
}
