using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.Verifier.Topics;

/// <summary>The clients that read <c>readings.signed</c> and write <c>readings.verified</c> and <c>readings.rejected</c>.</summary>
internal static class TopicClients
{
    public static void AddTopicClients(this IHostApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(VerifierOptions.Section).Get<VerifierOptions>() ?? new VerifierOptions();
        builder.AddTopicProducer(config =>
        {
            // A reading may wait for its broker as long as it must: what is in flight is bounded (VerifierOptions.MaxInFlightBytes).
            config.MessageTimeoutMs = 0;
            config.QueueBufferingMaxMessages = 1_000_000;
            config.QueueBufferingMaxKbytes = 512 << 10;
            // The broker's limit decides; a verified message is a little longer than its source.
            config.MessageMaxBytes = 16 << 20;
        });
        builder.Services.AddSingleton<MessageBytes>();
        builder.AddTopicConsumer(
            config =>
            {
                config.GroupId = TopicNames.VerifierGroup;
                config.AutoOffsetReset = AutoOffsetReset.Earliest;
                config.PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky;
                config.EnableAutoOffsetStore = false;
                config.AutoCommitIntervalMs = (int)options.CommitInterval.TotalMilliseconds;
                config.SessionTimeoutMs = (int)options.SessionTimeout.TotalMilliseconds;
                config.HeartbeatIntervalMs = (int)options.SessionTimeout.TotalMilliseconds / 6;
                config.ConsumeResultFields = "headers,timestamp";
                // Bounded memory; and once there is room again, fetch on at once instead of after a second.
                config.QueuedMaxMessagesKbytes = 16 << 10;
                config.FetchQueueBackoffMs = 10;
                config.FetchErrorBackoffMs = 100;
                config.FetchWaitMaxMs = (int)options.FetchWait.TotalMilliseconds;
                config.FetchMinBytes = options.FetchMinBytes;
            },
            (services, consumer) =>
            {
                var assignment = services.GetRequiredService<PartitionAssignment>();
                consumer.SetValueDeserializer(services.GetRequiredService<MessageBytes>());
                consumer.SetPartitionsAssignedHandler((_, assigned) => assignment.Assign(assigned));
                consumer.SetPartitionsRevokedHandler(
                    (member, revoked) =>
                    {
                        Unpause(member, revoked);
                        assignment.Revoke(member, revoked);
                    }
                );
                consumer.SetPartitionsLostHandler(
                    (member, lost) =>
                    {
                        Unpause(member, lost);
                        assignment.Lose(lost);
                    }
                );
            }
        );
    }

    /// <summary>librdkafka keeps a partition paused that goes, and does not read it when it comes back.</summary>
    private static void Unpause(IConsumer<byte[]?, ReadOnlyMemory<byte>> consumer, IEnumerable<TopicPartitionOffset> leaving) =>
        consumer.Resume(leaving.Select(partition => partition.TopicPartition));
}
