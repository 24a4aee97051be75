using System.Globalization;

namespace Aspire.Hosting;

/// <summary>
/// A Kafka broker in a container, for where <c>Aspire.Hosting.Kafka</c> is not to be had: the same names, image and addresses.
/// </summary>
public sealed class KafkaServerResource : ContainerResource, IResourceWithConnectionString
{
    internal const string PrimaryEndpointName = "tcp";
    internal const string InternalEndpointName = "internal";

    /// <summary>A broker of that name.</summary>
    public KafkaServerResource(string name)
        : base(name)
    {
        PrimaryEndpoint = new EndpointReference(this, PrimaryEndpointName, KnownNetworkIdentifiers.LocalhostNetwork);
        InternalEndpoint = new EndpointReference(this, InternalEndpointName, KnownNetworkIdentifiers.DefaultAspireContainerNetwork);
    }

    /// <summary>Where programs outside of containers reach it.</summary>
    public EndpointReference PrimaryEndpoint { get; }

    /// <summary>Where other containers reach it.</summary>
    public EndpointReference InternalEndpoint { get; }

    /// <summary><c>host:port</c></summary>
    public ReferenceExpression ConnectionStringExpression =>
        ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)}");
}

/// <summary>A page to look into Kafka.</summary>
public sealed class KafkaUIContainerResource(string name) : ContainerResource(name);

/// <summary>Adds Kafka.</summary>
public static class KafkaBuilderExtensions
{
    private const int Port = 9092;
    private const int InternalPort = 9093;
    private const string Data = "/var/lib/kafka/data";

    /// <summary>Adds a broker; a connection to it, outside of containers, is <c>host:port</c>.</summary>
    public static IResourceBuilder<KafkaServerResource> AddKafka(this IDistributedApplicationBuilder builder, string name, int? port = null)
    {
        var kafka = new KafkaServerResource(name);
        // A program of this machine reaches it by the published port, another container by its name: each must be given
        // an address it can use.
        var (outside, inside) = (AddressOf(kafka.PrimaryEndpoint), AddressOf(kafka.InternalEndpoint));
        var advertised = builder.ExecutionContext.IsRunMode
            ? ReferenceExpression.Create(
                $"PLAINTEXT://localhost:29092,PLAINTEXT_HOST://localhost:{outside.Port},PLAINTEXT_INTERNAL://{name}:{inside.TargetPort}"
            )
            : ReferenceExpression.Create(
                $"PLAINTEXT://{outside.Host}:29092,PLAINTEXT_HOST://{outside.HostAndPort},PLAINTEXT_INTERNAL://{inside.HostAndPort}"
            );
        return builder
            .AddResource(kafka)
            .WithEndpoint(port: port, targetPort: Port, name: KafkaServerResource.PrimaryEndpointName)
            .WithEndpoint(targetPort: InternalPort, name: KafkaServerResource.InternalEndpointName)
            .WithImage("confluentinc/confluent-local", "8.2.0")
            .WithImageRegistry("docker.io")
            .WithIconName("MailMultiple")
            .WithEnvironment(
                "KAFKA_LISTENERS",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"PLAINTEXT://localhost:29092,CONTROLLER://localhost:29093,"
                        + $"PLAINTEXT_HOST://0.0.0.0:{Port},PLAINTEXT_INTERNAL://0.0.0.0:{InternalPort}"
                )
            )
            .WithEnvironment(
                "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
                "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT,PLAINTEXT_INTERNAL:PLAINTEXT"
            )
            .WithEnvironment("KAFKA_ADVERTISED_LISTENERS", advertised)
            // As with the package, who waits for it waits until it responds.
            .WithKafkaHealthCheck();
    }

    private static (
        EndpointReferenceExpression Host,
        EndpointReferenceExpression Port,
        EndpointReferenceExpression TargetPort,
        EndpointReferenceExpression HostAndPort
    ) AddressOf(EndpointReference endpoint) =>
        (
            endpoint.Property(EndpointProperty.Host),
            endpoint.Property(EndpointProperty.Port),
            endpoint.Property(EndpointProperty.TargetPort),
            endpoint.Property(EndpointProperty.HostAndPort)
        );

    /// <summary>Its log outlives the container.</summary>
    public static IResourceBuilder<KafkaServerResource> WithDataVolume(
        this IResourceBuilder<KafkaServerResource> builder,
        string? name = null,
        bool isReadOnly = false
    ) =>
        // The image keeps its log elsewhere unless it is set: in the container, with which it would go.
        builder.WithEnvironment("KAFKA_LOG_DIRS", Data).WithVolume(name ?? $"{builder.Resource.Name}-data", Data, isReadOnly);

    /// <summary>A page to look into topics and messages.</summary>
    public static IResourceBuilder<KafkaServerResource> WithKafkaUI(
        this IResourceBuilder<KafkaServerResource> builder,
        Action<IResourceBuilder<KafkaUIContainerResource>>? configureContainer = null
    )
    {
        var kafka = builder.Resource;
        var page = builder
            .ApplicationBuilder.AddResource(new KafkaUIContainerResource($"{kafka.Name}-ui"))
            .WithImage("kafbat/kafka-ui", "v1.5.0")
            .WithImageRegistry("docker.io")
            .WithHttpEndpoint(targetPort: 8080)
            .WithEnvironment("KAFKA_CLUSTERS_0_NAME", kafka.Name)
            .WithEnvironment(
                "KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS",
                builder.ApplicationBuilder.ExecutionContext.IsRunMode
                    ? ReferenceExpression.Create($"{kafka.Name}:{kafka.InternalEndpoint.Property(EndpointProperty.TargetPort)}")
                    : ReferenceExpression.Create($"{kafka.InternalEndpoint.Property(EndpointProperty.HostAndPort)}")
            )
            .WithParentRelationship(kafka)
            .ExcludeFromManifest();
        configureContainer?.Invoke(page);
        return builder;
    }
}
