using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace FactoryStream.Tests.Distributed;

/// <summary>The AppHost's description, which is the same whatever runs it; nothing is started.</summary>
public sealed class ModelTests
{
    [Fact]
    public async Task Every_service_waits_for_Kafka_and_for_the_tables()
    {
        var resources = await ResourcesAsync("--simulator=true", "--verifier:replicas=3");

        Assert.Equal(
            [
                "migrations x1 after factorydb, kafka",
                "ingest x1 after kafka, migrations",
                "verifier x3 after kafka, migrations",
                "aggregator x1 after kafka, migrations",
                "dashboard x1 after kafka, migrations",
                "simulator x1 after kafka, migrations, ingest, verifier",
            ],
            resources
                .OfType<ProjectResource>()
                .Select(service => $"{service.Name} x{service.GetReplicaCount()} after {string.Join(", ", WaitedFor(service))}")
        );
        Assert.All(
            resources.OfType<ProjectResource>().Where(service => service.Name != "migrations"),
            service =>
                Assert.Single(
                    service.Annotations.OfType<WaitAnnotation>(),
                    wait => wait.WaitType == WaitType.WaitForCompletion && wait.Resource.Name == "migrations"
                )
        );
    }

    [Fact]
    public async Task Every_service_is_ready_by_its_health_and_lives_by_its_answer()
    {
        var services = (await ResourcesAsync("--simulator=true"))
            .OfType<ProjectResource>()
            .Where(service => service.Name != "migrations")
            .ToArray();

        Assert.Equal(5, services.Length);
        Assert.All(
            services,
            service =>
            {
                Assert.Equal(
                    [(ProbeType.Readiness, "/health", "http"), (ProbeType.Liveness, "/alive", "http")],
                    service
                        .Annotations.OfType<EndpointProbeAnnotation>()
                        .Select(probe => (probe.Type, probe.Path, probe.EndpointReference.EndpointName))
                );
                Assert.Equal(
                    [$"{service.Name}_http_/health_200_check", $"{service.Name}_http_/alive_200_check"],
                    service.Annotations.OfType<HealthCheckAnnotation>().Select(check => check.Key)
                );
            }
        );
    }

    [Fact]
    public async Task A_probe_waits_no_longer_for_an_answer_than_it_says()
    {
        using var timeout = new CancellationTokenSource(RunningSystem.Patience);
        string[] args = ["--simulator=true", "--containers=false"];
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(
            args,
            timeout.Token
        );
        await using var app = await builder.BuildAsync(timeout.Token);

        var options = app.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value;
        var checks = options.Registrations.Where(check => check.Name.EndsWith("_200_check", StringComparison.Ordinal)).ToArray();

        Assert.Equal(10, checks.Length);
        Assert.All(checks, check => Assert.Equal(TimeSpan.FromSeconds(3), check.Timeout));
    }

    [Fact]
    public async Task Only_Ingest_and_the_Dashboard_are_reachable_from_outside()
    {
        var endpoints = (await ResourcesAsync("--simulator=true"))
            .OfType<ProjectResource>()
            .SelectMany(service => service.Annotations.OfType<EndpointAnnotation>().Select(endpoint => (service.Name, endpoint)));

        Assert.Equal(
            ["ingest", "dashboard"],
            endpoints.Where(described => described.endpoint.IsExternal).Select(described => described.Name)
        );
    }

    [Fact]
    public async Task The_admin_token_is_a_secret_that_says_what_it_is_for()
    {
        var token = Assert.Single((await ResourcesAsync()).OfType<ParameterResource>(), parameter => parameter.Name == "admin-token");

        Assert.True(token.Secret);
        Assert.False(string.IsNullOrWhiteSpace(token.Description));
    }

    [Fact]
    public async Task Kafka_in_a_container_keeps_its_log_on_its_volume_and_is_waited_for_until_it_answers()
    {
        var kafka = Assert.Single((await ResourcesAsync("--containers=true")).OfType<KafkaServerResource>());

        Assert.Equal(["kafka_check"], kafka.Annotations.OfType<HealthCheckAnnotation>().Select(check => check.Key));
        var told = new EnvironmentCallbackContext(new DistributedApplicationExecutionContext(DistributedApplicationOperation.Run), kafka);
        foreach (var environment in kafka.Annotations.OfType<EnvironmentCallbackAnnotation>())
            await environment.Callback(told);
        Assert.Equal(
            Assert.Single(kafka.Annotations.OfType<ContainerMountAnnotation>()).Target,
            told.EnvironmentVariables["KAFKA_LOG_DIRS"]
        );
        Assert.Equal(
            "PLAINTEXT://localhost:29092,PLAINTEXT_HOST://localhost:{0},PLAINTEXT_INTERNAL://kafka:{1}",
            Assert.IsType<ReferenceExpression>(told.EnvironmentVariables["KAFKA_ADVERTISED_LISTENERS"]).Format
        );
    }

    private static IEnumerable<string> WaitedFor(ProjectResource service) =>
        service.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource.Name).Where(name => name != "postgres");

    private static async Task<IResource[]> ResourcesAsync(params string[] args)
    {
        using var timeout = new CancellationTokenSource(RunningSystem.Patience);
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(
            args,
            timeout.Token
        );
        return [.. builder.Resources];
    }
}
