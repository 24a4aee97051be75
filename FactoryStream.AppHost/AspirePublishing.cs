using System.Globalization;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

/// <summary>
/// What `aspire publish` is told beyond the app model; part of the way of containers alone. Settings:
/// publish:to (kubernetes, or compose: a resource has one place, so one run writes one), publish:services:NAME:* as in appsettings.json,
/// publish:ingress:NAME (the host name of an external service), publish:ingress:class, publish:storage:class.
/// </summary>
internal static partial class Program
{
    /// <summary>The user <c>app</c> of the .NET images.</summary>
    private const long DotnetUser = 1654;

    static partial void AddPublishing(IDistributedApplicationBuilder builder)
    {
        if (!builder.ExecutionContext.IsPublishMode)
            return;
        foreach (var kafka in builder.Resources.OfType<KafkaServerResource>().ToArray())
        {
            builder.CreateResourceBuilder(kafka)
                // Topics are made with their partitions by the migrations, which nothing waits for in a cluster: one made by accident would have one partition.
                .WithEnvironment("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
                // A folder of its own: a fresh volume may hold lost+found, which Kafka would take for a topic.
                .WithEnvironment("KAFKA_LOG_DIRS", "/var/lib/kafka/data/log");
        }
        foreach (var project in builder.Resources.OfType<ProjectResource>().Where(project => !Of(builder, project).Enabled).ToArray())
            builder.CreateResourceBuilder(project).ExcludeFromManifest();

        switch (builder.Configuration["publish:to"] ?? "kubernetes")
        {
            case "kubernetes":
                AddKubernetes(builder);
                break;
            case "compose":
                AddCompose(builder);
                break;
            case var other:
                throw new DistributedApplicationException($"publish:to is '{other}'; known are kubernetes and compose.");
        }
    }

    private static void AddKubernetes(IDistributedApplicationBuilder builder)
    {
        var cluster = builder.AddKubernetesEnvironment("kubernetes").WithHelm(chart => chart.WithChartName("factorystream").WithChartDescription(builder.Configuration["publish:description"] ?? ""));
        Server<KafkaServerResource>("kafka-data", "10Gi", new() { Cpu = "500m", Memory = "1Gi", CpuLimit = "2", MemoryLimit = "2Gi" },
            () => new() { TcpSocket = new() { Port = 9092 }, PeriodSeconds = 5, FailureThreshold = 3 });
        // Over TCP: while the image's first start still prepares the database, its server answers on the socket alone.
        Server<PostgresServerResource>("postgres-data", "50Gi", new() { Cpu = "500m", Memory = "1Gi", CpuLimit = "4", MemoryLimit = "2Gi" },
            () => new() { Exec = new() { Command = { "pg_isready", "--host=127.0.0.1", "--username=postgres" } }, PeriodSeconds = 5, TimeoutSeconds = 3, FailureThreshold = 3 });
        foreach (var project in builder.Resources.OfType<ProjectResource>().ToArray())
        {
            var service = Of(builder, project);
            var isJob = IsWaitedToComplete(builder, project);
            builder.CreateResourceBuilder(project).PublishAsKubernetesService(kubernetes => Harden(kubernetes, service, isJob));
        }

        // Machines may stream for hours: nginx must neither count nor collect what they send.
        var ingress = cluster.AddIngress("public")
            .WithIngressAnnotation("nginx.ingress.kubernetes.io/proxy-body-size", "0")
            .WithIngressAnnotation("nginx.ingress.kubernetes.io/proxy-request-buffering", "off");
        if (builder.Configuration["publish:ingress:class"] is { Length: > 0 } className)
            ingress.WithIngressClass(className);
        foreach (var external in builder.Resources.OfType<ProjectResource>().Where(project => project.GetEndpoints().Any(endpoint => endpoint.EndpointAnnotation.IsExternal)).ToArray())
            ingress.WithPath(builder.Configuration[$"publish:ingress:{external.Name}"] ?? $"{external.Name}.example.com", "/", external.GetEndpoint("http"));

        void Server<T>(string volume, string capacity, ServiceResources resources, Func<ProbeV1> ready) where T : ContainerResource
        {
            var claim = cluster.AddPersistentVolume(volume).WithCapacity(capacity).WithAccessMode(PersistentVolumeAccessMode.ReadWriteOnce);
            if (builder.Configuration["publish:storage:class"] is { Length: > 0 } storageClass)
                claim.WithStorageClass(storageClass);
            foreach (var server in builder.Resources.OfType<T>().ToArray())
            {
                builder.CreateResourceBuilder(server).WithPersistentVolume(claim).PublishAsKubernetesService(kubernetes =>
                {
                    var pod = kubernetes.Workload!.PodTemplate.Spec;
                    // Kubernetes would set KAFKA_SERVICE_PORT and the like, and Kafka's image takes every KAFKA_ variable for a setting.
                    pod.EnableServiceLinks = false;
                    pod.AutomountServiceAccountToken = false;
                    pod.TerminationGracePeriodSeconds = 60;
                    pod.Containers[0].Resources = resources.ToKubernetes();
                    pod.Containers[0].ReadinessProbe = ready();
                });
            }
        }
    }

    private static void Harden(KubernetesResource kubernetes, ServiceResources service, bool isJob)
    {
        var pod = kubernetes.Workload!.PodTemplate.Spec;
        pod.AutomountServiceAccountToken = false;
        pod.EnableServiceLinks = false;
        pod.SecurityContext = new() { RunAsNonRoot = true, RunAsUser = DotnetUser, RunAsGroup = DotnetUser, FsGroup = DotnetUser, FsGroupChangePolicy = "OnRootMismatch", SeccompProfile = new() { Type = "RuntimeDefault" } };
        pod.Volumes.Add(new() { Name = "tmp", EmptyDir = new() });
        var container = pod.Containers[0];
        container.SecurityContext = new() { AllowPrivilegeEscalation = false, ReadOnlyRootFilesystem = true, Capabilities = new() { Drop = { "ALL" } } };
        container.VolumeMounts.Add(new() { Name = "tmp", MountPath = "/tmp" });
        container.Resources = service.ToKubernetes();
        if (isJob)
        {
            pod.RestartPolicy = "OnFailure";
            kubernetes.Workload = MigrationJob.Of(kubernetes.Workload);
            return;
        }
        // Time to finish and commit what it has.
        pod.TerminationGracePeriodSeconds = 60;
        // One of one may not go before its successor is there.
        if (kubernetes.Workload is Deployment { Spec.Strategy.RollingUpdate: { } update })
            update.MaxUnavailable = 0;
        if (container.LivenessProbe is { HttpGet: { } alive } liveness)
        {
            // The start may take its time; only then does the liveness probe begin.
            liveness.InitialDelaySeconds = null;
            container.StartupProbe = new() { HttpGet = new() { Scheme = alive.Scheme, Path = alive.Path, Port = alive.Port }, PeriodSeconds = 2, TimeoutSeconds = 3, FailureThreshold = 60 };
        }
        foreach (var probe in (ProbeV1?[])[container.StartupProbe, container.ReadinessProbe, container.LivenessProbe])
        {
            // Aspire writes the endpoint's scheme as it is; Kubernetes knows it in capitals alone.
            if (probe?.HttpGet is { } get)
                get.Scheme = get.Scheme.ToUpperInvariant();
        }
    }

    private static void AddCompose(IDistributedApplicationBuilder builder)
    {
        builder.AddDockerComposeEnvironment("compose");
        foreach (var server in builder.Resources.OfType<ContainerResource>().ToArray())
            builder.CreateResourceBuilder(server).PublishAsDockerComposeService((_, service) => service.Restart = "unless-stopped");
        foreach (var project in builder.Resources.OfType<ProjectResource>().ToArray())
        {
            var resources = Of(builder, project);
            var isJob = IsWaitedToComplete(builder, project);
            builder.CreateResourceBuilder(project).PublishAsDockerComposeService((_, service) =>
            {
                service.Restart = isJob ? "on-failure" : "unless-stopped";
                service.StopGracePeriod = "60s";
                service.ReadOnly = true;
                service.Tmpfs.Add("/tmp");
                service.CapDrop.Add("ALL");
                service.SecurityOpt.Add("no-new-privileges:true");
                service.Deploy = new()
                {
                    Replicas = project.GetReplicaCount(),
                    Resources = new()
                    {
                        Reservations = new() { Cpus = Cores(resources.Cpu), Memory = Bytes(resources.Memory) },
                        Limits = new() { Cpus = Cores(resources.CpuLimit), Memory = Bytes(resources.MemoryLimit) },
                    },
                };
            });
        }

        // 500m of Kubernetes is half a core of Compose, and its 512Mi are Compose's 512m.
        static string Cores(string quantity) =>
            quantity.EndsWith('m') ? (decimal.Parse(quantity[..^1], CultureInfo.InvariantCulture) / 1000).ToString(CultureInfo.InvariantCulture) : quantity;
        static string Bytes(string quantity) => quantity.EndsWith('i') ? quantity[..^1].ToLowerInvariant() : quantity;
    }

    private static bool IsWaitedToComplete(IDistributedApplicationBuilder builder, ProjectResource resource) =>
        builder.Resources.SelectMany(other => other.Annotations.OfType<WaitAnnotation>()).Any(wait => wait.WaitType == WaitType.WaitForCompletion && wait.Resource == resource);

    private static ServiceResources Of(IDistributedApplicationBuilder builder, ProjectResource resource) =>
        builder.Configuration.GetSection($"publish:services:{resource.Name}").Get<ServiceResources>() ?? new();

    /// <summary>publish:services:NAME, with the defaults of the local way's chart.</summary>
    private sealed record ServiceResources
    {
        public bool Enabled { get; init; } = true;

        public string Cpu { get; init; } = "250m";

        public string CpuLimit { get; init; } = "2";

        public string Memory { get; init; } = "256Mi";

        public string MemoryLimit { get; init; } = "512Mi";

        public ResourceRequirementsV1 ToKubernetes() => new()
        {
            Requests = { ["cpu"] = Cpu, ["memory"] = Memory },
            Limits = { ["cpu"] = CpuLimit, ["memory"] = MemoryLimit },
        };
    }

    /// <summary>Aspire knows Deployment and StatefulSet alone, which would start the migrations again whenever they are done.</summary>
    private sealed class MigrationJob() : Workload("batch/v1", "Job")
    {
        public required JobSpec Spec { get; init; }

        public override PodTemplateSpecV1 PodTemplate => Spec.Template;

        public static MigrationJob Of(Workload deployment)
        {
            var job = new MigrationJob { Spec = new JobSpec { Template = deployment.PodTemplate } };
            // A Job cannot be changed, so each revision has its own.
            job.Metadata.Name = $"{deployment.Metadata.Name.Replace("-deployment", "", StringComparison.Ordinal)}-job-{{{{ .Release.Revision }}}}";
            foreach (var (key, value) in deployment.Metadata.Labels)
                job.Metadata.Labels[key] = value;
            return job;
        }
    }

    private sealed class JobSpec
    {
        public int BackoffLimit { get; init; } = 20;

        public int TtlSecondsAfterFinished { get; init; } = 86400;

        public required PodTemplateSpecV1 Template { get; init; }
    }
}
