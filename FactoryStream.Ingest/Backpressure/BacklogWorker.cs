using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Backpressure;

/// <summary>
/// Looks at Kafka every so often: first how many partitions there are, then what of the accepted readings is stored,
/// told from the offsets that Verifier and Aggregator have committed and from where the topics begin and end.
/// </summary>
internal sealed class BacklogWorker(
    IAppendedTopic signed,
    IAppendedTopic rejected,
    Backlog backlog,
    RetentionWatch retention,
    KafkaConnection kafka,
    IOptions<IngestOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    IngestLog log
) : BackgroundService
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan QuietInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    // Retention moves a log's beginning every few minutes; an older one only counts a little too much.
    private static readonly TimeSpan BeginningsAge = TimeSpan.FromSeconds(1);

    // Somebody enlarges topics once a year; this bounds how long it goes unseen.
    private static readonly TimeSpan PartitionsAge = TimeSpan.FromSeconds(5);

    private readonly TimeSpan interval = options.Value.BacklogPollInterval;
    private StoredPosition[] stored = [];
    private Dictionary<TopicPartition, long> beginnings = [];
    private long beginningsAt;
    private long partitionsAt;
    private bool isTroubled;
    private long lastLook;

    /// <summary>How long Kafka has not answered; null before its first answer.</summary>
    public TimeSpan? Age => Volatile.Read(ref lastLook) is var look and not 0 ? time.GetElapsedTime(look) : null;

    /// <summary>What of <c>readings.signed</c> waits for the Verifier, in messages.</summary>
    public StalledWork Verifying { get; } = new(time);

    /// <summary>What of <c>readings.verified</c> and <c>readings.rejected</c> waits for the Aggregator, in messages.</summary>
    public StalledWork Storing { get; } = new(time);

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

    /// <summary>Looks at Kafka until it does not respond.</summary>
    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        // Consumers that never join: a group's offsets are asked for by one of its own name.
        using var verifier = Build(TopicNames.VerifierGroup);
        using var aggregator = Build(TopicNames.AggregatorGroup);
        using var admin = new DependentAdminClientBuilder(verifier.Handle).Build();
        try
        {
            while (stored.Length == 0)
            {
                if (!await OpenAsync(admin, aggregator, stoppingToken))
                    await Task.Delay(RetryDelay, time, stoppingToken);
            }
            while (true)
            {
                if (time.GetElapsedTime(partitionsAt) > PartitionsAge)
                    await LookAtPartitionsAsync(admin, aggregator, stoppingToken);
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

    private async Task<bool> OpenAsync(IAdminClient admin, IConsumer<Ignore, Ignore> aggregator, CancellationToken stoppingToken)
    {
        var counts = await CountsAsync(admin, stoppingToken);
        if (counts.Contains(0))
        {
            Trouble("the topics do not exist yet");
            return false;
        }
        var refusal = PartitionCounts.Unequal(counts);
        if (refusal is null && PartitionCounts.Fewer(await HaveOffsetsAsync(aggregator, counts[0])) is { } fewer)
            refusal = PartitionCounts.Enlarged(TopicNames.Signed, fewer, counts[0]);
        backlog.Refuse(refusal);
        if (refusal is not null)
            return false;
        await retention.ReadAsync(admin);
        stored = [.. Enumerable.Range(0, counts[0]).Select(_ => new StoredPosition())];
        rejected.Open(counts[TopicNames.All.ToList().IndexOf(TopicNames.Rejected)]);
        signed.Open(counts[0]);
        partitionsAt = time.GetTimestamp();
        return true;
    }

    /// <summary>
    /// This process keeps to the partitions that it began with, for an engine must not change its own under way. When there are others it
    /// accepts nothing more, so that what is on its way can be stored; when engines are spread over these, it ends, to be started with
    /// them.
    /// </summary>
    private async Task LookAtPartitionsAsync(IAdminClient admin, IConsumer<Ignore, Ignore> aggregator, CancellationToken stoppingToken)
    {
        partitionsAt = time.GetTimestamp();
        var counts = await CountsAsync(admin, stoppingToken);
        if (counts.Contains(0))
            return;
        var unequal = PartitionCounts.Unequal(counts);
        var isOther = counts[0] != stored.Length;
        backlog.Refuse(unequal ?? (isOther ? PartitionCounts.Enlarged(TopicNames.Signed, stored.Length, counts[0]) : null));
        if (!isOther || unequal is not null || (await HaveOffsetsAsync(aggregator, counts[0])).Contains(false))
            return;
        log.Repartitioned(counts[0]);
        lifetime.StopApplication();
    }

    private static async Task<int[]> CountsAsync(IAdminClient admin, CancellationToken stoppingToken)
    {
        // All topics: asking for one by name could create it, with the broker's default number of partitions.
        var metadata = await Task.Run(() => admin.GetMetadata(RequestTimeout), stoppingToken);
        return
        [
            .. TopicNames.All.Select(name =>
                metadata.Topics.FirstOrDefault(topic => topic.Topic == name && !topic.Error.IsError)?.Partitions.Count ?? 0
            ),
        ];
    }

    private static async Task<bool[]> HaveOffsetsAsync(IConsumer<Ignore, Ignore> aggregator, int count)
    {
        var partitions = Partitions(TopicNames.Verified, count);
        var committed = await aggregator.CommittedAsync(partitions, RequestTimeout);
        return Array.ConvertAll(partitions, committed.ContainsKey);
    }

    private async Task LookAsync(IConsumer<Ignore, Ignore> verifier, IConsumer<Ignore, Ignore> aggregator, IAdminClient admin)
    {
        var count = stored.Length;
        var bySigned = Partitions(TopicNames.Signed, count);
        var byVerified = Partitions(TopicNames.Verified, count);
        var byRejected = Partitions(TopicNames.Rejected, count);

        // In this order: what the Verifier had committed by now, it had written before the ends are asked for.
        var committed = await Task.WhenAll(
            verifier.CommittedAsync(bySigned, RequestTimeout),
            aggregator.CommittedAsync([.. byVerified, .. byRejected], RequestTimeout)
        );
        TopicPartition[] all = [.. bySigned, .. byVerified, .. byRejected];
        if (beginnings.Count == 0 || time.GetElapsedTime(beginningsAt) > BeginningsAge)
        {
            beginnings = await admin.OffsetsAsync(OffsetSpec.Earliest(), all, RequestTimeout);
            beginningsAt = time.GetTimestamp();
        }
        var ends = await admin.OffsetsAsync(OffsetSpec.Latest(), all, RequestTimeout);

        long foreignBytes = 0,
            foreignReadings = 0;
        long forVerifier = 0,
            forAggregator = 0;
        for (var partition = 0; partition < count; partition++)
        {
            // A group without an offset begins where the log does; one with an offset below that goes on there.
            var signedTaken = Taken(committed[0], bySigned[partition]);
            var verifiedTaken = Taken(committed[1], byVerified[partition]);
            var rejectedTaken = Taken(committed[1], byRejected[partition]);
            stored[partition]
                .Observe(
                    signedTaken,
                    ends[byVerified[partition]],
                    ends[byRejected[partition]],
                    verifiedTaken,
                    rejectedTaken,
                    new LogBeginnings(beginnings[bySigned[partition]], beginnings[byVerified[partition]], beginnings[byRejected[partition]])
                );
            var (bytes, readings) = signed.Observe(partition, stored[partition].Offset, ends[bySigned[partition]]);
            foreignBytes += bytes;
            foreignReadings += readings;
            rejected.Observe(partition, rejectedTaken, ends[byRejected[partition]]);
            // A log that was made anew may end before what was committed in the one before.
            forVerifier += Math.Max(0, ends[bySigned[partition]] - signedTaken);
            forAggregator += Math.Max(0, ends[byVerified[partition]] - verifiedTaken);
            forAggregator += Math.Max(0, ends[byRejected[partition]] - rejectedTaken);
        }
        // By what was committed and not by where the logs begin: what retention takes is nobody's progress.
        Verifying.Observe(forVerifier, committed[0].Values.Sum());
        Storing.Observe(forAggregator, committed[1].Values.Sum());
        backlog.Foreign(foreignBytes, foreignReadings);
        Volatile.Write(ref lastLook, time.GetTimestamp());
        backlog.KafkaAnswers();
        backlog.Looked();
        await retention.LookAsync(admin, partition => Taken(committed[partition.Topic == TopicNames.Signed ? 0 : 1], partition), ends);
    }

    private long Taken(Dictionary<TopicPartition, long> committed, TopicPartition partition) =>
        Math.Max(committed.GetValueOrDefault(partition), beginnings[partition]);

    private IConsumer<Ignore, Ignore> Build(string group) =>
        kafka.QuietConsumer<Ignore, Ignore>(
            new ConsumerConfig
            {
                GroupId = group,
                EnableAutoCommit = false,
                SocketTimeoutMs = (int)RequestTimeout.TotalMilliseconds,
            }
        );

    private static TopicPartition[] Partitions(string topic, int count) =>
        [.. Enumerable.Range(0, count).Select(partition => new TopicPartition(topic, partition))];
}
