using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// What a service has still to read before it may end, so that all that was answered 202 is stored. Settings, under the broker's name:
/// <c>drain:SERVICE:group</c> and <c>drain:SERVICE:topics</c> (what it must have read), <c>drain-seconds</c> (30: how long it may take).
/// </summary>
internal sealed class KafkaDrain(KafkaConnection kafka, IConfigurationSection settings, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    // A broker that is not there is said once, below.
    private readonly IAdminClient client = kafka.QuietAdmin(new AdminClientConfig { ReconnectBackoffMaxMs = 500 });

    public void Dispose() => client.Dispose();

    /// <summary>Waits until a service has read all that its group was given, or the time is up.</summary>
    public async Task WaitAsync(string service, Action<string> say, CancellationToken cancellationToken)
    {
        var drain = settings.GetSection("drain").GetSection(service);
        if (drain["group"] is not { } group || drain.GetSection("topics").Get<string[]>() is not { Length: > 0 } topics)
            return;
        var patience = TimeSpan.FromSeconds(settings.GetValue("drain-seconds", 30.0));
        var started = clock.GetTimestamp();
        var isFirst = true;
        try
        {
            while (await LagAsync(group, topics) is > 0 and var lag)
            {
                if (isFirst)
                    say($"{lag} messages of {string.Join(", ", topics)} are left to be read first.");
                isFirst = false;
                if (clock.GetElapsedTime(started) > patience)
                {
                    say($"{lag} messages of {string.Join(", ", topics)} are left unread after {patience.TotalSeconds:F0} s.");
                    return;
                }
                await Task.Delay(TimeSpan.FromMilliseconds(100), clock, cancellationToken);
            }
        }
        catch (KafkaException exception)
        {
            say($"It cannot be told whether all of {string.Join(", ", topics)} was read: {exception.Message}");
        }
    }

    private async Task<long> LagAsync(string group, string[] topics)
    {
        var partitions = topics
            .SelectMany(topic =>
                client
                    .GetMetadata(topic, RequestTimeout)
                    .Topics[0]
                    .Partitions.Select(partition => new TopicPartition(topic, partition.PartitionId))
            )
            .ToList();
        if (partitions.Count == 0)
            return 0;
        var ends = await client.ListOffsetsAsync(
            partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = OffsetSpec.Latest() }),
            new ListOffsetsOptions { RequestTimeout = RequestTimeout }
        );
        var committed = await client.ListConsumerGroupOffsetsAsync(
            [new ConsumerGroupTopicPartitions(group, partitions)],
            new ListConsumerGroupOffsetsOptions { RequestTimeout = RequestTimeout }
        );
        var read = committed[0]
            .Partitions.ToDictionary(
                partition => partition.TopicPartition,
                partition => partition.Offset.IsSpecial ? 0 : partition.Offset.Value
            );
        return ends.ResultInfos.Sum(end =>
            Math.Max(0, end.TopicPartitionOffsetError.Offset.Value - read[end.TopicPartitionOffsetError.TopicPartition])
        );
    }
}
