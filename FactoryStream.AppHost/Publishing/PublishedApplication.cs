namespace FactoryStream.AppHost.Publishing;

/// <summary>The app model as a chart can say it; what it cannot say is an error.</summary>
internal sealed class PublishedApplication
{
    /// <summary>Fewer letters and digits than these can be guessed.</summary>
    private const int LeastSecretLength = 22;

    private readonly IReadOnlyDictionary<string, ConsumerOptions> consumers;
    private readonly HashSet<string> jobs;

    private PublishedApplication(DistributedApplicationModel model, IReadOnlyList<PublishedResource> services, IConfiguration configuration)
    {
        Services = services;
        if (
            model.Resources.FirstOrDefault(resource =>
                resource
                    is not (
                        ProjectResource
                        or ParameterResource
                        or KafkaServerResource
                        or PostgresServerResource
                        or PostgresDatabaseResource
                    )
            ) is
            { } unknown
        )
            throw new DistributedApplicationException($"'{unknown.Name}' is a {unknown.GetType().Name}, which has no place in a chart.");
        consumers = services
            .Select(service => (service.Name, Options: configuration.GetSection($"kafka:drain:{service.Name}").Get<ConsumerOptions>()))
            .Where(consumer => consumer.Options is { Group: not "", Topics: not [] })
            .ToDictionary(consumer => consumer.Name, consumer => consumer.Options!);
        jobs = model
            .Resources.SelectMany(resource => resource.Annotations.OfType<WaitAnnotation>())
            .Where(wait => wait.WaitType == WaitType.WaitForCompletion)
            .Select(wait => wait.Resource.Name)
            .ToHashSet();

        // The templates of the servers are written for these names.
        var kafka = model.Resources.OfType<KafkaServerResource>().Single();
        var database = model.Resources.OfType<PostgresDatabaseResource>().Single();
        foreach (
            var (expected, name) in (ReadOnlySpan<(string, string)>)
                [("kafka", kafka.Name), ("postgres", database.Parent.Name), ("postgres-password", database.Parent.PasswordParameter.Name)]
        )
        {
            if (name != expected)
                throw new DistributedApplicationException(
                    $"The chart's templates are written for '{expected}', which the model calls '{name}'."
                );
        }
        Database = database.DatabaseName;
        Secrets =
        [
            .. model
                .Resources.OfType<ParameterResource>()
                .Where(parameter => parameter.Secret && parameter != database.Parent.PasswordParameter),
        ];
    }

    /// <summary>The application's own services, in order.</summary>
    public IReadOnlyList<PublishedResource> Services { get; }

    /// <summary>The secret parameters, without the database's password.</summary>
    public IReadOnlyList<ParameterResource> Secrets { get; }

    /// <summary>The database's name on its server.</summary>
    public string Database { get; }

    /// <summary>Runs the model's callbacks.</summary>
    public static async Task<PublishedApplication> OfAsync(
        DistributedApplicationModel model,
        IConfiguration configuration,
        CancellationToken cancellationToken
    )
    {
        var execution = new DistributedApplicationExecutionContext(DistributedApplicationOperation.Publish);
        var services = new List<PublishedResource>();
        foreach (var resource in model.Resources.OfType<ProjectResource>())
            services.Add(await PublishedResource.OfAsync(resource, execution, cancellationToken));
        return new PublishedApplication(model, services, configuration);
    }

    /// <summary>Whether others wait for the service until it is done.</summary>
    public bool IsJob(PublishedResource service) => jobs.Contains(service.Name);

    /// <summary>The consumer group that the service is; null if it is none.</summary>
    public ConsumerOptions? ConsumerOf(PublishedResource service) => consumers.GetValueOrDefault(service.Name);

    /// <summary>The services that refer to a server or a service.</summary>
    public IReadOnlyList<string> ClientsOf(string name) =>
        [.. Services.Where(service => service.Servers.Contains(name)).Select(service => service.Name)];

    /// <summary>How many letters and digits a secret has when the chart generates it.</summary>
    public static int LengthOf(ParameterResource secret) =>
        secret.Default is GenerateParameterDefault { Lower: true, Upper: true, Numeric: true } generated
            ? Math.Max(generated.MinLength, LeastSecretLength)
            : throw new DistributedApplicationException(
                $"'{secret.Name}' is not generated of letters and digits, which is all that a chart can do."
            );
}
