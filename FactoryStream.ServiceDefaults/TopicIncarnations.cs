using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.ServiceDefaults;

/// <summary>Tells one incarnation of a topic from the next: a broker that lost its log, or a topic made anew, has another id.</summary>
/// <param name="kafka">The broker.</param>
public sealed class TopicIncarnations(KafkaConnection kafka) : IDisposable
{
    private readonly IAdminClient admin = kafka.QuietAdmin(new AdminClientConfig { SocketTimeoutMs = 5_000 });

    /// <summary>The topic's id, as Kafka writes it.</summary>
    /// <param name="topic">Must exist.</param>
    /// <exception cref="KafkaException">The broker is away or the topic unknown.</exception>
    public async Task<string> GetAsync(string topic) => (await DescribeAsync(topic)).TopicId.ToString();

    /// <summary>How many partitions the topic has.</summary>
    /// <param name="topic">Must exist.</param>
    /// <exception cref="KafkaException">The broker is away or the topic unknown.</exception>
    public async Task<int> PartitionCountAsync(string topic) => (await DescribeAsync(topic)).Partitions.Count;

    /// <summary>The topic's id and how many partitions it has, of one moment.</summary>
    /// <param name="topic">Must exist.</param>
    /// <exception cref="KafkaException">The broker is away or the topic unknown.</exception>
    public async Task<(string Id, int Partitions)> GetWithPartitionsAsync(string topic)
    {
        var description = await DescribeAsync(topic);
        return (description.TopicId.ToString(), description.Partitions.Count);
    }

    private async Task<TopicDescription> DescribeAsync(string topic)
    {
        var answer = await admin.DescribeTopicsAsync(
            TopicCollection.OfTopicNames([topic]),
            new DescribeTopicsOptions { RequestTimeout = TimeSpan.FromSeconds(5) }
        );
        var description = answer.TopicDescriptions.Single();
        return description.Error.IsError ? throw new KafkaException(description.Error) : description;
    }

    /// <inheritdoc/>
    public void Dispose() => admin.Dispose();
}
