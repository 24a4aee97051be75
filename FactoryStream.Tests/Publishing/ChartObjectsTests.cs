using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using k8s;
using k8s.Models;

namespace FactoryStream.Tests.Publishing;

/// <summary>What the rendered objects mean: whether the pods would find each other, and may do only what they must.</summary>
public sealed partial class ChartObjectsTests
{
    public static TheoryData<string> Installations => ChartTests.Installations;

    [SkippableTheory]
    [MemberData(nameof(Installations))]
    public async Task Every_container_has_probes_resources_and_no_privilege(string installation)
    {
        var objects = await RenderAsync(installation);
        Assert.NotEmpty(Pods(objects));
        Assert.All(
            Pods(objects),
            workload =>
            {
                var pod = workload.Pod;
                Assert.False(pod.AutomountServiceAccountToken);
                Assert.False(pod.EnableServiceLinks);
                Assert.True(pod.SecurityContext.RunAsNonRoot);
                Assert.True(pod.SecurityContext.RunAsUser > 0);
                Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
                var container = Assert.Single(pod.Containers);
                Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
                Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
                Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
                Assert.Equal(["cpu", "memory"], container.Resources.Requests.Keys.Order());
                Assert.Equal(["cpu", "memory"], container.Resources.Limits.Keys.Order());
                Assert.Contains(container.VolumeMounts, mount => mount.MountPath == "/tmp");
                Assert.DoesNotMatch(":latest$|:$", container.Image);
                var isJob = workload.Object is V1Job;
                Assert.Equal(isJob, container.LivenessProbe is null);
                Assert.Equal(isJob, container.ReadinessProbe is null);
                Assert.Equal(isJob, container.StartupProbe is null);
                if (container.ReadinessProbe?.HttpGet is { } ready)
                    Assert.Equal(
                        ("/health", "/alive", "/alive"),
                        (ready.Path, container.LivenessProbe!.HttpGet.Path, container.StartupProbe!.HttpGet.Path)
                    );
            }
        );
    }

