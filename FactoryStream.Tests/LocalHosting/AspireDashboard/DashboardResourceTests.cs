using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FactoryStream.LocalHosting.AspireDashboard;

namespace FactoryStream.Tests.LocalHosting.AspireDashboard;

public sealed class DashboardResourceTests
{
    [Theory]
    [InlineData("--aspire-dashboard=true", true)]
    [InlineData("--aspire-dashboard=false", false)]
    [InlineData("--other=true", false)]
    public async Task A_test_has_the_dashboard_only_if_it_asks_for_it(string argument, bool there)
    {
        await using var builder = DistributedApplicationTestingBuilder.Create(argument);
        await using var app = await builder.BuildAsync();

        Assert.Equal(there, builder.Resources.Any(resource => resource is DashboardResource));
    }

    [Fact]
    public async Task A_project_is_told_where_the_dashboard_listens()
    {
        var environment = await EnvironmentOfAsync([]);

        Assert.Equal("http://127.0.0.1:4711", environment["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        Assert.Equal("grpc", environment["OTEL_EXPORTER_OTLP_PROTOCOL"]);
        Assert.StartsWith("x-otlp-api-key=", (string)environment["OTEL_EXPORTER_OTLP_HEADERS"], StringComparison.Ordinal);
        Assert.Equal("1000", environment["OTEL_BSP_SCHEDULE_DELAY"]);
    }

    [Fact]
    public async Task A_collector_of_the_users_own_is_left_alone()
    {
        var environment = await EnvironmentOfAsync(new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://collector:4317" });

        Assert.Equal([new("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317")], environment);
    }

    private static async Task<Dictionary<string, object>> EnvironmentOfAsync(Dictionary<string, object> told)
    {
        await using var builder = DistributedApplicationTestingBuilder.Create("--aspire-dashboard=true");
        var project = builder.AddResource(new ProjectResource("project"));
        await using var app = await builder.BuildAsync();
        foreach (var endpoint in builder.Resources.OfType<DashboardResource>().Single().Annotations.OfType<EndpointAnnotation>())
            endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", 4711);
        var context = new EnvironmentCallbackContext(builder.ExecutionContext, project.Resource, told);
        foreach (var change in project.Resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
            await change.Callback(context);
        return told;
    }
}
