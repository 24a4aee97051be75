using System.Text.Json.Nodes;

namespace FactoryStream.AppHost.Publishing;

/// <summary>
/// What the app model says, in the words that the chart's templates read (<c>model.yaml</c>): names, ports, probes, edges, and what each
/// service gets of the others.
/// </summary>
internal static class ChartModel
{
    /// <summary>The port that a service has in the cluster if it has none on a single machine: what .NET's images listen on.</summary>
    private const int DefaultPort = 8080;

    public static JsonObject Of(PublishedApplication application)
    {
        var secrets = new JsonObject();
        foreach (var secret in application.Secrets)
            secrets[secret.Name] = new JsonObject { ["values"] = Key(secret.Name), ["length"] = PublishedApplication.LengthOf(secret) };
        var services = new JsonObject();
        foreach (var service in application.Services)
            services[service.Name] = Service(application, service);
        return new JsonObject
        {
            ["kafka"] = new JsonObject { ["clients"] = Texts(application.ClientsOf("kafka")) },
            ["postgres"] = new JsonObject { ["database"] = application.Database, ["clients"] = Texts(application.ClientsOf("postgres")) },
            ["secrets"] = secrets,
            ["services"] = services,
        };
    }

    /// <summary>A resource's name as a key of values.yaml: <c>admin-token</c> is <c>adminToken</c>.</summary>
    public static string Key(string resource) =>
        string.Concat(resource.Split('-').Select((word, index) => index == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..]));

    private static JsonObject Service(PublishedApplication application, PublishedResource service)
    {
        var entry = new JsonObject { ["values"] = Key(service.Name) };
        if (application.IsJob(service))
            entry["job"] = true;
        if (service.Endpoints.Count > 0)
        {
            entry["port"] = Port(service);
            if (service.IsExternal)
                entry["external"] = true;
            entry["probes"] = Probes(service);
        }
        if (application.ClientsOf(service.Name) is { Count: > 0 } clients)
            entry["clients"] = Texts(clients);
        if (service.Arguments.Count > 0)
            entry["args"] = Texts(service.Arguments.Select(argument => argument as string ?? throw Unknown(service, argument)));
        foreach (var (name, value) in service.Environment)
        {
            switch (value)
            {
                case string:
                    // A default of the service's values.
                    break;
                case KafkaServerResource:
                    entry["kafka"] = entry["kafka"] is null ? name : throw Unknown(service, value);
                    break;
                case PostgresDatabaseResource database:
                    Group(entry, "databases")[name] = database.DatabaseName;
                    break;
                case ParameterResource { Secret: true } secret:
                    Group(entry, "secrets")[name] = new JsonObject { ["name"] = secret.Name, ["values"] = Key(secret.Name) };
                    break;
                case EndpointReference endpoint:
                    Group(entry, "urls")[name] = Url(application, endpoint);
                    break;
                default:
                    throw Unknown(service, value);
            }
        }
        if (application.ConsumerOf(service) is { } consumer)
            entry["consumer"] = new JsonObject { ["group"] = consumer.Group, ["topics"] = Texts(consumer.Topics) };
        return entry;
    }

    private static JsonObject Probes(PublishedResource service)
    {
        var probes = new JsonObject();
        // The start may take its time: what else would be a first delay guessed for the liveness probe.
        if ((Probe(service, ProbeType.Startup) ?? Probe(service, ProbeType.Liveness, period: 2, failures: 60)) is { } startup)
            probes["startup"] = startup;
        if (Probe(service, ProbeType.Readiness) is { } readiness)
            probes["readiness"] = readiness;
        if (Probe(service, ProbeType.Liveness) is { } liveness)
            probes["liveness"] = liveness;
        return probes;
    }

    private static JsonObject? Probe(PublishedResource service, ProbeType type, int? period = null, int? failures = null) =>
        service.Resource.Annotations.OfType<EndpointProbeAnnotation>().SingleOrDefault(probe => probe.Type == type) is not { } annotation
            ? null
            : new()
            {
                ["path"] = annotation.Path,
                ["periodSeconds"] = period ?? annotation.PeriodSeconds,
                ["timeoutSeconds"] = annotation.TimeoutSeconds,
                ["failureThreshold"] = failures ?? annotation.FailureThreshold,
            };

    /// <summary>The port that others reach a service by: the one it has on a single machine, if it has one.</summary>
    private static int Port(PublishedResource service) => service.Endpoints.Single().Port ?? DefaultPort;

    private static string Url(PublishedApplication application, EndpointReference endpoint)
    {
        var target =
            application.Services.FirstOrDefault(service => service.Resource == endpoint.Resource)
            ?? throw new DistributedApplicationException($"'{endpoint.Resource.Name}' is no service of the chart.");
        return $"{endpoint.Scheme}://{target.Name}-service:{Port(target)}";
    }

    private static JsonObject Group(JsonObject entry, string key) => (JsonObject)(entry[key] ??= new JsonObject());

    private static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(text => JsonValue.Create(text))];

    private static DistributedApplicationException Unknown(PublishedResource service, object value) =>
        new(
            $"'{service.Name}' has a setting of type {value.GetType().Name}, which a chart cannot hold; "
                + "give a text, a secret, an endpoint or a database."
        );
}
