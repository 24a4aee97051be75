using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace FactoryStream.ServiceDefaults;

/// <summary>Where the logs of partitions begin and end.</summary>
public static class LogOffsets
{
    /// <summary>One offset of each partition, asked for in one request.</summary>
    /// <param name="admin">The client that asks the brokers.</param>
    /// <param name="which">The log's beginning or end, or the first message of a time on.</param>
    /// <param name="partitions">Any number of partitions, of any topics.</param>
    /// <param name="timeout">How long the brokers may take to answer.</param>
    /// <exception cref="KafkaException">A broker does not answer, or one of the partitions is not there or has no leader yet.</exception>
    public static async Task<Dictionary<TopicPartition, long>> OffsetsAsync(
        this IAdminClient admin,
        OffsetSpec which,
        IEnumerable<TopicPartition> partitions,
        TimeSpan timeout
    )
    {
        var answers = await admin.ListOffsetsAsync(
            partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = which }),
            new ListOffsetsOptions { RequestTimeout = timeout }
        );
        return answers.ResultInfos.ToDictionary(
            answer => answer.TopicPartitionOffsetError.TopicPartition,
            answer =>
                answer.TopicPartitionOffsetError.Error.IsError
                    ? throw new KafkaException(answer.TopicPartitionOffsetError.Error)
                    : answer.TopicPartitionOffsetError.Offset.Value
        );
    }
}
