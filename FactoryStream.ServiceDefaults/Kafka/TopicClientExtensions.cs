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
    /// <param name="builder">The service's.</param>
    /// <param name="configure">Its bounds.</param>
    /// <param name="configureBuilder">Its handlers.</param>
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

    /// <summary>Registers the consumer.</summary>
    /// <param name="builder">The service's.</param>
    /// <param name="configure">Its group and bounds.</param>
    /// <param name="configureBuilder">Its handlers.</param>
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
