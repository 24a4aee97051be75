using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using k8s.Models;

namespace FactoryStream.Tests.Publishing;

/// <summary>Whether the pods of the rendered objects would find each other, and only those that they must.</summary>
public sealed partial class ChartConnectionsTests
{
    public static TheoryData<string> Installations => ChartTests.Installations;

    [SkippableTheory]
    [MemberData(nameof(Installations))]
    public async Task Every_service_is_told_of_what_it_refers_to(string installation)
    {
        using var folder = new TemporaryFolder();
        var model = await PublishedFiles.ChartAsync(folder.Path);
        var objects = await RenderedChart.RenderAsync(installation);
        foreach (
            var project in model
                .Resources.OfType<ProjectResource>()
                .Where(project => project.Name != "simulator" || installation == "everything")
        )
        {
            var told = RenderedChart.EnvironmentOf(objects, project.Name);
            var references = project
                .Annotations.OfType<ResourceRelationshipAnnotation>()
                .Where(edge => edge.Type == "Reference" && edge.Resource is not ParameterResource)
                .Select(edge => edge.Resource)
                .ToArray();
            Assert.NotEmpty(references);
            Assert.All(
                references,
                reference =>
                    Assert.Contains(
                        reference is IResourceWithConnectionString
                            ? $"ConnectionStrings__{reference.Name}"
                            : $"services__{reference.Name}__http__0",
                        told.Keys
                    )
            );
        }
    }

    [SkippableFact]
    public async Task Every_address_within_the_chart_is_a_service_with_that_port()
    {
        var objects = await RenderedChart.RenderAsync("everything");
        var services = objects.OfType<V1Service>().ToDictionary(service => service.Metadata.Name);
        var addresses = RenderedChart
            .Pods(objects)
            .SelectMany(workload =>
                RenderedChart.EnvironmentOf(objects, workload.Object.Metadata.Labels["app.kubernetes.io/component"]).Values
            )
            .SelectMany(value => Address().Matches(value))
            .ToArray();
        Assert.True(addresses.Length >= 10);
        Assert.All(
            addresses,
            address =>
            {
                var service = services[address.Groups["service"].Value];
                Assert.Contains(service.Spec.Ports, port => port.Port == int.Parse(address.Groups["port"].Value, null));
            }
        );
    }

    [SkippableFact]
    public async Task Every_service_leads_to_a_port_of_its_pods()
    {
        var objects = await RenderedChart.RenderAsync("everything");
        Assert.All(
            objects.OfType<V1Service>(),
            service =>
            {
                var workload = Assert.Single(
                    RenderedChart.Pods(objects),
                    workload => service.Spec.Selector.All(label => workload.Labels.Contains(label))
                );
                Assert.All(
                    service.Spec.Ports,
                    port => Assert.Contains(workload.Pod.Containers[0].Ports, own => own.Name == port.TargetPort.Value)
                );
            }
        );
        Assert.Equal(
            [8000, 8001, 8003],
            objects
                .OfType<V1Service>()
                .Where(service => service.Metadata.Name is "verifier-service" or "ingest-service" or "dashboard-service")
                .Select(service => service.Spec.Ports[0].Port)
                .Order()
        );
    }

    [SkippableFact]
    public async Task The_verifier_is_told_what_it_is_told_on_one_machine()
    {
        var told = RenderedChart.EnvironmentOf(await RenderedChart.RenderAsync("default"), "verifier");
        Assert.Equal("kafka-service.default.svc:9092", told["ConnectionStrings__kafka"]);
        Assert.Equal(
            "Host=postgres-service;Port=5432;Username=postgres;Password=\"$(POSTGRES_PASSWORD)\";Database=factorydb",
            told["ConnectionStrings__factorydb"]
        );
        Assert.Equal("postgres-password-secrets/postgres-password", told["POSTGRES_PASSWORD"]);
        Assert.Equal("admin-token-secrets/admin-token", told["Verifier__AdminToken"]);
        Assert.Equal("verifier", told["OTEL_SERVICE_NAME"]);
        Assert.Equal("8080", told["HTTP_PORTS"]);
        Assert.DoesNotContain("OTEL_EXPORTER_OTLP_ENDPOINT", told.Keys);
    }

