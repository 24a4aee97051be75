using System.Net;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class PrometheusTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Metrics_are_served_by_option_to_viewers()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            Seeds.TwoFactoriesAsync,
            "--Telemetry:PrometheusEndpoint=true",
            "--Dashboard:Access:ReadToken=a-token-of-readers"
        );

        using var stranger = await dashboard.Client.GetAsync("/metrics");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Add("Authorization", "Bearer a-token-of-readers");
        using var response = await dashboard.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        var metrics = await response.Content.ReadAsStringAsync();
        Assert.Matches("(?m)^factorystream_dashboard_\\w+(\\{.*\\})? [0-9.e+]+", metrics);
        Assert.Matches("(?m)^http_server_request_duration_seconds_count\\{.*\\} [0-9]+", metrics);
    }

    [SkippableFact]
    public async Task Without_the_option_there_are_none()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        using var response = await dashboard.Client.GetAsync("/metrics");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }
}
