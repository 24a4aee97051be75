using System.Text.Json.Nodes;
using FactoryStream.AppHost.Publishing.Helm;
using k8s.Models;

namespace FactoryStream.AppHost.Publishing.Kubernetes;

/// <summary>One of the application's own services: a Deployment, or a Job if others wait for its completion.</summary>
internal static class ServiceObjects
{
    private const string HttpPort = "http";

    public static void Add(ApplicationChart application, PublishedResource service)
    {
        var chart = application.Chart;
        var key = HelmNames.Key(service.Name);
        var isJob = application.Jobs.Contains(service.Name);
        chart.Values.Describe(key, isJob ? $"The job {service.Name}, which makes database and topics ready; it runs once an installation or upgrade." : $"The service {service.Name}.");
        var condition = application.Condition(service.Name);
        // First in values.yaml, where people look for it.
        if (!isJob)
            _ = (AutoscalingObjects.Replicas(application, service), AutoscalingObjects.FixedCount(application, service));

        var pod = Pod(application, service, isJob);
        var replace = Pods.CommonValues(chart, "spec.template.spec");
        AddConfig(application, service, condition);
        chart.Add(service.Name, "serviceaccount", new V1ServiceAccount
        {
            ApiVersion = "v1",
            Kind = "ServiceAccount",
            Metadata = new V1ObjectMeta { Name = HelmNames.Account(service.Name), Labels = application.Labels(service.Name) },
            AutomountServiceAccountToken = false,
        }, condition);
        if (isJob)
        {
            AddJob(application, service, pod, condition, replace);
            return;
        }
        AddDeployment(application, service, pod, condition, replace);
        AddService(application, service, condition);
        AddIngress(application, service);
        chart.Add(service.Name, "poddisruptionbudget", new V1PodDisruptionBudget
        {
            ApiVersion = "policy/v1",
            Kind = "PodDisruptionBudget",
            Metadata = new V1ObjectMeta { Name = $"{service.Name}-pdb", Labels = application.Labels(service.Name) },
            // Not minAvailable: with one pod that would keep its node from ever being drained.
            Spec = new V1PodDisruptionBudgetSpec { MaxUnavailable = 1, Selector = new V1LabelSelector { MatchLabels = application.Labels(service.Name) } },
        }, condition);
        AutoscalingObjects.Add(application, service, condition);
    }

    /// <summary>The port that others reach the service by: the one it has on a single machine, if it has one.</summary>
    public static int Port(PublishedResource service) => service.Endpoints.Single().Port ?? ContainerImages.DotnetPort;

    /// <summary>Changes when the resource's configuration does, so that its pods are replaced.</summary>
    public static string ConfigChecksum(HelmChart chart, string resource) =>
        chart.Tokens.Text(HelmString.Of($"include (print .Template.BasePath \"/{resource}/config.yaml\") . | sha256sum"));

