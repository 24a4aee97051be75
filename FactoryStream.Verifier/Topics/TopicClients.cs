using Confluent.Kafka;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.Verifier.Topics;

/// <summary>The clients that read <c>readings.signed</c> and write <c>readings.verified</c> and <c>readings.rejected</c>.</summary>
internal static class TopicClients
{
    public static void AddTopicClients(this IHostApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(VerifierOptions.Section).Get<VerifierOptions>() ?? new VerifierOptions();
        var kafka = new KafkaConnection(builder.Configuration);
        builder.AddProducer(kafka);
        builder.AddConsumer(kafka, options);
    }

    private static void AddProducer(this IHostApplicationBuilder builder, KafkaConnection kafka) =>
        builder.AddKafkaProducer<byte[]?, byte[]>(KafkaConnection.Name, settings =>
        {
            settings.DisableHealthChecks = true;
            // The services trace and count by themselves, many messages at a time; Aspire's instrumentation would do it again, a message at
            // a time.
            settings.DisableTracing = true;
            settings.DisableMetrics = true;
            settings.Config.EnableIdempotence = true;
            settings.Config.Acks = Acks.All;
            // Coalescing is done here, by what is in flight; a linger would only add its time.
            settings.Config.LingerMs = 0;
            // A reading may wait for its broker as long as it must: what is in flight is bounded (VerifierOptions.MaxInFlightBytes).
            settings.Config.MessageTimeoutMs = 0;
            settings.Config.QueueBufferingMaxMessages = 1_000_000;
            settings.Config.QueueBufferingMaxKbytes = 512 << 10;
            // The broker's limit decides; an answer is a little longer than its source.
            settings.Config.MessageMaxBytes = 16 << 20;
            settings.Config.DeliveryReportFields = "none";
            kafka.Apply(settings.Config);
        });

    private static void AddConsumer(this IHostApplicationBuilder builder, KafkaConnection kafka, VerifierOptions options)
    {
        builder.Services.AddSingleton<BatchBytes>();
        builder.AddKafkaConsumer<byte[]?, ReadOnlyMemory<byte>>(KafkaConnection.Name,
            settings =>
            {
                settings.DisableHealthChecks = true;
                settings.DisableTracing = true;
                settings.DisableMetrics = true;
                settings.Config.GroupId = Contracts.Topics.VerifierGroup;
                settings.Config.AutoOffsetReset = AutoOffsetReset.Earliest;
                settings.Config.PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky;
                settings.Config.EnableAutoOffsetStore = false;
                settings.Config.AutoCommitIntervalMs = (int)options.CommitInterval.TotalMilliseconds;
                settings.Config.SessionTimeoutMs = (int)options.SessionTimeout.TotalMilliseconds;
                settings.Config.HeartbeatIntervalMs = (int)options.SessionTimeout.TotalMilliseconds / 6;
                settings.Config.ConsumeResultFields = "headers,timestamp";
                // Bounded memory; and once there is room again, fetch on at once instead of after a second.
                settings.Config.QueuedMaxMessagesKbytes = 16 << 10;
                settings.Config.FetchQueueBackoffMs = 10;
                settings.Config.FetchErrorBackoffMs = 100;
                settings.Config.FetchWaitMaxMs = (int)options.FetchWait.TotalMilliseconds;
                settings.Config.FetchMinBytes = options.FetchMinBytes;
                kafka.Apply(settings.Config);
            },
            (services, consumer) =>
            {
                var assignment = services.GetRequiredService<PartitionAssignment>();
                consumer.SetValueDeserializer(services.GetRequiredService<BatchBytes>());
                consumer.SetPartitionsAssignedHandler((_, assigned) => assignment.Assign(assigned));
                consumer.SetPartitionsRevokedHandler((member, revoked) =>
                {
                    Unpause(member, revoked);
                    assignment.Revoke(member, revoked);
                });
                consumer.SetPartitionsLostHandler((member, lost) =>
                {
                    Unpause(member, lost);
                    assignment.Lose(lost);
                });
            });
    }

    /// <summary>librdkafka keeps a partition paused that goes, and does not read it when it comes back.</summary>
    private static void Unpause(IConsumer<byte[]?, ReadOnlyMemory<byte>> consumer, IEnumerable<TopicPartitionOffset> leaving) =>
        consumer.Resume(leaving.Select(partition => partition.TopicPartition));
}
