using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Contracts;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Messages;

/// <summary>
/// Looks at Kafka every so often: first how many partitions there are, then what of the accepted readings is stored,
/// told from the offsets that Verifier and Aggregator have committed and from the ends of the topics.
/// </summary>
internal sealed class BacklogWorker(
    SignedLog signed, RefusedLog refused, Backlog backlog, IConfiguration configuration, IOptions<IngestOptions> options, TimeProvider time, IngestLog log) : BackgroundService
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan QuietInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(2);

    private readonly TimeSpan interval = options.Value.BacklogPollInterval;
    private StoredPosition[] stored = [];
    private bool isTroubled;
    private long lastLook;

    /// <summary>How long Kafka has not answered; null before its first answer.</summary>
    public TimeSpan? Age => Volatile.Read(ref lastLook) is var look and not 0 ? time.GetElapsedTime(look) : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig
        {
            BootstrapServers = configuration.GetConnectionString("kafka"),
            SocketTimeoutMs = (int)RequestTimeout.TotalMilliseconds,
        })
            // What cannot be reached shows as the call's own exception.
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, _) => { })
            .Build();
        try
        {
            var delay = TimeSpan.FromMilliseconds(100);
            while (!signed.IsOpen)
            {
                if (await TryAsync(() => OpenAsync(admin, stoppingToken)))
                    break;
                await Task.Delay(delay, time, stoppingToken);
                delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
            }
            while (true)
            {
                await TryAsync(() => LookAsync(admin));
                await Task.Delay(backlog.Readings > 0 || backlog.IsKafkaAway ? interval : QuietInterval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
        catch (Exception exception)
        {
            log.Stopping(exception.ToString());
            Environment.ExitCode = 1;
            throw;
        }
    }

    private async Task<bool> TryAsync(Func<Task<bool>> look)
    {
        try
        {
            var answered = await look();
            if (answered && isTroubled)
                log.KafkaBack();
            isTroubled &= !answered;
            return answered;
        }
        catch (KafkaException exception)
        {
            if (!isTroubled)
                log.KafkaTrouble(exception.Error.Reason);
            isTroubled = true;
            return false;
        }
    }

    private async Task<bool> OpenAsync(IAdminClient admin, CancellationToken stoppingToken)
    {
        // All topics: asking for one by name could create it, with the broker's default number of partitions.
        var metadata = await Task.Run(() => admin.GetMetadata(RequestTimeout), stoppingToken);
        var counts = Topics.All.Select(name => metadata.Topics.FirstOrDefault(topic => topic.Topic == name && !topic.Error.IsError)?.Partitions.Count ?? 0).ToArray();
        if (counts.Contains(0))
        {
            if (!isTroubled)
                log.KafkaTrouble("the topics do not exist yet");
            isTroubled = true;
            return false;
        }
        stored = [.. Enumerable.Range(0, counts[0]).Select(_ => new StoredPosition())];
        refused.Open(counts[Topics.All.ToList().IndexOf(Topics.Rejected)]);
        signed.Open(counts[0]);
        return true;
    }

    private async Task<bool> LookAsync(IAdminClient admin)
    {
        var count = stored.Length;
        var bySigned = Partitions(Topics.Signed, count);
        var byVerified = Partitions(Topics.Verified, count);
        var byRejected = Partitions(Topics.Rejected, count);

        // In this order: what the Verifier had committed by now, it had written before the ends are asked for.
        var committed = await Task.WhenAll(
            CommittedAsync(admin, Topics.VerifierGroup, bySigned),
            CommittedAsync(admin, Topics.AggregatorGroup, [.. byVerified, .. byRejected]));
        var ends = await EndsAsync(admin, [.. bySigned, .. byVerified, .. byRejected]);

        long foreignBytes = 0, foreignReadings = 0;
        for (var partition = 0; partition < count; partition++)
        {
            var rejectedCommitted = committed[1].GetValueOrDefault(byRejected[partition]);
            stored[partition].Observe(
                committed[0].GetValueOrDefault(bySigned[partition]),
                ends[byVerified[partition]],
                ends[byRejected[partition]],
                committed[1].GetValueOrDefault(byVerified[partition]),
                rejectedCommitted);
            var (bytes, readings) = signed.Partitions![partition].Observe(stored[partition].Offset, ends[bySigned[partition]]);
            foreignBytes += bytes;
            foreignReadings += readings;
            refused.Observe(partition, rejectedCommitted);
        }
        backlog.Foreign(foreignBytes, foreignReadings);
        Volatile.Write(ref lastLook, time.GetTimestamp());
        backlog.KafkaAnswers();
        backlog.Looked();
        return true;
    }

    private static TopicPartition[] Partitions(string topic, int count) => [.. Enumerable.Range(0, count).Select(partition => new TopicPartition(topic, partition))];

    /// <summary>Committed offsets; a partition that has none is left out, and so counts as not begun.</summary>
    private static async Task<Dictionary<TopicPartition, long>> CommittedAsync(IAdminClient admin, string group, TopicPartition[] partitions)
    {
        var answers = await admin.ListConsumerGroupOffsetsAsync(
            [new ConsumerGroupTopicPartitions(group, partitions.ToList())], new ListConsumerGroupOffsetsOptions { RequestTimeout = RequestTimeout });
        var committed = new Dictionary<TopicPartition, long>(partitions.Length);
        foreach (var partition in answers[0].Partitions)
        {
            if (!partition.Error.IsError && partition.Offset >= 0)
                committed[partition.TopicPartition] = partition.Offset.Value;
        }
        return committed;
    }

    private static async Task<Dictionary<TopicPartition, long>> EndsAsync(IAdminClient admin, TopicPartition[] partitions)
    {
        var answers = await admin.ListOffsetsAsync(
            partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = OffsetSpec.Latest() }),
            new ListOffsetsOptions { RequestTimeout = RequestTimeout });
        return answers.ResultInfos.ToDictionary(
            answer => answer.TopicPartitionOffsetError.TopicPartition,
            answer => answer.TopicPartitionOffsetError.Error.IsError
                ? throw new KafkaException(answer.TopicPartitionOffsetError.Error)
                : answer.TopicPartitionOffsetError.Offset.Value);
    }
}
