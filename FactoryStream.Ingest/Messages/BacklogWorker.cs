using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Messages;

/// <summary>
/// Looks at Kafka every so often: first how many partitions there are, then what of the accepted readings is stored,
/// told from the offsets that Verifier and Aggregator have committed and from where the topics begin and end.
/// </summary>
internal sealed class BacklogWorker(
    SignedLog signed,
    RefusedLog refused,
    Backlog backlog,
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

    // Somebody enlarges topics or changes what they keep once a year; these bound how long it goes unseen.
    private static readonly TimeSpan PartitionsAge = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetentionAge = TimeSpan.FromSeconds(30);

    private readonly TimeSpan interval = options.Value.BacklogPollInterval;
    private StoredPosition[] stored = [];
    private Dictionary<TopicPartition, long> beginnings = [];
    private long beginningsAt;
    private long partitionsAt;
    private Dictionary<string, TopicRetention> retention = [];
    private long retentionAt;
    private long agedAt;
    private bool isRetentionUnknown;
    private volatile string? ageTrouble;
    private bool isTroubled;
    private long lastLook;

    /// <summary>How long Kafka has not answered; null before its first answer.</summary>
    public TimeSpan? Age => Volatile.Read(ref lastLook) is var look and not 0 ? time.GetElapsedTime(look) : null;

    /// <summary>What waits is so old that retention will soon take it, in words; null: it is not.</summary>
    public string? AgeTrouble => ageTrouble;

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
            refusal = PartitionCounts.Enlarged(Topics.Signed, fewer, counts[0]);
        backlog.Refuse(refusal);
        if (refusal is not null)
            return false;
        await ReadRetentionAsync(admin);
        stored = [.. Enumerable.Range(0, counts[0]).Select(_ => new StoredPosition())];
        refused.Open(counts[Topics.All.ToList().IndexOf(Topics.Rejected)]);
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
        backlog.Refuse(unequal ?? (isOther ? PartitionCounts.Enlarged(Topics.Signed, stored.Length, counts[0]) : null));
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
            .. Topics.All.Select(name =>
                metadata.Topics.FirstOrDefault(topic => topic.Topic == name && !topic.Error.IsError)?.Partitions.Count ?? 0
            ),
        ];
    }

    private static async Task<bool[]> HaveOffsetsAsync(IConsumer<Ignore, Ignore> aggregator, int count)
    {
        var partitions = Partitions(Topics.Verified, count);
        var committed = await CommittedAsync(aggregator, partitions);
        return Array.ConvertAll(partitions, committed.ContainsKey);
    }

    /// <summary>Asks what the topics keep. A broker that cannot or may not say is not asked again before the next time.</summary>
    private async Task ReadRetentionAsync(IAdminClient admin)
    {
        retentionAt = time.GetTimestamp();
        // Stated by hand.
        if (options.Value.MaxPartitionBytes is not null)
            return;
        try
        {
            var answers = await admin.DescribeConfigsAsync(
                Topics.All.Select(topic => new ConfigResource { Type = ResourceType.Topic, Name = topic }),
                new DescribeConfigsOptions { RequestTimeout = RequestTimeout }
            );
            retention = answers.ToDictionary(
                answer => answer.ConfigResource.Name,
                answer => TopicRetention.Of(answer.Entries.ToDictionary(entry => entry.Key, entry => entry.Value.Value))
            );
            isRetentionUnknown = false;
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
            if (!isRetentionUnknown)
                log.RetentionUnknown(exception.Error.Reason);
            isRetentionUnknown = true;
            retention = [];
        }
        // An answer is about as long as what it answers, so the shortest of the three logs counts.
        var shortest = retention.Values.Select(kept => kept.Bytes).DefaultIfEmpty(long.MaxValue).Min();
        backlog.BoundPartitions(shortest == long.MaxValue ? shortest : (long)(shortest * options.Value.RetentionShare));
    }

    /// <summary>Warns when what waits for its group is older than a share of the time that its topic keeps it.</summary>
    private async Task LookAtAgeAsync(IAdminClient admin, Dictionary<TopicPartition, long> taken, Dictionary<TopicPartition, long> ends)
    {
        var words = new List<string>();
        foreach (var (topic, kept) in retention)
        {
            if (kept.Time is not { } keptFor)
                continue;
            var allowed = keptFor * options.Value.RetentionShare;
            TopicPartition[] waiting = [.. ends.Keys.Where(partition => partition.Topic == topic && taken[partition] < ends[partition])];
            if (waiting.Length == 0)
                continue;
            var since = OffsetSpec.ForTimestamp((time.GetUtcNow() - allowed).ToUnixTimeMilliseconds());
            var youngEnough = await admin.OffsetsAsync(since, waiting, RequestTimeout);
            // Negative: there is nothing younger.
            var old = waiting.Sum(partition =>
                Math.Max(0, (youngEnough[partition] < 0 ? ends[partition] : youngEnough[partition]) - taken[partition])
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

    private async Task LookAsync(IConsumer<Ignore, Ignore> verifier, IConsumer<Ignore, Ignore> aggregator, IAdminClient admin)
    {
        var count = stored.Length;
        var bySigned = Partitions(Topics.Signed, count);
        var byVerified = Partitions(Topics.Verified, count);
        var byRejected = Partitions(Topics.Rejected, count);

        // In this order: what the Verifier had committed by now, it had written before the ends are asked for.
        var committed = await Task.WhenAll(CommittedAsync(verifier, bySigned), CommittedAsync(aggregator, [.. byVerified, .. byRejected]));
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
            var (bytes, readings) = signed.Partitions![partition].Observe(stored[partition].Offset, ends[bySigned[partition]]);
            foreignBytes += bytes;
            foreignReadings += readings;
            refused.Observe(partition, rejectedTaken);
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
        if (time.GetElapsedTime(retentionAt) > RetentionAge)
            await ReadRetentionAsync(admin);
        if (agedAt == 0 || time.GetElapsedTime(agedAt) > RetentionAge)
        {
            agedAt = time.GetTimestamp();
            await LookAtAgeAsync(
                admin,
                all.ToDictionary(
                    partition => partition,
                    partition => Taken(committed[partition.Topic == Topics.Signed ? 0 : 1], partition)
                ),
                ends
            );
        }
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

    /// <summary>Committed offsets; a partition that has none is left out. The call blocks, so it has a thread of its own.</summary>
    private static Task<Dictionary<TopicPartition, long>> CommittedAsync(IConsumer<Ignore, Ignore> member, TopicPartition[] partitions) =>
        Task.Run(() =>
            member
                .Committed(partitions, RequestTimeout)
                .Where(partition => partition.Offset >= 0)
                .ToDictionary(partition => partition.TopicPartition, partition => partition.Offset.Value)
        );
}
