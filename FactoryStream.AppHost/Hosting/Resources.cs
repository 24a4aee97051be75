namespace FactoryStream.AppHost.Hosting;

/// <summary>A PostgreSQL server that is a process of this machine.</summary>
internal sealed class PostgresProcessResource : ExecutableResource, IResourceWithConnectionString
{
    public PostgresProcessResource(string name, ParameterResource password, string folder)
        : base(name, "/bin/sh", folder)
    {
        PasswordParameter = password;
        PrimaryEndpoint = new EndpointReference(this, "tcp");
    }

    public ParameterResource PasswordParameter { get; }

    public EndpointReference PrimaryEndpoint { get; }

    public ReferenceExpression ConnectionStringExpression =>
        ReferenceExpression.Create(
            $"Host=127.0.0.1;Port={PrimaryEndpoint.Property(EndpointProperty.Port)};Username=postgres;Password={PasswordParameter}"
        );
}

/// <summary>A database of such a server.</summary>
internal sealed class PostgresProcessDatabaseResource(string name, PostgresProcessResource parent)
    : Resource(name),
        IResourceWithParent<PostgresProcessResource>,
        IResourceWithConnectionString
{
    public PostgresProcessResource Parent => parent;

    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{Parent};Database={Name}");
}

/// <summary>A Kafka broker that is a process of this machine.</summary>
internal sealed class KafkaProcessResource : ExecutableResource, IResourceWithConnectionString
{
    public KafkaProcessResource(string name, string? home, string command, string folder)
        : base(name, command, folder)
    {
        Home = home;
        PrimaryEndpoint = new EndpointReference(this, "tcp");
    }

    /// <summary>The unpacked Apache Kafka that it is of; null: the broker in memory.</summary>
    public string? Home { get; }

    public bool IsInMemory => Home is null;

    public EndpointReference PrimaryEndpoint { get; }

    public ReferenceExpression ConnectionStringExpression =>
        ReferenceExpression.Create($"127.0.0.1:{PrimaryEndpoint.Property(EndpointProperty.Port)}");
}
