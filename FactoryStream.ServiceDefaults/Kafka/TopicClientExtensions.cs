using Confluent.Kafka;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.ServiceDefaults.Kafka;

/// <summary>
/// The clients of a service's topics, by Aspire's registrations: on the one connection, and without Aspire's instrumentation, for the
/// services trace and count by themselves, many readings at a time, and it would do it again, a message at a time.
/// </summary>
public static class TopicClientExtensions
{
    /// <summary>Registers the producer, idempotent and acknowledged by all replicas.</summary>
    /// <param name="builder">The service under construction; added to.</param>
    /// <param name="configure">Sets the producer's bounds in time and bytes.</param>
    /// <param name="configureBuilder">Sets the client's handlers and serializers.</param>
    /// <exception cref="InvalidOperationException">There is no connection string, or a client setting is unknown.</exception>
    public static void AddTopicProducer(
        this IHostApplicationBuilder builder,
        Action<ProducerConfig> configure,
        Action<IServiceProvider, ProducerBuilder<byte[]?, byte[]>>? configureBuilder = null
    )
    {
        var kafka = new KafkaConnection(builder.Configuration);
        builder.AddKafkaProducer<byte[]?, byte[]>(
            KafkaConnection.Name,
            settings =>
            {
                (settings.DisableHealthChecks, settings.DisableTracing, settings.DisableMetrics) = (true, true, true);
                settings.Config.EnableIdempotence = true;
                settings.Config.Acks = Acks.All;
                // Coalescing is the service's, by what is in flight; a linger would only add its time.
                settings.Config.LingerMs = 0;
                settings.Config.DeliveryReportFields = "none";
                configure(settings.Config);
                kafka.Apply(settings.Config);
                settings.ConnectionString = kafka.Servers;
            },
            configureBuilder
        );
    }

    /// <summary>Registers the consumer; its group commits only what the service stores.</summary>
    /// <param name="builder">The service under construction; added to.</param>
    /// <param name="configure">Sets the consumer's group and its bounds in time and bytes.</param>
    /// <param name="configureBuilder">Sets the client's handlers and serializers.</param>
    /// <exception cref="InvalidOperationException">There is no connection string, or a client setting is unknown.</exception>
    public static void AddTopicConsumer(
        this IHostApplicationBuilder builder,
        Action<ConsumerConfig> configure,
        Action<IServiceProvider, ConsumerBuilder<byte[]?, ReadOnlyMemory<byte>>> configureBuilder
    )
    {
        var kafka = new KafkaConnection(builder.Configuration);
        builder.AddKafkaConsumer(
            KafkaConnection.Name,
            settings =>
            {
                (settings.DisableHealthChecks, settings.DisableTracing, settings.DisableMetrics) = (true, true, true);
                configure(settings.Config);
                kafka.Apply(settings.Config);
                settings.ConnectionString = kafka.Servers;
            },
            configureBuilder
        );
    }
}
