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
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    // The broker in memory has room for a fraction of a second, so that is how often it must be known.
    private readonly TimeSpan interval = options.Value.BacklogPollInterval / (options.Value.BrokerIsInMemory ? 5 : 1);
    private StoredPosition[] stored = [];
    private bool isTroubled;
    private long lastLook;

    /// <summary>How long Kafka has not answered; null before its first answer.</summary>
    public TimeSpan? Age => Volatile.Read(ref lastLook) is var look and not 0 ? time.GetElapsedTime(look) : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                // Anew after every failure: a client that was cut off may go on asking a partition's former leader, or look for a
                // group's coordinator only every ten minutes.
                await WatchAsync(stoppingToken);
                await Task.Delay(RetryDelay, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    /// <summary>Looks at Kafka until it does not answer.</summary>
    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        // Consumers that never join: a group's offsets are asked for by one of its own name. The admin client has a call for it too, but
        // librdkafka's admin requests to a group's coordinator end the process when the broker falls silent under them
        // (github.com/confluentinc/librdkafka/issues/4605).
        using var verifier = Build(Topics.VerifierGroup);
        using var aggregator = Build(Topics.AggregatorGroup);
        using var admin = new DependentAdminClientBuilder(verifier.Handle).Build();
        try
        {
            while (!signed.IsOpen)
            {
                if (!await OpenAsync(admin, stoppingToken))
                    await Task.Delay(RetryDelay, time, stoppingToken);
            }
            while (true)
            {
                await LookAsync(verifier, aggregator, admin);
                if (isTroubled)
                    log.KafkaBack();
                isTroubled = false;
                await Task.Delay(backlog.Readings > 0 ? interval : QuietInterval, time, stoppingToken);
            }
        }
        catch (KafkaException exception)
        {
            Trouble(exception.Error.Reason);
        }
    }

    private void Trouble(string reason)
    {
        if (!isTroubled)
            log.KafkaTrouble(reason);
        isTroubled = true;
    }

    private async Task<bool> OpenAsync(IAdminClient admin, CancellationToken stoppingToken)
    {
        // All topics: asking for one by name could create it, with the broker's default number of partitions.
        var metadata = await Task.Run(() => admin.GetMetadata(RequestTimeout), stoppingToken);
        var counts = Topics.All.Select(name => metadata.Topics.FirstOrDefault(topic => topic.Topic == name && !topic.Error.IsError)?.Partitions.Count ?? 0).ToArray();
        if (counts.Contains(0))
        {
            Trouble("the topics do not exist yet");
            return false;
        }
        stored = [.. Enumerable.Range(0, counts[0]).Select(_ => new StoredPosition())];
        refused.Open(counts[Topics.All.ToList().IndexOf(Topics.Rejected)]);
        signed.Open(counts[0]);
        return true;
    }

    private async Task LookAsync(IConsumer<Ignore, Ignore> verifier, IConsumer<Ignore, Ignore> aggregator, IAdminClient admin)
    {
        var count = stored.Length;
        var bySigned = Partitions(Topics.Signed, count);
        var byVerified = Partitions(Topics.Verified, count);
        var byRejected = Partitions(Topics.Rejected, count);

        // In this order: what the Verifier had committed by now, it had written before the ends are asked for.
        var committed = await Task.WhenAll(CommittedAsync(verifier, bySigned), CommittedAsync(aggregator, [.. byVerified, .. byRejected]));
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
    }

    private IConsumer<Ignore, Ignore> Build(string group) => new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
    {
        BootstrapServers = configuration.GetConnectionString("kafka"),
        GroupId = group,
        EnableAutoCommit = false,
        SocketTimeoutMs = (int)RequestTimeout.TotalMilliseconds,
    })
        // What cannot be reached shows as the call's own exception.
        .SetLogHandler((_, _) => { })
        .SetErrorHandler((_, _) => { })
        .Build();

    private static TopicPartition[] Partitions(string topic, int count) => [.. Enumerable.Range(0, count).Select(partition => new TopicPartition(topic, partition))];

    /// <summary>Committed offsets; a partition that has none is left out, and so counts as not begun. The call blocks, so it has a thread of its own.</summary>
    private static Task<Dictionary<TopicPartition, long>> CommittedAsync(IConsumer<Ignore, Ignore> member, TopicPartition[] partitions) => Task.Run(() =>
        member.Committed(partitions, RequestTimeout).Where(partition => partition.Offset >= 0).ToDictionary(partition => partition.TopicPartition, partition => partition.Offset.Value));

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
