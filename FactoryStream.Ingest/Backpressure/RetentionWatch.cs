using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Backpressure;

/// <summary>
/// Holds what waits against what Kafka keeps: bounds what may be unstored in a partition, and warns of what waits for too long.
/// </summary>
internal sealed class RetentionWatch(Backlog backlog, IOptions<IngestOptions> options, TimeProvider time, IngestLog log)
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);

    // Somebody changes what the topics keep once a year; this bounds how long it goes unseen.
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(30);

    private Dictionary<string, TopicRetention> retention = [];
    private long readAt;
    private long agedAt;
    private bool isUnknown;
    private volatile string? ageTrouble;

    /// <summary>What waits is so old that retention will soon take it, in words; null: it is not.</summary>
    public string? AgeTrouble => ageTrouble;

    /// <summary>Asks what the topics keep. A broker that cannot or may not say is not asked again before the next time.</summary>
    public async Task ReadAsync(IAdminClient admin)
    {
        readAt = time.GetTimestamp();
        // Stated by hand.
        if (options.Value.MaxPartitionBytes is not null)
            return;
        try
        {
            var answers = await admin.DescribeConfigsAsync(
                TopicNames.All.Select(topic => new ConfigResource { Type = ResourceType.Topic, Name = topic }),
                new DescribeConfigsOptions { RequestTimeout = RequestTimeout }
            );
            retention = answers.ToDictionary(
                answer => answer.ConfigResource.Name,
                answer => TopicRetention.Of(answer.Entries.ToDictionary(entry => entry.Key, entry => entry.Value.Value))
            );
            isUnknown = false;
        }
        catch (KafkaException exception)
            when (exception.Error.Code
                    is ErrorCode.Local_UnsupportedFeature
                        or ErrorCode.UnsupportedVersion
                        or ErrorCode.TopicAuthorizationFailed
                        or ErrorCode.ClusterAuthorizationFailed
                || exception is DescribeConfigsException
            )
        {
            if (!isUnknown)
                log.RetentionUnknown(exception.Error.Reason);
            isUnknown = true;
            retention = [];
        }
        // An answer is about as long as what it answers, so the shortest of the three logs counts.
        var shortest = retention.Values.Select(kept => kept.Bytes).DefaultIfEmpty(long.MaxValue).Min();
        backlog.BoundPartitions(shortest == long.MaxValue ? shortest : (long)(shortest * options.Value.RetentionShare));
    }

    /// <summary>Takes in a look at Kafka; does what is due by now.</summary>
    /// <param name="admin">Asks the brokers.</param>
    /// <param name="taken">How far each partition's group has come.</param>
    /// <param name="ends">Where each partition ends.</param>
    public async Task LookAsync(IAdminClient admin, Func<TopicPartition, long> taken, Dictionary<TopicPartition, long> ends)
    {
        if (time.GetElapsedTime(readAt) > MaxAge)
            await ReadAsync(admin);
        if (agedAt != 0 && time.GetElapsedTime(agedAt) <= MaxAge)
            return;
        agedAt = time.GetTimestamp();
        await LookAtAgeAsync(admin, taken, ends);
    }

    /// <summary>Warns when what waits for its group is older than a share of the time that its topic keeps it.</summary>
    private async Task LookAtAgeAsync(IAdminClient admin, Func<TopicPartition, long> taken, Dictionary<TopicPartition, long> ends)
    {
        var words = new List<string>();
        foreach (var (topic, kept) in retention)
        {
            if (kept.Time is not { } keptFor)
                continue;
            var allowed = keptFor * options.Value.RetentionShare;
            TopicPartition[] waiting = [.. ends.Keys.Where(partition => partition.Topic == topic && taken(partition) < ends[partition])];
            if (waiting.Length == 0)
                continue;
            var since = OffsetSpec.ForTimestamp((time.GetUtcNow() - allowed).ToUnixTimeMilliseconds());
            var youngEnough = await admin.OffsetsAsync(since, waiting, RequestTimeout);
            // Negative: there is nothing younger.
            var old = waiting.Sum(partition =>
                Math.Max(0, (youngEnough[partition] < 0 ? ends[partition] : youngEnough[partition]) - taken(partition))
            );
            if (old > 0)
                words.Add(
                    $"{topic} has {old} messages that wait for longer than {allowed:g}, and keeps them for {keptFor:g}: then they are lost."
                );
        }
        var trouble = words.Count == 0 ? null : string.Join(' ', words);
        if (trouble is not null && ageTrouble is null)
            log.RetentionTimeNear(trouble);
        ageTrouble = trouble;
    }
}
