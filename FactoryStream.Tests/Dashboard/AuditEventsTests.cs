using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class AuditEventsTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Audit_events_come_newest_first_and_page_by_page()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            database =>
                database.RowsAsync(
                    """
                    INSERT INTO factory.audit_events (at, who, role, action, subject, detail) VALUES
                        ('2026-02-25 06:13:20Z', 'Ann', 'admin', 'key_enrolled', 'k1', 'factory f1'),
                        ('2026-02-25 06:13:21Z', 'Ann', 'admin', 'key_enrolled', 'k2', 'factory f1'),
                        ('2026-02-25 06:13:22Z', 'Bob', 'admin', 'key_revoked', 'k1', NULL)
                    """
                )
        );

        var first = await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/audit-events?limit=2");
        var cursor = first.GetProperty("next_cursor").GetString();
        var second = await dashboard.Client.GetFromJsonAsync<JsonElement>($"/api/audit-events?limit=2&cursor={cursor}");

        Assert.Equal(["Bob key_revoked k1", "Ann key_enrolled k2"], Told(first));
        Assert.Equal(["Ann key_enrolled k1"], Told(second));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next_cursor").ValueKind);
    }

    private static IEnumerable<string> Told(JsonElement page) =>
        page.GetProperty("events")
            .EnumerateArray()
            .Select(told => $"{told.GetProperty("who")} {told.GetProperty("action")} {told.GetProperty("subject")}");
}
