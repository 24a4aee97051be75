using FactoryStream.AppHost.Publishing.Helm;
using k8s.Models;

namespace FactoryStream.AppHost.Publishing.Kubernetes;

/// <summary>
/// Who may talk to whom: the edges of the app model and nothing else. Only external services are reached from outside the chart; the servers in
/// it talk to nobody.
/// </summary>
internal static class NetworkPolicyObjects
{
    public static void Add(ApplicationChart application)
    {
        var chart = application.Chart;
        const string enabled = ".Values.networkPolicy.enabled";
        foreach (var project in application.Projects)
        {
            var rules = new List<V1NetworkPolicyIngressRule>();
            var port = new V1NetworkPolicyPort { Port = ContainerImages.DotnetPort, Protocol = "TCP" };
            if (project.Endpoints.Any(endpoint => endpoint.IsExternal))
                rules.Add(new V1NetworkPolicyIngressRule { Ports = [port] });
            else if (Clients(application, project.Name) is { Count: > 0 } clients)
                rules.Add(new V1NetworkPolicyIngressRule { FromProperty = clients, Ports = [port] });
            // A service reaches servers and collectors that the chart cannot know, so its own connections stay free.
            Add(application, project.Name, rules, reached: null, Both(enabled, application.Condition(project.Name)));
        }
        if (application.Kafka is not null)
        {
            var clients = Clients(application, application.Kafka.Name);
            // KEDA and Kafka's own pods (a broker calls itself).
            clients.Add(new V1NetworkPolicyPeer { PodSelector = new V1LabelSelector { MatchLabels = application.Labels(application.Kafka.Name) } });
            clients.Add(new V1NetworkPolicyPeer
            {
                NamespaceSelector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = chart.Tokens.Text(HelmString.Of(".Values.networkPolicy.kedaNamespace")) } },
            });
            Add(application, application.Kafka.Name, [Rule(clients, ContainerImages.KafkaPort)], [ToItself(application, application.Kafka.Name)], Both(enabled, application.Condition(application.Kafka.Name)));
        }
        if (application.Postgres is not null)
        {
            var clients = Clients(application, application.Postgres.Name);
            Add(application, application.Postgres.Name, [Rule(clients, ContainerImages.PostgresPort)], [], Both(enabled, application.Condition(application.Postgres.Name)));
        }
    }

    private static void Add(ApplicationChart application, string name, List<V1NetworkPolicyIngressRule> rules, List<V1NetworkPolicyEgressRule>? reached, string condition) =>
        application.Chart.Add(name, "networkpolicy", new V1NetworkPolicy
        {
            ApiVersion = "networking.k8s.io/v1",
            Kind = "NetworkPolicy",
            Metadata = new V1ObjectMeta { Name = $"{name}-networkpolicy", Labels = application.Labels(name) },
            Spec = new V1NetworkPolicySpec
            {
                PodSelector = new V1LabelSelector { MatchLabels = application.Labels(name) },
                PolicyTypes = reached is null ? ["Ingress"] : ["Ingress", "Egress"],
                Ingress = rules,
                Egress = reached,
            },
        }, condition);

    private static V1NetworkPolicyIngressRule Rule(List<V1NetworkPolicyPeer> clients, int port) =>
        new() { FromProperty = clients, Ports = [new V1NetworkPolicyPort { Port = port, Protocol = "TCP" }] };

    /// <summary>A broker is a client of itself, by its advertised address, for instance where there are transactions; names are looked up on port 53.</summary>
    private static V1NetworkPolicyEgressRule ToItself(ApplicationChart application, string name) => new()
    {
        To =
        [
            new V1NetworkPolicyPeer { PodSelector = new V1LabelSelector { MatchLabels = application.Labels(name) } },
            new V1NetworkPolicyPeer { NamespaceSelector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = "kube-system" } } },
        ],
        Ports =
        [
            new V1NetworkPolicyPort { Port = ContainerImages.KafkaPort, Protocol = "TCP" },
            new V1NetworkPolicyPort { Port = 53, Protocol = "UDP" },
            new V1NetworkPolicyPort { Port = 53, Protocol = "TCP" },
        ],
    };

    private static List<V1NetworkPolicyPeer> Clients(ApplicationChart application, string server) =>
    [
        .. application.Projects
            .Where(project => project.Servers.Contains(server))
            .Select(project => new V1NetworkPolicyPeer { PodSelector = new V1LabelSelector { MatchLabels = application.Labels(project.Name) } }),
    ];

    private static string Both(string first, string? second) => second is null ? first : $"and {first} {second}";
}
