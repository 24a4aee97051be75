using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.ServiceDefaults;

/// <summary>
/// The ids of topics, by which a topic differs from one of the same name that is made anew, or made again by a broker that lost its log.
/// </summary>
/// <param name="kafka">The connection to the brokers that are asked.</param>
public sealed class TopicIds(KafkaConnection kafka) : IDisposable
{
    private readonly IAdminClient admin = kafka.QuietAdmin(new AdminClientConfig { SocketTimeoutMs = 5_000 });

    /// <summary>The topic's id, as Kafka writes it: a UUID in base64url.</summary>
    /// <param name="topic">The name of a topic that exists.</param>
    /// <exception cref="KafkaException">The broker is away or the topic unknown.</exception>
    public async Task<string> GetAsync(string topic) => (await DescribeAsync(topic)).TopicId.ToString();

    /// <summary>How many partitions the topic has just now.</summary>
    /// <param name="topic">The name of a topic that exists.</param>
    /// <exception cref="KafkaException">The broker is away or the topic unknown.</exception>
    public async Task<int> PartitionCountAsync(string topic) => (await DescribeAsync(topic)).Partitions.Count;

    /// <summary>The topic's id and how many partitions it has, of one moment.</summary>
    /// <param name="topic">The name of a topic that exists.</param>
    /// <exception cref="KafkaException">The broker is away or the topic unknown.</exception>
    public async Task<(string Id, int Partitions)> GetWithPartitionsAsync(string topic)
    {
        var description = await DescribeAsync(topic);
        return (description.TopicId.ToString(), description.Partitions.Count);
    }

    private async Task<TopicDescription> DescribeAsync(string topic)
    {
        var described = await admin.DescribeTopicsAsync(
            TopicCollection.OfTopicNames([topic]),
            new DescribeTopicsOptions { RequestTimeout = TimeSpan.FromSeconds(5) }
        );
        var description = described.TopicDescriptions.Single();
        return description.Error.IsError ? throw new KafkaException(description.Error) : description;
    }

    /// <inheritdoc/>
    public void Dispose() => admin.Dispose();
}
