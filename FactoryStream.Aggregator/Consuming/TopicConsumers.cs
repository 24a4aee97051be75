using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.Aggregator.Consuming;

/// <summary>
/// The two members of the consumer group, one for each topic: the assignor counts a member's partitions, whatever their topic, and would
/// give one process all of the readings and another all of the rejections.
/// </summary>
internal sealed class TopicConsumers(KafkaConnection kafka, AggregatorOptions options, AggregatorLog log)
{
    private const int FetchMaxBytes = 16 << 20,
        SessionTimeoutMs = 10_000,
        HeartbeatIntervalMs = 1_000;

    // Rejections are few: looked for now and then among the others.
    private const int VerifiedBetweenRejected = 16;

    private readonly MessageBytes fetched = new();
    private IConsumer<Ignore, ReadOnlyMemory<byte>>? verified;
    private IConsumer<Ignore, ReadOnlyMemory<byte>>? rejected;
    private int taken;

    /// <summary>Joins the group; the assignment is called with what it is given and what is taken from it, within <see
    /// cref="Next"/>.</summary>
    public void Join(PartitionAssignment assignment)
    {
        verified = Build(assignment);
        rejected = Build(assignment);
        verified.Subscribe(TopicNames.Verified);
        rejected.Subscribe(TopicNames.Rejected);
    }

    /// <summary>Leaves the group.</summary>
    public void Leave()
    {
        foreach (var consumer in (IConsumer<Ignore, ReadOnlyMemory<byte>>?[])[verified, rejected])
        {
            consumer?.Close();
            consumer?.Dispose();
        }
        (verified, rejected) = (null, null);
    }

    /// <summary>The next message, valid until the next call; null if there is none in time.</summary>
    public ConsumeResult<Ignore, ReadOnlyMemory<byte>>? Next(int patienceMilliseconds)
    {
        fetched.Reset();
        if (taken++ % VerifiedBetweenRejected == 0 && Of(TopicNames.Rejected).Consume(0) is { } found)
            return found;
        return Of(TopicNames.Verified).Consume(0)
            ?? Of(TopicNames.Rejected).Consume(0)
            ?? (patienceMilliseconds == 0 ? null : Of(TopicNames.Verified).Consume(patienceMilliseconds));
    }

    /// <summary>Where a partition's log ends, as the broker last reported; less than 0: not known yet.</summary>
    public long EndOf(TopicPartition partition) => Of(partition.Topic).GetWatermarkOffsets(partition).High.Value;

    /// <summary>Tells the group how far a partition has been taken in.</summary>
    public void StoreOffset(string topic, int partition, long nextOffset)
    {
        try
        {
            Of(topic).StoreOffset(new TopicPartitionOffset(topic, partition, nextOffset));
        }
        catch (KafkaException exception) when (exception.Error.Code == ErrorCode.Local_State)
        {
            // The partition was taken from us while we committed: its offset is the next owner's to store.
            log.KafkaError(exception.Error.Reason);
        }
    }

    /// <summary>A commit of offsets that meets a rebalance is made again after it, and only shows the lag, so it is no warning.</summary>
    private static LogLevel LevelOf(LogMessage message) =>
        message.Facility == "COMMITFAIL" ? LogLevel.Debug : (LogLevel)message.LevelAs(LogLevelType.MicrosoftExtensionsLogging);

    private IConsumer<Ignore, ReadOnlyMemory<byte>> Of(string topic) =>
        (topic == TopicNames.Verified ? verified : rejected)
        ?? throw new InvalidOperationException("The consumer group is not joined: call Join first.");

    private IConsumer<Ignore, ReadOnlyMemory<byte>> Build(PartitionAssignment assignment) =>
        kafka
            .Consumer<Ignore, ReadOnlyMemory<byte>>(
                new ConsumerConfig
                {
                    GroupId = TopicNames.AggregatorGroup,
                    PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
                    // The checkpoints in the database are the truth; the offsets in Kafka only show the lag.
                    EnableAutoOffsetStore = false,
                    EnableAutoCommit = true,
                    AutoCommitIntervalMs = (int)options.OffsetCommitInterval.TotalMilliseconds,
                    AutoOffsetReset = AutoOffsetReset.Earliest,
                    EnablePartitionEof = true,
                    SessionTimeoutMs = SessionTimeoutMs,
                    HeartbeatIntervalMs = HeartbeatIntervalMs,
                    FetchWaitMaxMs = (int)options.FetchWait.TotalMilliseconds,
                    FetchMinBytes = options.FetchMinBytes,
                    FetchMaxBytes = FetchMaxBytes,
                    QueuedMaxMessagesKbytes = options.MaxFetchedKilobytes,
                    // By default a full queue is not looked at again for a second.
                    FetchQueueBackoffMs = 10,
                    QueuedMinMessages = 10_000,
                }
            )
            .SetValueDeserializer(fetched)
            .SetLogHandler((_, message) => log.KafkaClient(LevelOf(message), message.Message))
            .SetErrorHandler((_, error) => log.KafkaError(error.Reason))
            .SetPartitionsAssignedHandler((consumer, added) => assignment.AssignAsync(consumer, added).GetAwaiter().GetResult())
            .SetPartitionsRevokedHandler((_, removed) => assignment.RevokeAsync(removed).GetAwaiter().GetResult())
            .SetPartitionsLostHandler((_, removed) => assignment.Lose(removed))
            .Build();
}