    [SkippableFact]
    public async Task The_Dashboard_has_tokens_for_its_readers_and_admins_and_for_the_Verifier()
    {
        var told = RenderedChart.EnvironmentOf(await RenderedChart.RenderAsync("default"), "dashboard");
        Assert.Equal("read-token-secrets/read-token", told["Dashboard__Access__ReadToken"]);
        Assert.Equal("admin-token-secrets/admin-token", told["Dashboard__Access__AdminToken"]);
        Assert.Equal("admin-token-secrets/admin-token", told["Dashboard__VerifierAdminToken"]);
    }

    [SkippableFact]
    public async Task Servers_from_outside_take_the_place_of_the_charts()
    {
        var objects = await RenderedChart.RenderAsync("external");
        Assert.Empty(objects.OfType<V1StatefulSet>());
        Assert.Empty(objects.OfType<V1Secret>());
        Assert.DoesNotContain(
            objects,
            item =>
                item.Metadata.Name.StartsWith("kafka", StringComparison.Ordinal)
                || item.Metadata.Name.StartsWith("postgres", StringComparison.Ordinal)
        );
        var told = RenderedChart.EnvironmentOf(objects, "aggregator");
        Assert.Equal("plant-kafka-bootstrap.kafka:9092", told["ConnectionStrings__kafka"]);
        Assert.Equal(
            "Host=plant-db-rw.databases;Port=5432;Username=app;Password=\"$(POSTGRES_PASSWORD)\";Database=factorydb;SSL Mode=VerifyFull",
            told["ConnectionStrings__factorydb"]
        );
        Assert.Equal("plant-db-app/password", told["POSTGRES_PASSWORD"]);
        Assert.Equal("plant-token/token", RenderedChart.EnvironmentOf(objects, "verifier")["Verifier__AdminToken"]);
    }

    [SkippableFact]
    public async Task A_password_variable_stands_above_the_connection_string_that_holds_it()
    {
        foreach (
            var variables in RenderedChart
                .Pods(await RenderedChart.RenderAsync("default"))
                .Select(workload => workload.Pod.Containers[0].Env?.Select(variable => variable.Name).ToList() ?? [])
        )
        {
            if (variables.IndexOf("ConnectionStrings__factorydb") is >= 0 and var at)
                Assert.InRange(variables.IndexOf("POSTGRES_PASSWORD"), 0, at - 1);
        }
    }

    [SkippableFact]
    public async Task A_kafka_or_database_accepts_only_the_services_that_refer_to_it()
    {
        var policies = (await RenderedChart.RenderAsync("default")).OfType<V1NetworkPolicy>().ToDictionary(policy => policy.Metadata.Name);
        IEnumerable<string> Clients(string name) =>
            policies[name]
                .Spec.Ingress.Single()
                .FromProperty.Where(peer => peer.PodSelector is not null)
                .Select(peer => peer.PodSelector.MatchLabels["app.kubernetes.io/component"])
                .Order();
        Assert.Equal(["aggregator", "dashboard", "migrations", "verifier"], Clients("postgres-networkpolicy"));
        Assert.Equal(["aggregator", "dashboard", "ingest", "kafka", "migrations", "verifier"], Clients("kafka-networkpolicy"));
        Assert.Equal(["dashboard", "ingest", "simulator"], Clients("verifier-networkpolicy"));
        Assert.Null(policies["ingest-networkpolicy"].Spec.Ingress.Single().FromProperty);
        Assert.Equal(["dashboard"], Clients("aggregator-networkpolicy"));
        Assert.Null(policies["dashboard-networkpolicy"].Spec.Ingress.Single().FromProperty);
    }

    [SkippableFact]
    public async Task A_number_among_a_services_settings_reaches_it_digit_by_digit()
    {
        var told = RenderedChart.EnvironmentOf(await RenderedChart.RenderAsync("everything"), "ingest");
        Assert.Equal(("1000000", "http://factory.example.com/stream"), (told["Ingest__MaxBodyBytes"], told["Ingest__Sources__0"]));
        Assert.Equal("http://collector.monitoring:4317", told["OTEL_EXPORTER_OTLP_ENDPOINT"]);
    }

    [GeneratedRegex("(?<service>[a-z-]+-service)(\\.default\\.svc)?(:|;Port=)(?<port>[0-9]+)")]
    private static partial Regex Address();
}