    [SkippableTheory]
    [MemberData(nameof(Installations))]
    public async Task Every_service_is_told_of_what_it_refers_to(string installation)
    {
        using var folder = new TemporaryFolder();
        var model = await PublishedFiles.ChartAsync(folder.Path);
        var objects = await RenderAsync(installation);
        foreach (
            var project in model
                .Resources.OfType<ProjectResource>()
                .Where(project => project.Name != "simulator" || installation == "everything")
        )
        {
            var told = Environment(objects, project.Name);
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
        var objects = await RenderAsync("everything");
        var services = objects.OfType<V1Service>().ToDictionary(service => service.Metadata.Name);
        var addresses = Pods(objects)
            .SelectMany(workload => Environment(objects, workload.Object.Metadata.Labels["app.kubernetes.io/component"]).Values)
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
        var objects = await RenderAsync("everything");
        Assert.All(
            objects.OfType<V1Service>(),
            service =>
            {
                var workload = Assert.Single(
                    Pods(objects),
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
        var told = Environment(await RenderAsync("default"), "verifier");
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
    public async Task Servers_of_somebody_elses_take_the_place_of_the_charts()
    {
        var objects = await RenderAsync("external");
        Assert.Empty(objects.OfType<V1StatefulSet>());
        Assert.Empty(objects.OfType<V1Secret>());
        Assert.DoesNotContain(
            objects,
            item =>
                item.Metadata.Name.StartsWith("kafka", StringComparison.Ordinal)
                || item.Metadata.Name.StartsWith("postgres", StringComparison.Ordinal)
        );
        var told = Environment(objects, "aggregator");
        Assert.Equal("plant-kafka-bootstrap.kafka:9092", told["ConnectionStrings__kafka"]);
        Assert.Equal(
            "Host=plant-db-rw.databases;Port=5432;Username=app;Password=\"$(POSTGRES_PASSWORD)\";Database=factorydb;SSL Mode=VerifyFull",
            told["ConnectionStrings__factorydb"]
        );
        Assert.Equal("plant-db-app/password", told["POSTGRES_PASSWORD"]);
        Assert.Equal("plant-token/token", Environment(objects, "verifier")["Verifier__AdminToken"]);
    }

    [SkippableFact]
    public async Task A_password_variable_stands_above_the_connection_string_that_holds_it()
    {
        foreach (
            var variables in Pods(await RenderAsync("default"))
                .Select(workload => workload.Pod.Containers[0].Env?.Select(variable => variable.Name).ToList() ?? [])
        )
        {
            if (variables.IndexOf("ConnectionStrings__factorydb") is >= 0 and var at)
                Assert.InRange(variables.IndexOf("POSTGRES_PASSWORD"), 0, at - 1);
        }
    }

    [SkippableFact]
    public async Task Names_are_labels_that_a_host_may_have()
    {
        var objects = await RenderAsync("everything");
        Assert.All(objects, item => Assert.Matches("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", item.Metadata.Name));
        Assert.Equal(objects.Count, objects.Select(item => (item.Kind, item.Metadata.Name)).Distinct().Count());
    }

    [SkippableFact]
    public async Task Data_is_on_claims_and_a_secret_survives_an_uninstall()
    {
        var objects = await RenderAsync("default");
        Assert.Equal(
            [("kafka-data", "/var/lib/kafka/data"), ("postgres-data", "/var/lib/postgresql")],
            objects
                .OfType<V1StatefulSet>()
                .Select(set =>
                {
                    var claim = Assert.Single(set.Spec.VolumeClaimTemplates).Metadata.Name;
                    return (claim, set.Spec.Template.Spec.Containers[0].VolumeMounts.Single(mount => mount.Name == claim).MountPath);
                })
                .Order()
        );
        Assert.Equal(
            ["admin-token-secrets", "postgres-password-secrets"],
            objects.OfType<V1Secret>().Select(secret => secret.Metadata.Name).Order()
        );
        Assert.All(
            objects.OfType<V1Secret>(),
            secret =>
            {
                Assert.Equal("keep", secret.Metadata.Annotations["helm.sh/resource-policy"]);
                Assert.Matches("^[A-Za-z0-9]{22,}$", Assert.Single(secret.StringData).Value);
            }
        );
    }

    [SkippableFact]
    public async Task A_kafka_or_database_accepts_only_the_services_that_refer_to_it()
    {
        var policies = (await RenderAsync("default")).OfType<V1NetworkPolicy>().ToDictionary(policy => policy.Metadata.Name);
        IEnumerable<string> Clients(string name) =>
            policies[name]
                .Spec.Ingress.Single()
                .FromProperty.Where(peer => peer.PodSelector is not null)
                .Select(peer => peer.PodSelector.MatchLabels["app.kubernetes.io/component"])
                .Order();
        Assert.Equal(["aggregator", "dashboard", "migrations", "verifier"], Clients("postgres-networkpolicy"));
        Assert.Equal(["aggregator", "dashboard", "ingest", "kafka", "migrations", "verifier"], Clients("kafka-networkpolicy"));
        Assert.Equal(["ingest", "simulator"], Clients("verifier-networkpolicy"));
        Assert.Null(policies["ingest-networkpolicy"].Spec.Ingress.Single().FromProperty);
        Assert.True(policies["aggregator-networkpolicy"].Spec.Ingress is null or { Count: 0 });
    }

    [SkippableFact]
    public async Task Only_one_scales_a_deployment()
    {
        var byProcessor = await RenderAsync("default");
        Assert.Equal(
            ["aggregator-deployment", "verifier-deployment"],
            byProcessor.OfType<V2HorizontalPodAutoscaler>().Select(scaler => scaler.Spec.ScaleTargetRef.Name).Order()
        );
        Assert.Equal([("aggregator", null), ("dashboard", 1), ("ingest", 1), ("verifier", null)], Replicas(byProcessor));
        var byLag = await RenderAsync("everything");
        Assert.Empty(byLag.OfType<V2HorizontalPodAutoscaler>());
        var byNobody = await RenderAsync("nothing scaled");
        Assert.Empty(byNobody.OfType<V2HorizontalPodAutoscaler>());
        Assert.Equal([("aggregator", 1), ("dashboard", 1), ("ingest", 1), ("verifier", 2)], Replicas(byNobody));

        static IEnumerable<(string, int?)> Replicas(IEnumerable<IKubernetesObject<V1ObjectMeta>> objects) =>
            objects
                .OfType<V1Deployment>()
                .Select(deployment => (deployment.Metadata.Labels["app.kubernetes.io/component"], deployment.Spec.Replicas))
                .Order();
    }

    [SkippableFact]
    public async Task A_number_among_a_services_settings_reaches_it_digit_by_digit()
    {
        var told = Environment(await RenderAsync("everything"), "ingest");
        Assert.Equal(("1000000", "http://factory.example.com/stream"), (told["Ingest__MaxBodyBytes"], told["Ingest__Sources__0"]));
        Assert.Equal("http://collector.monitoring:4317", told["OTEL_EXPORTER_OTLP_ENDPOINT"]);
    }

    [SkippableFact]
    public async Task A_changed_setting_replaces_the_pods()
    {
        static string Checksum(IEnumerable<IKubernetesObject<V1ObjectMeta>> objects) =>
            objects
                .OfType<V1Deployment>()
                .Single(deployment => deployment.Metadata.Name == "ingest-deployment")
                .Spec.Template.Metadata.Annotations["checksum/config"];
        Assert.NotEqual(Checksum(await RenderAsync("default")), Checksum(await RenderAsync("everything")));
    }

    private static async Task<IReadOnlyList<IKubernetesObject<V1ObjectMeta>>> RenderAsync(string installation)
    {
        var yaml = await Tool.HelmAsync([
            "template",
            "fs",
            Path.Combine(SharedData.Root, "deploy", "chart"),
            .. ChartInstallations.All[installation],
        ]);
        // The Kubernetes client has no model of KEDA's kind.
        var documents = yaml.Split("\n---\n").Where(document => !document.Contains("kind: ScaledObject", StringComparison.Ordinal));
        return [.. KubernetesYaml.LoadAllFromString(string.Join("\n---\n", documents)).Cast<IKubernetesObject<V1ObjectMeta>>()];
    }

    private static IReadOnlyList<Workload> Pods(IEnumerable<IKubernetesObject<V1ObjectMeta>> objects) =>
        [
            .. objects
                .Select(item =>
                    item switch
                    {
                        V1Deployment deployment => new Workload(
                            item,
                            deployment.Spec.Template.Metadata.Labels,
                            deployment.Spec.Template.Spec
                        ),
                        V1StatefulSet set => new Workload(item, set.Spec.Template.Metadata.Labels, set.Spec.Template.Spec),
                        V1Job job => new Workload(item, job.Spec.Template.Metadata.Labels, job.Spec.Template.Spec),
                        _ => null,
                    }
                )
                .OfType<Workload>(),
        ];

    /// <summary>What a service's process finds in its environment; a secret as NAME/KEY.</summary>
    private static Dictionary<string, string> Environment(IReadOnlyList<IKubernetesObject<V1ObjectMeta>> objects, string service)
    {
        var container = Pods(objects).Single(workload => workload.Labels["app.kubernetes.io/component"] == service).Pod.Containers[0];
        var environment = new Dictionary<string, string>();
        foreach (var source in container.EnvFrom.Where(source => source.ConfigMapRef is not null))
        {
            foreach (var (name, value) in objects.OfType<V1ConfigMap>().Single(map => map.Metadata.Name == source.ConfigMapRef.Name).Data)
                environment.Add(name, value);
        }
        foreach (var variable in container.Env ?? [])
            environment.Add(
                variable.Name,
                variable.Value
                    ?? (
                        variable.ValueFrom.SecretKeyRef is { } secret
                            ? $"{secret.Name}/{secret.Key}"
                            : variable.ValueFrom.FieldRef.FieldPath
                    )
            );
        return environment;
    }

    [GeneratedRegex("(?<service>[a-z-]+-service)(\\.default\\.svc)?(:|;Port=)(?<port>[0-9]+)")]
    private static partial Regex Address();

    private sealed record Workload(IKubernetesObject<V1ObjectMeta> Object, IDictionary<string, string> Labels, V1PodSpec Pod);
}
