using System.Net;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

/// <summary>What a browser may do for another site's page.</summary>
[Collection(DatabaseTests.Name)]
public sealed class CrossOriginTests(PostgresFixture postgres)
{
    private const string Allowed = "--Dashboard:AllowedOrigins:0=https://screens.example.com";
    private const string Token = "--Dashboard:Access:ReadToken=a-token-of-readers";

    [SkippableFact]
    public async Task A_site_that_is_named_may_ask_with_a_token_and_no_other_may()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, Allowed, Token);

        Assert.Equal("https://screens.example.com", await PreflightAsync(dashboard, "https://screens.example.com", "/api/windows"));
        Assert.Null(await PreflightAsync(dashboard, "https://elsewhere.example.com", "/api/windows"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/windows");
        request.Headers.Add("Origin", "https://screens.example.com");
        request.Headers.Add("Authorization", "Bearer a-token-of-readers");
        using var response = await dashboard.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("https://screens.example.com", response.Headers.GetValues("Access-Control-Allow-Origin").Single());
        // A browser's own sign-in is never used for another site.
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [SkippableFact]
    public async Task Without_the_option_and_for_pages_no_site_may()
    {
        await using (var closed = await RunningDashboard.StartAsync(postgres))
            Assert.Null(await PreflightAsync(closed, "https://screens.example.com", "/api/windows"));
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, Allowed);

        Assert.Null(await PreflightAsync(dashboard, "https://screens.example.com", "/engines"));
        Assert.Null(await PreflightAsync(dashboard, "https://screens.example.com", "/sign-in"));
    }

    private static async Task<string?> PreflightAsync(RunningDashboard dashboard, string origin, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, path);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "GET");
        request.Headers.Add("Access-Control-Request-Headers", "authorization");
        using var response = await dashboard.Client.SendAsync(request);
        return response.Headers.TryGetValues("Access-Control-Allow-Origin", out var origins) ? origins.Single() : null;
    }
}
