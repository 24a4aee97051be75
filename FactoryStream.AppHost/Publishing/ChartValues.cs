using System.Text.Json;
using System.Text.Json.Nodes;

namespace FactoryStream.AppHost.Publishing;

/// <summary>
/// What is chosen at installation. Each value stands once, in <c>Chart/values.schema.json</c>, with type, description and default; its
/// <c>definitions</c> say what each service, external host and secret has, which the app model tells by name.
/// </summary>
internal sealed class ChartValues
{
    private readonly JsonObject schema;
    private readonly JsonObject definitions;

    public ChartValues(string template, PublishedApplication application, PublishOptions options)
    {
        schema = JsonNode.Parse(template)!.AsObject();
        definitions = schema["definitions"]!.AsObject();
        schema.Remove("definitions");
        Properties(schema, "postgres", "external", "database")["default"] = application.Database;
        foreach (var secret in application.Secrets)
            Properties(schema, "parameters")["properties"]![ChartModel.Key(secret.Name)] = Definition("secret", secret.Name);
        foreach (var service in application.Services)
        {
            var key = ChartModel.Key(service.Name);
            if (service.IsExternal)
                Properties(schema, "ingress", "hosts")["properties"]![key] = Definition("host", service.Name);
            schema["properties"]![key] = Service(application, service, options.Of(service.Name));
        }
    }

    /// <summary>values.schema.json: Helm refuses a value that is misspelt or of the wrong type.</summary>
    public string ToSchema() =>
        schema.ToJsonString(new JsonSerializerOptions(HelmChart.Readable) { WriteIndented = true, NewLine = "\n" }) + "\n";

    /// <summary>values.yaml: every value with its default, its description above it.</summary>
    public string ToYaml()
    {
        var comments = new Dictionary<string, string>();
        var values = Defaults(schema, "", comments);
        return YamlText.Write(values, comments);
    }

    private JsonObject Service(PublishedApplication application, PublishedResource service, ServicePublishOptions options)
    {
        var described = Definition(application.IsJob(service) ? "job" : "service", service.Name);
        var properties = described["properties"]!.AsObject();
        if (options.Enabled)
            properties.Remove("enabled");
        if (application.ConsumerOf(service) is null)
            properties.Remove("autoscaling");
        else
            Properties(described, "autoscaling", "maxReplicas")["default"] = options.MaxReplicas;
        if (properties.ContainsKey("replicas"))
            Properties(described, "replicas")["default"] = Aspire.Hosting.ApplicationModel.ResourceExtensions.GetReplicaCount(
                service.Resource
            );
        Properties(described, "image", "repository")["default"] = service.ContainerRepository;
        Properties(described, "resources", "requests")["default"] = new JsonObject { ["cpu"] = options.Cpu, ["memory"] = options.Memory };
        Properties(described, "resources", "limits")["default"] = new JsonObject
        {
            ["cpu"] = options.CpuLimit,
            ["memory"] = options.MemoryLimit,
        };
        foreach (var (name, value) in service.Environment.Where(variable => variable.Value is string))
            Properties(described, "config")["default"]![name] = (string)value;
        return described;
    }

    private JsonObject Definition(string name, string resource) =>
        JsonNode
            .Parse(definitions[name]!.ToJsonString(HelmChart.Readable).Replace("{name}", resource, StringComparison.Ordinal))!
            .AsObject();

    private static JsonObject Properties(JsonNode described, params string[] path) =>
        path.Aggregate(described, (parent, step) => parent["properties"]![step]!).AsObject();

    private static JsonObject Defaults(JsonNode described, string path, Dictionary<string, string> comments)
    {
        var defaults = new JsonObject();
        foreach (var (key, value) in described["properties"]!.AsObject().Where(property => property.Key != "global"))
        {
            var own = path.Length == 0 ? key : $"{path}.{key}";
            var choices = value!["enum"] is JsonArray list ? $" One of {string.Join(", ", list.Select(choice => (string?)choice))}." : "";
            if ((string?)value["description"] is { } description)
                comments[own] = description + choices;
            defaults[key] = value["properties"] is null ? value["default"]!.DeepClone() : Defaults(value, own, comments);
        }
        return defaults;
    }
}
