using System.Xml.Linq;

namespace FactoryStream.AppHost.Publishing;

/// <summary>A resource as the app model describes it for another place: its settings, before they are written in the form of that
/// place.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="Environment">In order: a text, a parameter, an endpoint, or a resource with a connection string.</param>
/// <param name="Arguments">The command line's arguments; values as in the environment.</param>
internal sealed record PublishedResource(
    IResource Resource,
    IReadOnlyList<KeyValuePair<string, object>> Environment,
    IReadOnlyList<object> Arguments
)
{
    private static readonly string[] Aspires = ["OTEL_", "ASPNETCORE_", "HTTP_PORTS", "DOTNET_"];

    public string Name => Resource.Name;

    public IReadOnlyList<EndpointAnnotation> Endpoints => [.. Resource.Annotations.OfType<EndpointAnnotation>()];

    /// <summary>Whether it is reached from outside.</summary>
    public bool IsExternal => Endpoints.Any(endpoint => endpoint.IsExternal);

    /// <summary>The resources whose addresses it is given: a database's server for a database.</summary>
    public IReadOnlyList<string> Servers =>
        [
            .. Resource
                .Annotations.OfType<ResourceRelationshipAnnotation>()
                .Where(edge => edge.Type == "Reference")
                .Select(edge => edge.Resource is IResourceWithParent { Parent: var parent } ? parent.Name : edge.Resource.Name)
                .Distinct(),
        ];

    /// <summary>Runs the callbacks of the model; a value that publishing has no word for is an error.</summary>
    public static async Task<PublishedResource> OfAsync(
        IResource resource,
        DistributedApplicationExecutionContext execution,
        CancellationToken cancellationToken
    )
    {
        var environment = new EnvironmentCallbackContext(execution, resource, cancellationToken: cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
            await annotation.Callback(environment);
        var arguments = new CommandLineArgsCallbackContext([], resource, cancellationToken) { ExecutionContext = execution };
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
            await annotation.Callback(arguments);
        // What Aspire itself tells every project of its address and its telemetry is set differently in a cluster.
        var settings = environment
            .EnvironmentVariables.Where(variable => !Aspires.Any(prefix => variable.Key.StartsWith(prefix, StringComparison.Ordinal)))
            .Select(variable => KeyValuePair.Create(variable.Key, Plain(resource, variable.Value)));
        // .NET's configuration does not tell names apart by case, and the last one counts: a setting of the AppHost's
        // (verifier__AdminToken) must not be published beside the parameter that replaces it (Verifier__AdminToken).
        var variables = settings.GroupBy(variable => variable.Key, StringComparer.OrdinalIgnoreCase).Select(same => same.Last());
        return new PublishedResource(resource, [.. variables], [.. arguments.Args.Select(argument => Plain(resource, argument))]);
    }

    /// <summary>Its project file.</summary>
    public string ProjectPath =>
        Resource.Annotations.OfType<IProjectMetadata>().LastOrDefault()?.ProjectPath
        ?? throw new DistributedApplicationException($"'{Name}' has no project.");

    /// <summary>The image that the SDK makes of its project: <c>ContainerRepository</c> of the project file.</summary>
    public string ContainerRepository =>
        XDocument.Load(ProjectPath).Descendants("ContainerRepository").LastOrDefault()?.Value
        ?? throw new DistributedApplicationException($"{ProjectPath} has no ContainerRepository.");

    private static object Plain(IResource resource, object value) =>
        value switch
        {
            string or ParameterResource or EndpointReference or KafkaServerResource or PostgresServerResource or PostgresDatabaseResource =>
                value,
            ConnectionStringReference reference => Plain(resource, reference.Resource),
            IResourceBuilder<IResource> { Resource: var built } => Plain(resource, built),
            ReferenceExpression { ValueProviders: [var only], Format: "{0}" } => Plain(resource, only),
            ReferenceExpression { ValueProviders: [], Format: var text } => text,
            EndpointReferenceExpression { Property: EndpointProperty.Url, Endpoint: var endpoint } => endpoint,
            _ => throw new DistributedApplicationException(
                $"'{resource.Name}' has a setting of type {value.GetType().Name}, which cannot be published; "
                    + "give a text, a secret, an endpoint or a database."
            ),
        };
}
