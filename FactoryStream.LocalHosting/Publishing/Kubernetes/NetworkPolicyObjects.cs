using k8s.Models;

namespace FactoryStream.LocalHosting.Publishing.Kubernetes;

/// <summary>
/// Who may talk to whom: the edges of the app model and nothing else. Only external services are reached from outside the chart; the servers in
/// it talk to nobody.
/// </summary>
internal static class NetworkPolicyObjects
{
    public static void Add(ApplicationChart application)
    {
        var chart = application.Chart;
        chart.Values.Describe("networkPolicy", "Who may talk to whom.");
        var enabled = chart.Values.Flag("networkPolicy.enabled", true, "Whether pods accept connections only from those that the application lets them have.");
        var keda = chart.Values.Text("networkPolicy.kedaNamespace", "keda", "Namespace of KEDA, which asks Kafka for the lag.");
        foreach (var project in application.Projects)
        {
            var rules = new List<V1NetworkPolicyIngressRule>();
            var port = new V1NetworkPolicyPort { Port = ContainerImages.DotnetPort, Protocol = "TCP" };
            if (project.Endpoints.Any(endpoint => endpoint.IsExternal))
                rules.Add(new V1NetworkPolicyIngressRule { Ports = [port] });
            else if (Clients(application, project.Name) is { Count: > 0 } clients)
                rules.Add(new V1NetworkPolicyIngressRule { FromProperty = clients, Ports = [port] });
            Add(application, project.Name, rules, reachesOthers: true, Both(enabled, application.Condition(project.Name)));
        }
        if (application.Kafka is not null)
        {
            var clients = Clients(application, application.Kafka.Name);
            clients.Add(new V1NetworkPolicyPeer
            {
                NamespaceSelector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = chart.Tokens.Text(keda) } },
            });
            Add(application, application.Kafka.Name, [Rule(clients, ContainerImages.KafkaPort)], reachesOthers: false, Both(enabled, application.Condition(application.Kafka.Name)));
        }
        if (application.Postgres is not null)
        {
            var clients = Clients(application, application.Postgres.Name);
            Add(application, application.Postgres.Name, [Rule(clients, ContainerImages.PostgresPort)], reachesOthers: false, Both(enabled, application.Condition(application.Postgres.Name)));
        }
    }

    private static void Add(ApplicationChart application, string name, List<V1NetworkPolicyIngressRule> rules, bool reachesOthers, string condition) =>
        application.Chart.Add(name, "networkpolicy", new V1NetworkPolicy
        {
            ApiVersion = "networking.k8s.io/v1",
            Kind = "NetworkPolicy",
            Metadata = new V1ObjectMeta { Name = $"{name}-networkpolicy", Labels = application.Labels(name) },
            Spec = new V1NetworkPolicySpec
            {
                PodSelector = new V1LabelSelector { MatchLabels = application.Labels(name) },
                // A service reaches servers and collectors that the chart cannot know, so its own connections stay free.
                PolicyTypes = reachesOthers ? ["Ingress"] : ["Ingress", "Egress"],
                Ingress = rules,
                Egress = reachesOthers ? null : [],
            },
        }, condition);

    private static V1NetworkPolicyIngressRule Rule(List<V1NetworkPolicyPeer> clients, int port) =>
        new() { FromProperty = clients, Ports = [new V1NetworkPolicyPort { Port = port, Protocol = "TCP" }] };

    private static List<V1NetworkPolicyPeer> Clients(ApplicationChart application, string server) =>
    [
        .. application.Projects
            .Where(project => project.Servers.Contains(server))
            .Select(project => new V1NetworkPolicyPeer { PodSelector = new V1LabelSelector { MatchLabels = application.Labels(project.Name) } }),
    ];

    private static string Both(string first, string? second) => second is null ? first : $"and {first} {second}";
}
