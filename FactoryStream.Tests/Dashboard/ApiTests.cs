using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class ApiTests(PostgresFixture postgres)
{
    /// <summary>Addresses, and what their problem names.</summary>
    private static readonly IReadOnlyList<(string Address, string Named)> Senseless =
    [
        ("/api/windows?limit=0", "limit"),
        ("/api/windows?limit=50001", "limit"),
        ("/api/windows?step=60", "step: expected 10s, 1m, 1h or 1d, found '60'"),
        ("/api/windows?cursor=nonsense", "cursor"),
        ("/api/windows?cursor=WyJmIiwiZSIsIjAiLCIwIiwibSJd", "cursor"),
        ("/api/windows?from=yesterday", "from"),
        ("/api/windows?to=25.02.2026%2006:13", "to"),
        ("/api/windows?from=2026-02-25T06:13:20Z&to=2026-02-25T06:13:20Z", "from: expected a time before to"),
        ("/api/rejections?limit=0", "limit"),
        ("/api/rejections?limit=1001", "limit"),
        ("/api/rejections?cursor=nonsense", "cursor"),
        ("/api/rejections?reason=accepted", "reason: expected malformed, too_large"),
        ("/api/rejections?factory_id=%00", "factory_id"),
        ("/api/rejections?from=yesterday", "from"),
        ("/api/rejections?from=2026-02-25T06:13:20Z&to=2026-02-25T06:13:20Z", "from: expected a time before to"),
        ("/api/readings?engine_id=e", "factory_id"),
        ("/api/readings?factory_id=f", "engine_id"),
        ("/api/readings?factory_id=f&engine_id=e&limit=1001", "limit"),
        ("/api/readings?factory_id=f&engine_id=e&cursor=nonsense", "cursor"),
        ("/api/readings?factory_id=f&engine_id=e&to=yesterday", "to"),
        ("/api/audit-events?limit=0", "limit"),
        ("/api/audit-events?cursor=nonsense", "cursor"),
        ("/api/audit-events?cursor=WyIwMSIsIjEiXQ", "cursor"),
        ("/api/receipts/abc", "sha256: expected 64 hexadecimal digits, found 'abc'"),
        ("/api/receipts/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855?measured_at=25.02.2026", "measured_at: expected"),
    ];

    [SkippableFact]
    public async Task A_parameter_that_makes_no_sense_is_a_problem_that_names_it()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        foreach (var (address, named) in Senseless)
        {
            using var response = await dashboard.Client.GetAsync(address);

            Assert.Equal(
                (address, HttpStatusCode.BadRequest, "application/problem+json"),
                (address, response.StatusCode, response.Content.Headers.ContentType?.MediaType)
            );
            Assert.Contains(named, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [SkippableFact]
    public async Task The_OpenAPI_document_describes_every_address()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        var document = await dashboard.Client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");

        Assert.Superset(
            new HashSet<string>
            {
                "/api/latest-data",
                "/api/windows",
                "/api/books",
                "/api/readings",
                "/api/receipts",
                "/api/receipts/{sha256}",
                "/api/alert-rules",
                "/api/alert-rules/{no}",
                "/api/alerts",
                "/api/alerts/{no}/events",
                "/api/alerts/{no}/acknowledgement",
                "/api/webhooks",
                "/api/webhooks/{no}",
                "/api/webhooks/{no}/test",
                "/api/webhooks/{no}/deliveries",
                "/api/webhooks/{no}/deliveries/{delivery}/retry",
                "/api/rejections",
                "/api/rejections/{id}",
                "/api/rejections/{id}/explanation",
                "/api/audit-events",
                "/api/pipeline",
            },
            document.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToHashSet()
        );
    }
}
