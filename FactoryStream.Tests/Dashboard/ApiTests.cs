using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class ApiTests(PostgresFixture postgres)
{
    [SkippableTheory]
    [InlineData("/api/windows?limit=0", "limit")]
    [InlineData("/api/windows?limit=50001", "limit")]
    [InlineData("/api/windows?cursor=nonsense", "cursor")]
    [InlineData("/api/windows?cursor=WyJmIiwiZSIsIjAiLCIwIiwibSJd", "cursor")]
    [InlineData("/api/windows?from=yesterday", "from")]
    [InlineData("/api/windows?to=25.02.2026%2006:13", "to")]
    [InlineData("/api/windows?from=2026-02-25T06:13:20Z&to=2026-02-25T06:13:20Z", "from: expected a time before to")]
    public async Task A_parameter_that_makes_no_sense_is_a_problem_that_names_it(string address, string named)
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        using var response = await dashboard.Client.GetAsync(address);

        Assert.Equal(
            (HttpStatusCode.BadRequest, "application/problem+json"),
            (response.StatusCode, response.Content.Headers.ContentType?.MediaType)
        );
        Assert.Contains(named, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task What_it_offers_is_described()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        var document = await dashboard.Client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");

        Assert.Superset(
            new HashSet<string> { "/api/latest-data", "/api/windows", "/api/books" },
            document.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToHashSet()
        );
    }
}
