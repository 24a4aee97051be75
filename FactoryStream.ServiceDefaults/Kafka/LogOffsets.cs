using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace FactoryStream.ServiceDefaults.Kafka;

/// <summary>What a partition's log still holds: from <c>Start</c>, inclusive, to <c>End</c>, exclusive.</summary>
public readonly record struct LogExtent(long Start, long End)
{
    /// <summary>How many offsets are left from a position on. What was before the start is gone and not counted.</summary>
    public long From(long position) => End - Math.Clamp(position, Start, End);
}

/// <summary>Where the logs of partitions begin and end, and how far a group has come: the one place that asks Kafka for it.</summary>
public static class LogOffsets
{
    /// <summary>An offset of each partition.</summary>
    /// <param name="admin">The client to ask the brokers with.</param>
    /// <param name="which">The log's beginning or end, or the first message of a time on.</param>
    /// <param name="partitions">Any number of any topics.</param>
    /// <param name="timeout">How long the brokers may take.</param>
    /// <exception cref="KafkaException">A broker does not respond, or one of the partitions is not there or has no leader yet.</exception>
    public static async Task<Dictionary<TopicPartition, long>> OffsetsAsync(
        this IAdminClient admin,
        OffsetSpec which,
        IEnumerable<TopicPartition> partitions,
        TimeSpan timeout
    )
    {
        var results = await admin.ListOffsetsAsync(
            partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = which }),
            new ListOffsetsOptions { RequestTimeout = timeout }
        );
        return results.ResultInfos.ToDictionary(
            result => result.TopicPartitionOffsetError.TopicPartition,
            result =>
                result.TopicPartitionOffsetError.Error.IsError
                    ? throw new KafkaException(result.TopicPartitionOffsetError.Error)
                    : result.TopicPartitionOffsetError.Offset.Value
        );
    }

    /// <summary>What the log of each partition holds.</summary>
    /// <inheritdoc cref="OffsetsAsync"/>
    public static async Task<Dictionary<TopicPartition, LogExtent>> ExtentsAsync(
        this IAdminClient admin,
        IReadOnlyCollection<TopicPartition> partitions,
        TimeSpan timeout
    )
    {
        // The ends last: an end is then never before its beginning.
        var starts = await admin.OffsetsAsync(OffsetSpec.Earliest(), partitions, timeout);
        var ends = await admin.OffsetsAsync(OffsetSpec.Latest(), partitions, timeout);
        return starts.ToDictionary(start => start.Key, start => new LogExtent(start.Value, ends[start.Key]));
    }

    /// <summary>
    /// What a group has committed; a partition without an offset is left out. The admin client has a call for it too, but librdkafka's
    /// admin requests to a group's coordinator end the process when the broker stops responding to them
    /// (github.com/confluentinc/librdkafka/issues/4605).
    /// </summary>
    /// <param name="member">A consumer of that group; it need not join.</param>
    /// <param name="partitions">Any number of any topics.</param>
    /// <param name="timeout">How long the coordinator may take.</param>
    /// <exception cref="KafkaException">The coordinator does not respond.</exception>
    public static Task<Dictionary<TopicPartition, long>> CommittedAsync<TKey, TValue>(
        this IConsumer<TKey, TValue> member,
        IReadOnlyCollection<TopicPartition> partitions,
        TimeSpan timeout
    ) =>
        // The call blocks, so it has a thread of its own.
        Task.Run(() =>
            member
                .Committed(partitions, timeout)
                .Where(partition => partition.Offset >= 0)
                .ToDictionary(partition => partition.TopicPartition, partition => partition.Offset.Value)
        );
}
