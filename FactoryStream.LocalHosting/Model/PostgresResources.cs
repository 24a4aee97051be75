namespace Aspire.Hosting.ApplicationModel;

/// <summary>A PostgreSQL server.</summary>
public class PostgresServerResource(string name, ParameterResource password) : ContainerResource(name), IResourceWithConnectionString
{
    internal const string PrimaryEndpointName = "tcp";

    private readonly List<PostgresDatabaseResource> databases = [];

    /// <summary>Where it listens.</summary>
    public EndpointReference PrimaryEndpoint => new(this, PrimaryEndpointName);

    /// <summary>The password of its user <c>postgres</c>.</summary>
    public ParameterResource PasswordParameter { get; } = password;

    internal IReadOnlyList<PostgresDatabaseResource> DatabaseResources => databases;

    /// <inheritdoc />
    public async ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default)
    {
        var endpoint = await PrimaryEndpoint.EndpointAnnotation.WhenAllocated.WaitAsync(cancellationToken);
        return $"Host={endpoint.Address};Port={endpoint.Port};Username=postgres;Password={await PasswordParameter.GetValueAsync(cancellationToken)}";
    }

    internal void Add(PostgresDatabaseResource database) => databases.Add(database);
}

/// <summary>A database of a PostgreSQL server.</summary>
public class PostgresDatabaseResource(string name, string databaseName, PostgresServerResource postgresParentResource) : Resource(name), IResourceWithParent, IResourceWithConnectionString
{
    /// <summary>Its server.</summary>
    public PostgresServerResource Parent { get; } = postgresParentResource;

    IResource IResourceWithParent.Parent => Parent;

    /// <summary>Its name on the server.</summary>
    public string DatabaseName { get; } = databaseName;

    /// <summary>Where it is, if it was given from outside.</summary>
    internal string? External { get; set; }

    /// <inheritdoc />
    public async ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
        External ?? $"{await Parent.GetConnectionStringAsync(cancellationToken)};Database={DatabaseName}";
}
