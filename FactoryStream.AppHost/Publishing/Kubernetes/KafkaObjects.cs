using FactoryStream.AppHost.Publishing.Helm;
using k8s.Models;

namespace FactoryStream.AppHost.Publishing.Kubernetes;

/// <summary>A Kafka of one node, for those who have none: broker and controller in one, its log on a claim.</summary>
internal static class KafkaObjects
{
    public static void Add(ApplicationChart application, KafkaServerResource kafka)
    {
        var chart = application.Chart;
        var values = chart.Values;
        var key = HelmNames.Key(kafka.Name);
        values.Describe(key, "Kafka.");
        values.Describe($"{key}.external", "A Kafka of your own, where enabled is false.");
        var enabled = application.Condition(kafka.Name)!;
        values.Text($"{key}.external.bootstrapServers", "", "Bootstrap address of a Kafka of your own, for instance plant-kafka-bootstrap.kafka:9092.");
        values.Text(ClientSecretKey(kafka), "", "Secret whose keys are client settings, for TLS and passwords: SecurityProtocol, SaslMechanism, SaslUsername, SaslPassword, SslCaPem, ...");
        values.Text(KedaAuthenticationKey(kafka), "", "TriggerAuthentication by which KEDA signs in at it (sasl, tls, username, password, ca); needed for autoscaling by lag.");
        var labels = application.Labels(kafka.Name);
        var service = HelmNames.Service(kafka.Name);

        chart.Add(kafka.Name, "config", new V1ConfigMap
        {
            ApiVersion = "v1",
            Kind = "ConfigMap",
            Metadata = new V1ObjectMeta { Name = HelmNames.Config(kafka.Name), Labels = application.Labels(kafka.Name) },
            Data = new Dictionary<string, string>(ContainerImages.KafkaSettings)
            {
                ["KAFKA_ADVERTISED_LISTENERS"] = chart.Tokens.Text("PLAINTEXT://" + Address(kafka)),
                ["KAFKA_HEAP_OPTS"] = chart.Tokens.Text(values.Text($"{key}.heap", "-Xms512m -Xmx512m", "The Java heap; the memory limit must hold it and as much again.")),
            },
        }, enabled);

        var (claim, claimValues) = Pods.Claim(chart, key, $"{kafka.Name}-data", "10Gi");
        chart.Add(kafka.Name, "statefulset", new V1StatefulSet
        {
            ApiVersion = "apps/v1",
            Kind = "StatefulSet",
            Metadata = new V1ObjectMeta { Name = $"{kafka.Name}-statefulset", Labels = labels },
            Spec = new V1StatefulSetSpec
            {
                ServiceName = service,
                Replicas = 1,
                Selector = new V1LabelSelector { MatchLabels = labels },
                Template = new V1PodTemplateSpec
                {
                    Metadata = new V1ObjectMeta
                    {
                        Labels = labels,
                        Annotations = new Dictionary<string, string> { ["checksum/config"] = ServiceObjects.ConfigChecksum(chart, kafka.Name) },
                    },
                    Spec = new V1PodSpec
                    {
                        AutomountServiceAccountToken = false,
                        // Kubernetes would set KAFKA_SERVICE_PORT and the like, and the image takes every KAFKA_ variable for a setting.
                        EnableServiceLinks = false,
                        SecurityContext = Pods.PodSecurity(ContainerImages.KafkaUser, ownsVolumes: true),
                        // A clean stop writes its indices, which spares the next start a recovery.
                        TerminationGracePeriodSeconds = 120,
                        Containers =
                        [
                            new V1Container
                            {
                                Name = kafka.Name,
                                Image = chart.Tokens.Text(Pods.Image(chart, key, ContainerImages.KafkaRepository, ContainerImages.KafkaTag)),
                                ImagePullPolicy = "IfNotPresent",
                                EnvFrom = [new V1EnvFromSource { ConfigMapRef = new V1ConfigMapEnvSource { Name = HelmNames.Config(kafka.Name) } }],
                                Ports =
                                [
                                    new V1ContainerPort { Name = "tcp", ContainerPort = ContainerImages.KafkaPort, Protocol = "TCP" },
                                    new V1ContainerPort { Name = "controller", ContainerPort = ContainerImages.KafkaControllerPort, Protocol = "TCP" },
                                ],
                                // Ten minutes: after a crash it first reads its log again.
                                StartupProbe = Probe(failures: 300, period: 2),
                                ReadinessProbe = Probe(failures: 3, period: 5),
                                LivenessProbe = Probe(failures: 6, period: 10),
                                Resources = Pods.Resources(chart, key, "500m", "2", "1Gi", "2Gi"),
                                SecurityContext = Pods.ContainerSecurity(),
                                VolumeMounts =
                                [
                                    new V1VolumeMount { Name = $"{kafka.Name}-data", MountPath = ContainerImages.KafkaData },
                                    // Where the image's start script writes the configuration that it makes of the variables, and Java its logs.
                                    new V1VolumeMount { Name = "config", MountPath = "/opt/kafka/config" },
                                    new V1VolumeMount { Name = "logs", MountPath = "/opt/kafka/logs" },
                                    new V1VolumeMount { Name = "tmp", MountPath = "/tmp" },
                                ],
                            },
                        ],
                        Volumes = [Pods.Scratch("config", "16Mi"), Pods.Scratch("logs", "512Mi"), Pods.Scratch("tmp", "64Mi")],
                    },
                },
                VolumeClaimTemplates = [claim],
            },
        }, enabled, new Dictionary<string, string>(claimValues.Concat(Pods.CommonValues(chart, "spec.template.spec"))));

        chart.Add(kafka.Name, "service", new V1Service
        {
            ApiVersion = "v1",
            Kind = "Service",
            Metadata = new V1ObjectMeta { Name = service, Labels = application.Labels(kafka.Name) },
            Spec = new V1ServiceSpec
            {
                // Headless: clients must reach the broker itself, and there is one.
                ClusterIP = "None",
                Selector = application.Labels(kafka.Name),
                Ports = [new V1ServicePort { Name = "tcp", Port = ContainerImages.KafkaPort, TargetPort = "tcp", Protocol = "TCP" }],
            },
        }, enabled);
    }

