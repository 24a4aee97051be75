using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.Servers;

namespace Aspire.Hosting;

/// <summary>Kafka as a resource.</summary>
public static class KafkaBuilderExtensions
{
    /// <summary>Adds Kafka: the one of <c>ConnectionStrings:NAME</c>, Apache Kafka from <c>KAFKA_HOME</c>, or one in memory.</summary>
    public static IResourceBuilder<KafkaServerResource> AddKafka(this IDistributedApplicationBuilder builder, string name, int? port = null)
    {
        var resource = new KafkaServerResource(name);
        return LocalKafka.Describe(builder.AddResource(resource).WithEndpoint(port: port, scheme: "tcp", name: KafkaServerResource.PrimaryEndpointName), builder)
            .WithIconName("MailMultiple");
    }

    /// <summary>Its data is kept. The local way keeps it in the data folder, whatever the volume's name.</summary>
    public static IResourceBuilder<KafkaServerResource> WithDataVolume(this IResourceBuilder<KafkaServerResource> builder, string? name = null, bool isReadOnly = false)
    {
        _ = (name, isReadOnly);
        return builder;
    }

    /// <summary>A page to look into Kafka: a container, which the local way does without.</summary>
    public static IResourceBuilder<KafkaServerResource> WithKafkaUI(
        this IResourceBuilder<KafkaServerResource> builder, Action<IResourceBuilder<KafkaUIContainerResource>>? configureContainer = null, string? containerName = null)
    {
        _ = (configureContainer, containerName);
        return builder;
    }

    /// <summary>The page's port.</summary>
    public static IResourceBuilder<KafkaUIContainerResource> WithHostPort(this IResourceBuilder<KafkaUIContainerResource> builder, int? port)
    {
        _ = port;
        return builder;
    }
}

/// <summary>A Kafka broker; its connection string is its bootstrap address.</summary>
public class KafkaServerResource(string name) : ContainerResource(name), IResourceWithConnectionString
{
    internal const string PrimaryEndpointName = "tcp";

    private readonly TaskCompletionSource<string> connectionString = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Where it listens.</summary>
    public EndpointReference PrimaryEndpoint => new(this, PrimaryEndpointName);

    /// <inheritdoc />
    public async ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) => await connectionString.Task.WaitAsync(cancellationToken);

    internal void SetConnectionString(string value) => connectionString.TrySetResult(value);
}

/// <summary>A page to look into Kafka; never made in the local way.</summary>
public sealed class KafkaUIContainerResource(string name) : ContainerResource(name);
