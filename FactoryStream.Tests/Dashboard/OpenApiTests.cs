using System.Net;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class OpenApiTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task A_service_that_is_away_is_named()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, "--services:verifier:http:0=http://127.0.0.1:9");

        using var response = await dashboard.Client.GetAsync("/openapi/verifier.json");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains(
            "The verifier does not show its OpenAPI document",
            await response.Content.ReadAsStringAsync(),
            StringComparison.Ordinal
        );
    }
}