    private static V1PodTemplateSpec Pod(ApplicationChart application, PublishedResource service, bool isJob)
    {
        var chart = application.Chart;
        var values = chart.Values;
        var key = HelmNames.Key(service.Name);
        var options = application.Options.Of(service.Name);
        var hasEndpoint = service.Endpoints.Count > 0;
        var repository = values.Text($"{key}.image.repository", service.ContainerRepository, "Repository of the service's image, within image.registry.");
        var container = new V1Container
        {
            Name = service.Name,
            Image = chart.Tokens.Text(HelmString.Concat(
                HelmString.Choose(".Values.image.registry", HelmString.Of(".Values.image.registry") + "/", ""),
                repository, ":", HelmString.Of("default .Chart.AppVersion .Values.image.tag"))),
            ImagePullPolicy = chart.Tokens.Text(HelmString.Of(".Values.image.pullPolicy")),
            Args = service.Arguments.Count == 0 ? null : [.. service.Arguments.Select(argument => chart.Tokens.Text(Text(application, service, argument)))],
            EnvFrom =
            [
                new V1EnvFromSource { ConfigMapRef = new V1ConfigMapEnvSource { Name = HelmNames.Config(service.Name) } },
                // Optional: without the value no Secret of this name need exist.
                new V1EnvFromSource { SecretRef = new V1SecretEnvSource { Name = chart.Tokens.Text(HelmString.Of("default \"otlp-headers\" .Values.otlp.headersSecret")), Optional = true } },
                .. service.Environment.Any(variable => variable.Value is KafkaServerResource) ? [KafkaObjects.ClientSettings(application, application.Kafka!)] : (V1EnvFromSource[])[],
            ],
            Env = Environment(application, service),
            Resources = Pods.Resources(chart, key, options.Cpu, options.CpuLimit, options.Memory, options.MemoryLimit),
            SecurityContext = Pods.ContainerSecurity(),
            VolumeMounts = [new V1VolumeMount { Name = "tmp", MountPath = "/tmp" }],
        };
        if (hasEndpoint)
        {
            container.Ports = [new V1ContainerPort { Name = HttpPort, ContainerPort = ContainerImages.DotnetPort, Protocol = "TCP" }];
            // The start may take its time: what else would be a first delay guessed for the liveness probe.
            container.StartupProbe = Probe(service, ProbeType.Startup) ?? Probe(service, ProbeType.Liveness, period: 2, failures: 60);
            container.ReadinessProbe = Probe(service, ProbeType.Readiness);
            container.LivenessProbe = Probe(service, ProbeType.Liveness);
            // Until every node has heard that the pod leaves, requests still come.
            if (service.Endpoints.Any(endpoint => endpoint.IsExternal))
                container.Lifecycle = new V1Lifecycle { PreStop = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 5 } } };
        }
        return new V1PodTemplateSpec
        {
            Metadata = new V1ObjectMeta
            {
                Labels = application.Labels(service.Name),
                Annotations = new Dictionary<string, string> { ["checksum/config"] = ConfigChecksum(chart, service.Name) },
            },
            Spec = new V1PodSpec
            {
                ServiceAccountName = HelmNames.Account(service.Name),
                AutomountServiceAccountToken = false,
                EnableServiceLinks = false,
                SecurityContext = Pods.PodSecurity(ContainerImages.DotnetUser),
                RestartPolicy = isJob ? "OnFailure" : null,
                TerminationGracePeriodSeconds = isJob ? null : chart.Tokens.Number(values.Number(
                    $"{key}.terminationGracePeriodSeconds", 60, "How long it may take to finish and commit what it has.")),
                TopologySpreadConstraints = isJob ? null :
                [
                    new V1TopologySpreadConstraint
                    {
                        MaxSkew = 1,
                        TopologyKey = "kubernetes.io/hostname",
                        WhenUnsatisfiable = "ScheduleAnyway",
                        LabelSelector = new V1LabelSelector { MatchLabels = application.Labels(service.Name) },
                    },
                ],
                Containers = [container],
                Volumes = [Pods.Scratch("tmp", "256Mi")],
            },
        };
    }

    private static void AddDeployment(ApplicationChart application, PublishedResource service, V1PodTemplateSpec pod, string? condition, Dictionary<string, string> replace)
    {
        var chart = application.Chart;
        var replicas = AutoscalingObjects.Replicas(application, service);
        chart.Add(service.Name, "deployment", new V1Deployment
        {
            ApiVersion = "apps/v1",
            Kind = "Deployment",
            Metadata = new V1ObjectMeta { Name = $"{service.Name}-deployment", Labels = application.Labels(service.Name) },
            Spec = new V1DeploymentSpec
            {
                Replicas = AutoscalingObjects.FixedCount(application, service) is { } isFixed ? chart.Tokens.NumberIf(isFixed, replicas) : chart.Tokens.Number(replicas),
                RevisionHistoryLimit = 3,
                Selector = new V1LabelSelector { MatchLabels = application.Labels(service.Name) },
                Strategy = new V1DeploymentStrategy { Type = "RollingUpdate", RollingUpdate = new V1RollingUpdateDeployment { MaxSurge = 1, MaxUnavailable = 0 } },
                Template = pod,
            },
        }, condition, replace);
    }

    private static void AddJob(ApplicationChart application, PublishedResource service, V1PodTemplateSpec pod, string? condition, Dictionary<string, string> replace)
    {
        var chart = application.Chart;
        chart.Add(service.Name, "job", new V1Job
        {
            ApiVersion = "batch/v1",
            Kind = "Job",
            Metadata = new V1ObjectMeta
            {
                // A Job cannot be changed, so each revision has its own. No Helm hook: one before the installation would run before the
                // database is there, one after it only when the services are ready, which wait for the tables.
                Name = chart.Tokens.Text(HelmString.Concat($"{service.Name}-job-", HelmString.Of(".Release.Revision"))),
                Labels = application.Labels(service.Name),
            },
            Spec = new V1JobSpec
            {
                BackoffLimit = chart.Tokens.Number(chart.Values.Number($"{HelmNames.Key(service.Name)}.backoffLimit", 20, "How often it is tried again, ever more slowly, while Kafka or the database is not there.")),
                TtlSecondsAfterFinished = chart.Tokens.Number(chart.Values.Number($"{HelmNames.Key(service.Name)}.ttlSecondsAfterFinished", 86400, "How long the finished job is kept, for its log.")),
                Template = pod,
            },
        }, condition, replace);
    }

    private static void AddConfig(ApplicationChart application, PublishedResource service, string? condition)
    {
        var chart = application.Chart;
        var key = HelmNames.Key(service.Name);
        var data = new Dictionary<string, string>
        {
            ["OTEL_SERVICE_NAME"] = service.Name,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = chart.Tokens.TextIf(".Values.otlp.endpoint", HelmString.Of(".Values.otlp.endpoint")),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = chart.Tokens.TextIf(".Values.otlp.endpoint", HelmString.Of(".Values.otlp.protocol")),
            ["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory",
        };
        if (service.Endpoints.Count > 0)
        {
            data["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true";
            data["HTTP_PORTS"] = $"{ContainerImages.DotnetPort}";
        }
        var settings = new JsonObject();
        foreach (var (name, value) in service.Environment)
        {
            if (value is string text)
                settings[name] = text;
            else if (!IsSecret(value))
                data[name] = chart.Tokens.Text(Text(application, service, value));
        }
        data[chart.Tokens.Entries(chart.Values.Scalars($"{key}.config", settings, "More environment variables, for instance the service's own options."))] = "";
        chart.Add(service.Name, "config", new V1ConfigMap
        {
            ApiVersion = "v1",
            Kind = "ConfigMap",
            Metadata = new V1ObjectMeta { Name = HelmNames.Config(service.Name), Labels = application.Labels(service.Name) },
            Data = data,
        }, condition);
    }

    /// <summary>What a ConfigMap must not hold: secrets, and what is made of them in the pod.</summary>
    private static List<V1EnvVar> Environment(ApplicationChart application, PublishedResource service)
    {
        var chart = application.Chart;
        var variables = new List<V1EnvVar>
        {
            new() { Name = "POD_NAME", ValueFrom = new V1EnvVarSource { FieldRef = new V1ObjectFieldSelector { FieldPath = "metadata.name" } } },
            new() { Name = "POD_NAMESPACE", ValueFrom = new V1EnvVarSource { FieldRef = new V1ObjectFieldSelector { FieldPath = "metadata.namespace" } } },
            new() { Name = "OTEL_RESOURCE_ATTRIBUTES", Value = "service.instance.id=$(POD_NAME),k8s.pod.name=$(POD_NAME),k8s.namespace.name=$(POD_NAMESPACE)" },
        };
        foreach (var (name, value) in service.Environment)
        {
            if (value is ParameterResource { Secret: true } parameter)
                variables.Add(new V1EnvVar { Name = name, ValueFrom = ParameterObjects.Source(application, parameter) });
            if (value is not PostgresDatabaseResource database)
                continue;
            // Kubernetes puts in only what stands above.
            var password = PostgresObjects.PasswordVariable(database.Parent);
            if (variables.TrueForAll(variable => variable.Name != password))
                variables.Add(new V1EnvVar { Name = password, ValueFrom = ParameterObjects.Source(application, database.Parent.PasswordParameter) });
            variables.Add(new V1EnvVar { Name = name, Value = chart.Tokens.Text(PostgresObjects.ConnectionString(application, database)) });
        }
        return variables;
    }

    private static void AddService(ApplicationChart application, PublishedResource service, string? condition)
    {
        if (service.Endpoints.Count == 0)
            return;
        application.Chart.Add(service.Name, "service", new V1Service
        {
            ApiVersion = "v1",
            Kind = "Service",
            Metadata = new V1ObjectMeta { Name = HelmNames.Service(service.Name), Labels = application.Labels(service.Name) },
            Spec = new V1ServiceSpec
            {
                Type = "ClusterIP",
                Selector = application.Labels(service.Name),
                Ports = [new V1ServicePort { Name = HttpPort, Port = Port(service), TargetPort = HttpPort, Protocol = "TCP" }],
            },
        }, condition);
    }

    private static void AddIngress(ApplicationChart application, PublishedResource service)
    {
        if (!service.Endpoints.Any(endpoint => endpoint.IsExternal))
            return;
        var chart = application.Chart;
        var host = chart.Values.Text($"ingress.hosts.{HelmNames.Key(service.Name)}", $"{service.Name}.example.com", $"Host name of {service.Name}.");
        chart.Add(service.Name, "ingress", new V1Ingress
        {
            ApiVersion = "networking.k8s.io/v1",
            Kind = "Ingress",
            Metadata = new V1ObjectMeta
            {
                Name = $"{service.Name}-ingress",
                Labels = application.Labels(service.Name),
                Annotations = chart.Tokens.Map(".Values.ingress.annotations"),
            },
            Spec = new V1IngressSpec
            {
                IngressClassName = chart.Tokens.TextIf(".Values.ingress.className", HelmString.Of(".Values.ingress.className")),
                Rules =
                [
                    new V1IngressRule
                    {
                        Host = chart.Tokens.Text(host),
                        Http = new V1HTTPIngressRuleValue
                        {
                            Paths =
                            [
                                new V1HTTPIngressPath
                                {
                                    Path = "/",
                                    PathType = "Prefix",
                                    Backend = new V1IngressBackend
                                    {
                                        Service = new V1IngressServiceBackend { Name = HelmNames.Service(service.Name), Port = new V1ServiceBackendPort { Name = HttpPort } },
                                    },
                                },
                            ],
                        },
                    },
                ],
            },
        }, ".Values.ingress.enabled", new Dictionary<string, string> { ["spec.tls"] = chart.Tokens.Tree(".Values.ingress.tls") });
    }

    private static bool IsSecret(object value) => value is ParameterResource { Secret: true } or PostgresServerResource or PostgresDatabaseResource;

    private static HelmString Text(ApplicationChart application, PublishedResource service, object value) => value switch
    {
        string text => text,
        EndpointReference endpoint => Url(application, endpoint),
        KafkaServerResource kafka => KafkaObjects.ConnectionString(application, kafka),
        ParameterResource { Secret: false } parameter => application.Chart.Values.Text(
            $"parameters.{HelmNames.Key(parameter.Name)}.value", parameter.Default?.GetDefaultValue() ?? "", parameter.Description ?? $"The parameter {parameter.Name}."),
        _ => throw new DistributedApplicationException($"'{service.Name}' is told a {value.GetType().Name} where a chart has no place for it."),
    };

    private static HelmString Url(ApplicationChart application, EndpointReference endpoint)
    {
        var target = application.Projects.FirstOrDefault(project => project.Resource == endpoint.Resource)
            ?? throw new DistributedApplicationException($"'{endpoint.Resource.Name}' is no service of the chart.");
        return $"{endpoint.Scheme}://{HelmNames.Service(target.Name)}:{Port(target)}";
    }

    private static V1Probe? Probe(PublishedResource service, ProbeType type, int? period = null, int? failures = null) =>
        service.Resource.Annotations.OfType<EndpointProbeAnnotation>().SingleOrDefault(probe => probe.Type == type) is not { } told ? null : new()
        {
            HttpGet = new V1HTTPGetAction { Path = told.Path, Port = HttpPort, Scheme = "HTTP" },
            PeriodSeconds = period ?? told.PeriodSeconds,
            TimeoutSeconds = told.TimeoutSeconds,
            FailureThreshold = failures ?? told.FailureThreshold,
        };
}
