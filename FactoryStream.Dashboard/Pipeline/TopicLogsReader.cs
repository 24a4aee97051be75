using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.Dashboard.Pipeline;

/// <summary>The three topics as Kafka has them just now.</summary>
/// <param name="Ids">The topics' ids, by name.</param>
/// <param name="Extents">What the log of each partition holds.</param>
/// <param name="Checked">What the Verifier has committed of <see cref="TopicNames.Signed"/>, all partitions together.</param>
internal sealed record TopicLogs(
    IReadOnlyDictionary<string, string> Ids,
    IReadOnlyDictionary<TopicPartition, LogExtent> Extents,
    long Checked
)
{
    public long End(string topic) => Extents.Where(log => log.Key.Topic == topic).Sum(log => log.Value.End);
}

/// <summary>Asks Kafka where the logs begin and end and how far the Verifier's group is; joins no group.</summary>
internal sealed class TopicLogsReader : IDisposable
{
    /// <summary>How long a broker may take to respond.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly TopicIds topicIds;
    private readonly IConsumer<Ignore, Ignore> verifier;
    private readonly IAdminClient admin;

    public TopicLogsReader(KafkaConnection kafka)
    {
        topicIds = new TopicIds(kafka);
        // Without a subscription it joins nothing; it only asks what the group has committed.
        verifier = kafka.QuietConsumer<Ignore, Ignore>(
            new ConsumerConfig
            {
                GroupId = TopicNames.VerifierGroup,
                EnableAutoCommit = false,
                EnableAutoOffsetStore = false,
                AllowAutoCreateTopics = false,
            }
        );
        admin = new DependentAdminClientBuilder(verifier.Handle).Build();
    }

    /// <exception cref="KafkaException">The broker is away.</exception>
    public async Task<TopicLogs> ReadAsync()
    {
        var topics = await Task.WhenAll(
            TopicNames.All.Select(async topic => (Topic: topic, Described: await topicIds.GetWithPartitionsAsync(topic)))
        );
        TopicPartition[] partitions =
        [
            .. topics.SelectMany(topic =>
                Enumerable.Range(0, topic.Described.Partitions).Select(number => new TopicPartition(topic.Topic, number))
            ),
        ];
        var committed = await verifier.CommittedAsync([.. partitions.Where(one => one.Topic == TopicNames.Signed)], Patience);
        return new(
            topics.ToDictionary(topic => topic.Topic, topic => topic.Described.Id),
            await admin.ExtentsAsync(partitions, Patience),
            committed.Values.Sum()
        );
    }

    public void Dispose()
    {
        admin.Dispose();
        verifier.Dispose();
        topicIds.Dispose();
    }
}
