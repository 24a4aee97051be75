using System.Globalization;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Migrations;

/// <summary>
/// Makes the topics, brings those that are there to their settings, and holds them to the partitions that engines are spread over.
/// </summary>
internal sealed class TopicWriter(KafkaConnection kafka, NpgsqlDataSource database, MigrationsOptions options, MigrationsLog log)
    : IDisposable
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(10);

    private readonly RecordedPartitionCounts counts = new(database);
    private readonly TopicIds topicIds = new(kafka);
    private readonly IAdminClient admin = kafka.QuietAdmin(
        new AdminClientConfig { SocketTimeoutMs = (int)RequestTimeout.TotalMilliseconds }
    );

    public void Dispose()
    {
        admin.Dispose();
        topicIds.Dispose();
    }

    /// <exception cref="InvalidOperationException">The topics are not as they must be, and only a human can make them so.</exception>
    /// <exception cref="KafkaException">The broker is away.</exception>
    public async Task PrepareAsync(CancellationToken cancellation)
    {
        var created = await CreateMissingAsync();
        cancellation.ThrowIfCancellationRequested();
        var topics = new Dictionary<string, (string Id, int Partitions)>();
        foreach (var topic in TopicNames.All)
            topics.Add(topic, await topicIds.GetWithPartitionsAsync(topic));
        if (PartitionCounts.Unequal([.. topics.Values.Select(topic => topic.Partitions)]) is { } unequal)
            throw new InvalidOperationException(unequal);
        var ids = topics.ToDictionary(topic => topic.Key, topic => topic.Value.Id);
        await HoldPartitionsAsync(topics, ids, cancellation);
        await SetAsync(created, topics[TopicNames.Signed].Partitions, ids, cancellation);
        log.TopicsReady(created.Count, TopicNames.All.Count);
    }

    private async Task<HashSet<string>> CreateMissingAsync()
    {
        // A broker that cannot create topics may have them all the same, so ask first.
        var present = Metadata();
        var missing = TopicNames.All.Where(topic => !present.ContainsKey(topic)).ToHashSet();
        if (missing.Count == 0)
            return missing;
        try
        {
            await admin.CreateTopicsAsync(
                missing.Select(topic => new TopicSpecification
                {
                    Name = topic,
                    // A reading keeps its partition from topic to topic, so a new topic has as many as the others.
                    NumPartitions = present.Count > 0 ? present.Values.First().Partitions.Count : options.Partitions,
                    ReplicationFactor = options.ReplicationFactor,
                    Configs = TopicSettings
                        .Of(topic, options.ReplicationFactor, options)
                        .ToDictionary(setting => setting.Key, setting => TopicSettings.Text(setting.Value)),
                })
            );
        }
        catch (CreateTopicsException exception)
            when (exception.Results.All(result => !result.Error.IsError || result.Error.Code == ErrorCode.TopicAlreadyExists))
        {
            // Another run of this program created them first.
            log.TopicsThere();
        }
        return missing;
    }

    private async Task HoldPartitionsAsync(
        Dictionary<string, (string Id, int Partitions)> topics,
        Dictionary<string, string> ids,
        CancellationToken cancellation
    )
    {
        string? enlarged = null;
        var recorded = int.MaxValue;
        foreach (var (topic, (id, partitions)) in topics)
        {
            var count = await counts.EnsureAsync(topic, id, partitions, cancellation);
            if (count == partitions)
                continue;
            enlarged ??= PartitionCounts.Enlarged(topic, count, partitions);
            recorded = Math.Min(recorded, count);
        }
        if (enlarged is null)
            return;
        if (!options.Repartition)
            throw new InvalidOperationException(enlarged);
        var partitionCount = topics[TopicNames.Signed].Partitions;
        var waiting = 0L;
        // What the new partitions hold may wait: the old ones are where an engine may have been before.
        var isDone = await counts.ChangeAsync(
            TopicNames.Signed,
            TopicNames.Verified,
            ids,
            partitionCount,
            async taken => (waiting = (await WaitingAsync(taken, recorded)).Values.Sum()) == 0,
            cancellation
        );
        if (!isDone)
            throw new InvalidOperationException(
                $"{waiting} messages are not stored yet, so nothing was changed; wait, then try again. {enlarged}"
            );
        log.Repartitioned(partitionCount);
    }

    /// <summary>How many messages of each partition are not taken in.</summary>
    private async Task<Dictionary<TopicPartition, long>> WaitingAsync(IReadOnlyList<TakenUntil> taken, int partitionCount)
    {
        TopicPartition[] partitions =
        [
            .. TopicNames.All.SelectMany(topic =>
                Enumerable.Range(0, partitionCount).Select(partition => new TopicPartition(topic, partition))
            ),
        ];
        var beginnings = await admin.OffsetsAsync(OffsetSpec.Earliest(), partitions, RequestTimeout);
        var ends = await admin.OffsetsAsync(OffsetSpec.Latest(), partitions, RequestTimeout);
        var until = taken.ToDictionary(entry => new TopicPartition(entry.Topic, entry.Partition), entry => entry.NextOffset);
        return partitions.ToDictionary(
            partition => partition,
            partition => Math.Max(0, ends[partition] - Math.Max(until.GetValueOrDefault(partition), beginnings[partition]))
        );
    }

    private async Task SetAsync(HashSet<string> created, int partitionCount, Dictionary<string, string> ids, CancellationToken cancellation)
    {
        string[] topics = [.. TopicNames.All.Where(topic => options.AlterTopics || created.Contains(topic))];
        if (topics.Length == 0)
            return;
        try
        {
            var metadata = Metadata();
            var waiting = await WaitingAsync(
                await counts.TakenAsync(TopicNames.Signed, TopicNames.Verified, ids, cancellation),
                partitionCount
            );
            var described = await admin.DescribeConfigsAsync(
                topics.Select(Resource),
                new DescribeConfigsOptions { RequestTimeout = RequestTimeout }
            );
            foreach (var topicSettings in described)
            {
                var topic = topicSettings.ConfigResource.Name;
                var most = waiting.Where(entry => entry.Key.Topic == topic).Max(entry => entry.Value);
                var wanted = TopicSettings.Of(topic, metadata[topic].Partitions[0].Replicas.Length, options);
                await AlterAsync(topic, wanted, Numbers(topicSettings), most);
            }
        }
        catch (KafkaException exception)
            when (exception is DescribeConfigsException or IncrementalAlterConfigsException
                || exception.Error.Code
                    is ErrorCode.Local_UnsupportedFeature
                        or ErrorCode.UnsupportedVersion
                        or ErrorCode.TopicAuthorizationFailed
                        or ErrorCode.ClusterAuthorizationFailed
                        or ErrorCode.PolicyViolation
            )
        {
            // The broker in memory has no settings; in a plant's own they may be for its administrator alone.
            log.SettingsLeft(exception.Message);
        }
    }

    private async Task AlterAsync(string topic, Dictionary<string, long> wanted, Dictionary<string, long> present, long waiting)
    {
        var changes = TopicSettings.Changes(wanted, present);
        foreach (var (setting, value) in changes)
        {
            if (
                !present.TryGetValue(setting, out var before)
                || !TopicSettings.IsLess(setting, value, before)
                || TopicSettings.MayKeepLess(wanted, waiting)
            )
                continue;
            log.RetentionLeft(topic, waiting, setting);
            changes.Remove(setting);
        }
        if (changes.Count == 0)
            return;
        await admin.IncrementalAlterConfigsAsync(
            new Dictionary<ConfigResource, List<ConfigEntry>>
            {
                [Resource(topic)] =
                [
                    .. changes.Select(setting => new ConfigEntry
                    {
                        Name = setting.Key,
                        Value = TopicSettings.Text(setting.Value),
                        IncrementalOperation = AlterConfigOpType.Set,
                    }),
                ],
            },
            new IncrementalAlterConfigsOptions { RequestTimeout = RequestTimeout }
        );
        log.TopicAltered(topic, string.Join(", ", changes.Select(setting => $"{setting.Key}={TopicSettings.Text(setting.Value)}")));
    }

    private static ConfigResource Resource(string topic) => new() { Type = ResourceType.Topic, Name = topic };

    private static Dictionary<string, long> Numbers(DescribeConfigsResult described)
    {
        var numbers = new Dictionary<string, long>();
        foreach (var (name, entry) in described.Entries)
        {
            if (long.TryParse(entry.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
                numbers.Add(name, value);
        }
        return numbers;
    }

    private Dictionary<string, TopicMetadata> Metadata() =>
        admin
            .GetMetadata(RequestTimeout)
            .Topics.Where(topic => !topic.Error.IsError && TopicNames.All.Contains(topic.Topic))
            .ToDictionary(topic => topic.Topic);
}
