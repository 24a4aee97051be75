using FactoryStream.AppHost.Publishing.Helm;
using k8s.Models;

namespace FactoryStream.AppHost.Publishing.Kubernetes;

/// <summary>A PostgreSQL of one instance, for those who have none, its data on a claim.</summary>
internal static class PostgresObjects
{
    public static void Add(ApplicationChart application, PostgresServerResource postgres, IEnumerable<PostgresDatabaseResource> databases)
    {
        var chart = application.Chart;
        var values = chart.Values;
        var key = HelmNames.Key(postgres.Name);
        values.Describe(key, "PostgreSQL.");
        values.Describe($"{key}.external", "A server of your own, where enabled is false.");
        var enabled = application.Condition(postgres.Name)!;
        values.Text($"{key}.external.host", "", "Host of a server of your own, for instance plant-db-rw.databases.");
        values.Number($"{key}.external.port", ContainerImages.PostgresPort, "Its port.");
        values.Text($"{key}.external.username", ContainerImages.PostgresUserName, "A user who may create schemas in the database, or owns the schema factory.");
        var database = databases.Single().DatabaseName;
        values.Text($"{key}.external.database", database, "The database, which must be there.");
        values.Text($"{key}.external.options", "", "More of the connection string, for instance SSL Mode=VerifyFull.");
        var labels = application.Labels(postgres.Name);
        var service = HelmNames.Service(postgres.Name);

        var (claim, claimValues) = Pods.Claim(chart, key, $"{postgres.Name}-data", "50Gi");
        chart.Add(postgres.Name, "statefulset", new V1StatefulSet
        {
            ApiVersion = "apps/v1",
            Kind = "StatefulSet",
            Metadata = new V1ObjectMeta { Name = $"{postgres.Name}-statefulset", Labels = labels },
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
                        Annotations = new Dictionary<string, string> { ["checksum/config"] = ServiceObjects.ConfigChecksum(chart, postgres.Name) },
                    },
                    Spec = new V1PodSpec
                    {
                        AutomountServiceAccountToken = false,
                        EnableServiceLinks = false,
                        SecurityContext = Pods.PodSecurity(ContainerImages.PostgresUser, ownsVolumes: true),
                        // The checkpoint of a clean stop takes as long as the disk does.
                        TerminationGracePeriodSeconds = 120,
                        Containers =
                        [
                            new V1Container
                            {
                                Name = postgres.Name,
                                Image = chart.Tokens.Text(Pods.Image(chart, key, ContainerImages.PostgresRepository, ContainerImages.PostgresTag)),
                                ImagePullPolicy = "IfNotPresent",
                                EnvFrom = [new V1EnvFromSource { ConfigMapRef = new V1ConfigMapEnvSource { Name = HelmNames.Config(postgres.Name) } }],
                                Env = [new V1EnvVar { Name = "POSTGRES_PASSWORD", ValueFrom = ParameterObjects.Source(application, postgres.PasswordParameter) }],
                                Ports = [new V1ContainerPort { Name = "tcp", ContainerPort = ContainerImages.PostgresPort, Protocol = "TCP" }],
                                // Ten minutes: after a crash it first reads its log again.
                                StartupProbe = Probe(database, failures: 300, period: 2),
                                ReadinessProbe = Probe(database, failures: 3, period: 5),
                                LivenessProbe = Probe(database, failures: 6, period: 10),
                                Resources = Pods.Resources(chart, key, "500m", "4", "1Gi", "2Gi"),
                                SecurityContext = Pods.ContainerSecurity(),
                                VolumeMounts =
                                [
                                    new V1VolumeMount { Name = $"{postgres.Name}-data", MountPath = ContainerImages.PostgresData },
                                    new V1VolumeMount { Name = "run", MountPath = "/var/run/postgresql" },
                                    // A runtime's own 64 MiB are too few for parallel queries.
                                    new V1VolumeMount { Name = "shared-memory", MountPath = "/dev/shm" },
                                    new V1VolumeMount { Name = "tmp", MountPath = "/tmp" },
                                ],
                            },
                        ],
                        Volumes = [Pods.Scratch("run", "1Mi"), Pods.Scratch("shared-memory", "256Mi", inMemory: true), Pods.Scratch("tmp", "64Mi")],
                    },
                },
                VolumeClaimTemplates = [claim],
            },
        }, enabled, new Dictionary<string, string>(claimValues.Concat(Pods.CommonValues(chart, "spec.template.spec"))));

        chart.Add(postgres.Name, "config", new V1ConfigMap
        {
            ApiVersion = "v1",
            Kind = "ConfigMap",
            Metadata = new V1ObjectMeta { Name = HelmNames.Config(postgres.Name), Labels = application.Labels(postgres.Name) },
            Data = new Dictionary<string, string>
            {
                ["POSTGRES_HOST_AUTH_METHOD"] = "scram-sha-256",
                ["POSTGRES_INITDB_ARGS"] = ContainerImages.PostgresInitialize,
                ["POSTGRES_USER"] = ContainerImages.PostgresUserName,
                ["POSTGRES_DB"] = database,
                // Named, not left to the image: a volume's data must be found again whatever the image's default becomes.
                ["PGDATA"] = $"{ContainerImages.PostgresData}/{ContainerImages.PostgresTag.Split('.')[0]}/data",
            },
        }, enabled);

        chart.Add(postgres.Name, "service", new V1Service
        {
            ApiVersion = "v1",
            Kind = "Service",
            Metadata = new V1ObjectMeta { Name = service, Labels = application.Labels(postgres.Name) },
            Spec = new V1ServiceSpec
            {
                Type = "ClusterIP",
                Selector = application.Labels(postgres.Name),
                Ports = [new V1ServicePort { Name = "tcp", Port = ContainerImages.PostgresPort, TargetPort = "tcp", Protocol = "TCP" }],
            },
        }, enabled);
    }

    /// <summary>A database's connection string; the password is a variable of the pod, which Kubernetes puts in.</summary>
    public static HelmString ConnectionString(ApplicationChart application, PostgresDatabaseResource database)
    {
        var key = HelmNames.Key(database.Parent.Name);
        // Quoted, since a password of somebody else's making may hold a semicolon.
        var password = $"Password=\"$({PasswordVariable(database.Parent)})\"";
        var server = $".Values.{key}.external";
        var own = $"Host={HelmNames.Service(database.Parent.Name)};Port={ContainerImages.PostgresPort};Username={ContainerImages.PostgresUserName};{password};Database={database.DatabaseName}";
        var external = HelmString.Concat(
            "Host=", HelmString.Required($"{server}.host", $"{key}.external.host is missing"),
            ";Port=", HelmString.Of($"{server}.port | int"),
            ";Username=", HelmString.Of($"{server}.username"),
            $";{password};Database=", HelmString.Of($"{server}.database"),
            ";", HelmString.Of($"{server}.options"));
        return HelmString.Choose(application.Condition(database.Parent.Name)!, own, external);
    }

    public static string PasswordVariable(PostgresServerResource postgres) => HelmNames.Variable(postgres.PasswordParameter.Name);

    // Over TCP: while the image's first start still prepares the database, its server answers on the socket alone.
    private static V1Probe Probe(string database, int failures, int period) => new()
    {
        Exec = new V1ExecAction { Command = ["pg_isready", "--host=127.0.0.1", $"--username={ContainerImages.PostgresUserName}", $"--dbname={database}"] },
        PeriodSeconds = period,
        TimeoutSeconds = 5,
        FailureThreshold = failures,
    };
}
