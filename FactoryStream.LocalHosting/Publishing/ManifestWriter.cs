using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace FactoryStream.LocalHosting.Publishing;

/// <summary>
/// Writes aspire-manifest.json: the app model with an expression wherever a value is known only in the place that runs it, for instance
/// <c>{kafka.connectionString}</c> or <c>{ingest.bindings.http.url}</c>.
/// </summary>
internal static class ManifestWriter
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The manifest; paths in it are relative to the folder.</summary>
    public static async Task<string> WriteAsync(DistributedApplicationModel model, string folder, CancellationToken cancellationToken)
    {
        var resources = new JsonObject();
        foreach (var resource in model.Resources)
        {
            if (await ResourceAsync(resource, folder, cancellationToken) is { } written)
                resources[resource.Name] = written;
        }
        return new JsonObject { ["resources"] = resources }.ToJsonString(Indented) + "\n";
    }

    private static async Task<JsonObject?> ResourceAsync(IResource resource, string folder, CancellationToken cancellationToken) => resource switch
    {
        ParameterResource parameter => Parameter(parameter),
        KafkaServerResource kafka => Kafka(kafka),
        PostgresServerResource postgres => Postgres(postgres),
        PostgresDatabaseResource database => new JsonObject { ["type"] = "value.v0", ["connectionString"] = ConnectionString(database) },
        ProjectResource => Project(await PublishedResource.OfAsync(resource, cancellationToken), folder),
        _ => new JsonObject { ["error"] = "This resource does not support generation in the manifest." },
    };

    private static JsonObject Parameter(ParameterResource parameter)
    {
        var input = new JsonObject { ["type"] = "string" };
        if (parameter.Secret)
            input["secret"] = true;
        if (parameter.Default is GenerateParameterDefault generated)
        {
            var generate = new JsonObject { ["minLength"] = generated.MinLength };
            foreach (var (name, allowed) in new[] { ("lower", generated.Lower), ("upper", generated.Upper), ("numeric", generated.Numeric), ("special", generated.Special) })
            {
                if (!allowed)
                    generate[name] = false;
            }
            input["default"] = new JsonObject { ["generate"] = generate };
        }
        else if (parameter is { Default: { } @default, Secret: false })
        {
            input["default"] = new JsonObject { ["value"] = @default.GetDefaultValue() };
        }
        return new JsonObject { ["type"] = "parameter.v0", ["value"] = $"{{{parameter.Name}.inputs.value}}", ["inputs"] = new JsonObject { ["value"] = input } };
    }

    private static JsonObject Kafka(KafkaServerResource kafka)
    {
        var environment = new JsonObject();
        foreach (var (key, value) in ContainerImages.KafkaSettings)
            environment[key] = value;
        environment["KAFKA_ADVERTISED_LISTENERS"] = $"PLAINTEXT://{ConnectionString(kafka)}";
        return Container(kafka, $"{ContainerImages.KafkaRepository}:{ContainerImages.KafkaTag}", ContainerImages.KafkaData, environment, ContainerImages.KafkaPort);
    }

    private static JsonObject Postgres(PostgresServerResource postgres) =>
        Container(
            postgres, $"{ContainerImages.PostgresRepository}:{ContainerImages.PostgresTag}", ContainerImages.PostgresData,
            new JsonObject
            {
                ["POSTGRES_HOST_AUTH_METHOD"] = "scram-sha-256",
                ["POSTGRES_INITDB_ARGS"] = ContainerImages.PostgresInitialize,
                ["POSTGRES_USER"] = ContainerImages.PostgresUserName,
                ["POSTGRES_PASSWORD"] = $"{{{postgres.PasswordParameter.Name}.value}}",
            },
            ContainerImages.PostgresPort);

    private static JsonObject Container(IResourceWithConnectionString resource, string image, string data, JsonObject environment, int targetPort) => new()
    {
        ["type"] = "container.v0",
        ["connectionString"] = ConnectionString(resource),
        ["image"] = image,
        ["volumes"] = new JsonArray(new JsonObject { ["name"] = $"{resource.Name}-data", ["target"] = data, ["readOnly"] = false }),
        ["env"] = environment,
        ["bindings"] = Bindings(resource, targetPort),
    };

    private static JsonObject Project(PublishedResource project, string folder)
    {
        var written = new JsonObject { ["type"] = "project.v0", ["path"] = Path.GetRelativePath(folder, project.ProjectPath).Replace('\\', '/') };
        if (project.Arguments.Count > 0)
            written["args"] = new JsonArray([.. project.Arguments.Select(argument => JsonValue.Create(Expression(argument)))]);
        var environment = new JsonObject { ["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory" };
        if (project.Endpoints.Count > 0)
        {
            environment["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true";
            environment["HTTP_PORTS"] = $"{{{project.Name}.bindings.http.targetPort}}";
        }
        foreach (var (key, value) in project.Environment)
            environment[key] = Expression(value);
        written["env"] = environment;
        if (project.Endpoints.Count > 0)
            written["bindings"] = Bindings(project.Resource, targetPort: null);
        return written;
    }

    private static JsonObject Bindings(IResource resource, int? targetPort)
    {
        var bindings = new JsonObject();
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            var binding = new JsonObject
            {
                ["scheme"] = endpoint.UriScheme,
                ["protocol"] = "tcp",
                ["transport"] = endpoint.UriScheme is "http" or "https" ? "http" : "tcp",
            };
            var target = endpoint.TargetPort ?? targetPort;
            if (endpoint.Port is { } port && port != target)
                binding["port"] = port;
            if (target is not null)
                binding["targetPort"] = target;
            if (endpoint.IsExternal)
                binding["external"] = true;
            bindings[endpoint.Name] = binding;
        }
        return bindings;
    }

    private static string Expression(object value) => value switch
    {
        string text => text,
        ParameterResource parameter => $"{{{parameter.Name}.value}}",
        EndpointReference endpoint => $"{{{endpoint.Resource.Name}.bindings.{endpoint.EndpointName}.url}}",
        IResourceWithConnectionString resource => $"{{{resource.Name}.connectionString}}",
        _ => throw new DistributedApplicationException($"A {value.GetType().Name} cannot be published."),
    };

    private static string ConnectionString(IResource resource) => resource switch
    {
        KafkaServerResource => $"{{{resource.Name}.bindings.tcp.host}}:{{{resource.Name}.bindings.tcp.port}}",
        PostgresServerResource postgres =>
            $"Host={{{resource.Name}.bindings.tcp.host}};Port={{{resource.Name}.bindings.tcp.port}};Username={ContainerImages.PostgresUserName};Password={{{postgres.PasswordParameter.Name}.value}}",
        PostgresDatabaseResource database => $"{{{database.Parent.Name}.connectionString}};Database={database.DatabaseName}",
        _ => throw new DistributedApplicationException($"The connection string of '{resource.Name}' cannot be published."),
    };
}