    /// <summary>The bootstrap address that services are told.</summary>
    public static HelmString ConnectionString(ApplicationChart application, KafkaServerResource kafka)
    {
        var key = HelmNames.Key(kafka.Name);
        return HelmString.Choose(
            application.Condition(kafka.Name)!, Address(kafka),
            HelmString.Required($".Values.{key}.external.bootstrapServers", $"{key}.external.bootstrapServers is missing"));
    }

    /// <summary>The client settings of a Kafka of the user's own, as variables of a pod. Optional: without the value no Secret of this name need exist.</summary>
    public static V1EnvFromSource ClientSettings(ApplicationChart application, KafkaServerResource kafka) => new()
    {
        Prefix = $"{FactoryStream.ServiceDefaults.Kafka.KafkaConnection.Section}__",
        SecretRef = new V1SecretEnvSource
        {
            Name = application.Chart.Tokens.Text(HelmString.Of($"default \"kafka-client\" .Values.{ClientSecretKey(kafka)}")),
            Optional = true,
        },
    };

    /// <summary>The TriggerAuthentication of KEDA's; empty if there is none.</summary>
    public static string KedaAuthentication(ApplicationChart application, KafkaServerResource kafka) =>
        application.Chart.Tokens.TextIf($".Values.{KedaAuthenticationKey(kafka)}", HelmString.Of($".Values.{KedaAuthenticationKey(kafka)}"));

    private static string ClientSecretKey(KafkaServerResource kafka) => $"{HelmNames.Key(kafka.Name)}.external.clientSecret";

    private static string KedaAuthenticationKey(KafkaServerResource kafka) => $"{HelmNames.Key(kafka.Name)}.external.kedaAuthentication";

    /// <summary>With the namespace, so that an autoscaler in another one finds the broker by what the broker says of itself.</summary>
    private static HelmString Address(KafkaServerResource kafka) =>
        HelmString.Concat($"{HelmNames.Service(kafka.Name)}.", HelmString.Of(".Release.Namespace"), $".svc:{ContainerImages.KafkaPort}");

    private static V1Probe Probe(int failures, int period) => new()
    {
        TcpSocket = new V1TCPSocketAction { Port = "tcp" },
        PeriodSeconds = period,
        TimeoutSeconds = 3,
        FailureThreshold = failures,
    };
}
