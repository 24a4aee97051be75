using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Aggregator;

/// <summary>
/// Where Kafka, the windows and the database meet. One thread consumes and decodes the next batches while the last ones commit. Whatever goes wrong on the way
/// (the database is away, a partition has another owner) ends the session: the group is left, all state dropped, and a new session starts from the checkpoints.
/// </summary>
internal sealed class AggregatorWorker(
    NpgsqlDataSource database, KafkaConnection kafka, IOptions<AggregatorOptions> options, AggregatorMetrics instruments, AggregatorHealth health,
    RetentionRuns retention, TimeProvider time, ILogger<AggregatorWorker> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = ShortestPause;
        var careful = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var begun = time.GetTimestamp();
            var session = new AggregatorSession(
                database, kafka, options.Value, careful, instruments, health, retention, time, logger);
            try
            {
                await using (session)
                    await session.RunAsync(stoppingToken);
                return;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation && exception.TableName?.StartsWith("readings", StringComparison.Ordinal) == true && !session.IsCareful)
            {
                careful = true;
                logger.Careful(exception.MessageText);
            }
            catch (Exception exception) when (IsExpected(exception))
            {
                health.Failed(exception.Message);
                careful = false;
                if (exception is FencedException or LogChangedException || time.GetElapsedTime(begun) > TimeSpan.FromMinutes(1))
                    pause = ShortestPause;
                logger.BatchDropped(pause.TotalSeconds, exception.Message);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    /// <summary>The database restarts, fails over, is full or not migrated yet, the broker is away, another owner has taken over, retention was quicker: to be tried again from the checkpoint.</summary>
    private static bool IsExpected(Exception exception) => exception is FencedException or LogChangedException or KafkaException or TimeoutException or NpgsqlException { IsTransient: true }
        or PostgresException
        {
            SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.ReadOnlySqlTransaction
                or PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.InvalidCatalogName
                or PostgresErrorCodes.CheckViolation
        };
}

/// <summary>A topic's log is not the one that was being read: begin anew, from the checkpoint or, in another incarnation, from the log's beginning.</summary>
internal sealed class LogChangedException(string message) : Exception(message);

/// <summary>
/// One membership of the consumer group, from joining to leaving. A consumer for each topic: the assignor counts a member's partitions, whatever their topic, and would give one
/// process all of the readings and another all of the rejections.
/// </summary>
internal sealed class AggregatorSession : IAsyncDisposable
{
    private static readonly TimeSpan BrokerPatience = TimeSpan.FromSeconds(10);

    private readonly AggregatorOptions options;
    private readonly AggregatorMetrics instruments;
    private readonly AggregatorHealth health;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly TopicIncarnations incarnations;
    private readonly CheckpointReader checkpoints;
    private readonly LossReader losses;
    private readonly PartitionRecord record;
    private readonly Dictionary<string, (string Id, int Partitions, int Recorded)> topics = [];
    private readonly CommitLane[] lanes;
    private readonly BatchBytes fetched = new();
    private readonly IConsumer<Ignore, ReadOnlyMemory<byte>> verified;
    private readonly IConsumer<Ignore, ReadOnlyMemory<byte>> rejected;
    private readonly Dictionary<TopicPartition, PartitionProgress> owned = [];
    private readonly List<CheckpointRow> assigned = [];
    private CancellationToken stopping;
    private Task<string?> incarnationLook = Task.FromResult<string?>(null);
    private bool closing;
    private int taken;
    private long lastIncarnationLook;

    public AggregatorSession(
        NpgsqlDataSource database, KafkaConnection kafka, AggregatorOptions options, bool careful, AggregatorMetrics instruments,
        AggregatorHealth health, RetentionRuns retention, TimeProvider time, ILogger logger)
    {
        (this.options, this.instruments, this.health, this.time, this.logger) = (options, instruments, health, time, logger);
        incarnations = new TopicIncarnations(kafka);
        checkpoints = new CheckpointReader(database);
        losses = new LossReader(database);
        record = new PartitionRecord(database);
        lanes = [.. Enumerable.Range(0, options.Parallelism).Select(number => new CommitLane(
            number, database, options, careful, instruments, retention, time, logger))];
        verified = Build(kafka);
        rejected = Build(kafka);
    }

    /// <summary>Still takes the way that asks the database what is new.</summary>
    public bool IsCareful => lanes.All(lane => lane.Committer.CarefulBatches > 0);

    private IConsumer<Ignore, ReadOnlyMemory<byte>> Build(KafkaConnection kafka) =>
        kafka.Consumer<Ignore, ReadOnlyMemory<byte>>(new ConsumerConfig
        {
            GroupId = Topics.AggregatorGroup,
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
            // The checkpoints in the database are the truth; the offsets in Kafka only show the lag.
            EnableAutoOffsetStore = false,
            EnableAutoCommit = true,
            AutoCommitIntervalMs = (int)options.OffsetCommitInterval.TotalMilliseconds,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnablePartitionEof = true,
            SessionTimeoutMs = 10_000,
            HeartbeatIntervalMs = 1_000,
            FetchWaitMaxMs = (int)options.FetchWait.TotalMilliseconds,
            FetchMinBytes = options.FetchMinBytes,
            FetchMaxBytes = 16 * 1024 * 1024,
            QueuedMaxMessagesKbytes = options.MaxFetchedKilobytes,
            // By default a full queue is not looked at again for a second.
            FetchQueueBackoffMs = 10,
            QueuedMinMessages = 10_000,
        })
            .SetValueDeserializer(fetched)
            .SetLogHandler((_, message) => logger.Log((LogLevel)message.LevelAs(LogLevelType.MicrosoftExtensionsLogging), 0, message.Message, null, static (text, _) => text))
            .SetErrorHandler((_, error) => logger.KafkaError(error.Reason))
            .SetPartitionsAssignedHandler((consumer, added) => AssignAsync(consumer, added).GetAwaiter().GetResult())
            .SetPartitionsRevokedHandler((_, removed) => RevokeAsync(removed).GetAwaiter().GetResult())
            .SetPartitionsLostHandler((_, removed) => Lose(removed))
            .Build();

    public async Task RunAsync(CancellationToken stoppingToken)
    {
        stopping = stoppingToken;
        verified.Subscribe(Topics.Verified);
        rejected.Subscribe(Topics.Rejected);
        while (!stoppingToken.IsCancellationRequested)
        {
            if (!Array.Exists(lanes, lane => lane.IsFull))
            {
                // Under load commits are under way and messages wait; otherwise the first message goes at once. A lane's turn comes even if messages never end.
                var next = Next(Patience());
                // Before anything of what was just assigned can be committed.
                TellBegun();
                if (next is { } message)
                {
                    Take(message);
                    if (++taken % 64 != 0)
                        continue;
                }
            }
            LookForNewIncarnations();
            foreach (var lane in lanes)
            {
                if (!lane.Committing.IsCompleted)
                    continue;
                await lane.Committing;
                var silent = lane.Ticks() ? Silent(lane) : [];
                if (silent.Length > 0 || (!lane.IsEmpty && lane.DueIn() == 0))
                    Commit(lane, silent);
            }
            // Nothing more can be taken in until one of them is done.
            if (Array.Exists(lanes, lane => lane.IsFull))
                await Task.WhenAny(lanes.Where(lane => !lane.Committing.IsCompleted).Select(lane => lane.Committing));
        }
        await FlushAsync();
    }

    public async ValueTask DisposeAsync()
    {
        closing = true;
        foreach (var lane in lanes)
        {
            try
            {
                await lane.Committing;
            }
            catch (Exception exception) when (exception is NpgsqlException or FencedException)
            {
                // Whoever runs the session has seen it already, or is about to start over from the checkpoint.
                logger.BatchDropped(0, exception.Message);
            }
        }
        await incarnationLook;
        // What could be committed has been, or must not be.
        foreach (var consumer in (IConsumer<Ignore, ReadOnlyMemory<byte>>[])[verified, rejected])
        {
            consumer.Close();
            consumer.Dispose();
        }
        incarnations.Dispose();
    }

    private CommitLane LaneOf(int partition) => lanes[partition % lanes.Length];

    private IConsumer<Ignore, ReadOnlyMemory<byte>> ConsumerOf(string topic) => topic == Topics.Verified ? verified : rejected;

    /// <summary>How many milliseconds a message may be waited for.</summary>
    private int Patience()
    {
        var patience = 5;
        foreach (var lane in lanes)
        {
            if (lane.Committing.IsCompleted && !lane.IsEmpty)
                patience = Math.Min(patience, lane.DueIn());
        }
        return patience;
    }

    /// <summary>The next message, valid until the next call. Rejections are few: looked for now and then among the others, and whenever there are no others.</summary>
    private ConsumeResult<Ignore, ReadOnlyMemory<byte>>? Next(int patience)
    {
        fetched.Reset();
        if (taken % 16 == 0 && rejected.Consume(0) is { } found)
            return found;
        return verified.Consume(0) ?? rejected.Consume(0) ?? (patience == 0 ? null : verified.Consume(patience));
    }

    private void Take(ConsumeResult<Ignore, ReadOnlyMemory<byte>> message)
    {
        if (!owned.TryGetValue(message.TopicPartition, out var progress))
            return;
        progress.AtEnd = message.IsPartitionEOF;
        if (message.IsPartitionEOF)
            return;
        if (message.Offset < progress.NextOffset)
            throw new LogChangedException($"{message.Topic} [{message.Partition.Value}] goes on at {message.Offset.Value} instead of {progress.NextOffset}: it is another log by now.");
        LaneOf(message.Partition).Filling.Add(message, progress);
    }

    /// <summary>A topic that is made anew while we read it, and outgrows our offset, looks like the one before in all but its id.</summary>
    private void LookForNewIncarnations()
    {
        if (!incarnationLook.IsCompleted)
            return;
        if (incarnationLook.GetAwaiter().GetResult() is { } changed)
            throw new LogChangedException(changed);
        if (topics.Count == 0 || time.GetElapsedTime(lastIncarnationLook) < TimeSpan.FromSeconds(5))
            return;
        lastIncarnationLook = time.GetTimestamp();
        var read = owned.Keys.Select(partition => partition.Topic).ToHashSet();
        var expected = topics.ToArray();
        incarnationLook = Task.Run(async () =>
        {
            try
            {
                foreach (var (topic, known) in expected)
                {
                    var current = await incarnations.GetWithPartitionsAsync(topic);
                    if (current.Id != known.Id && read.Contains(topic))
                        return $"{topic} was made anew: its id is {current.Id}, no longer {known.Id}.";
                    if (current.Id == known.Id && current.Partitions != known.Partitions)
                        return $"{topic} has {current.Partitions} partitions, no longer {known.Partitions}.";
                    if (known.Recorded != known.Partitions
                        && await record.EnsureAsync(topic, current.Id, current.Partitions, stopping) != known.Recorded)
                        return $"{topic}: engines are spread over {current.Partitions} partitions from now on.";
                }
                health.Losses = await losses.ReadAsync(unacknowledgedOnly: true, stopping);
            }
            catch (NpgsqlException exception)
            {
                // Whether the database is away the transactions tell.
                logger.LossesUnknown(exception.Message);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // The service stops.
            }
            catch (KafkaException exception)
            {
                // A broker that is away is the consumer's to wait for; the next look comes in a few seconds.
                logger.KafkaError(exception.Error.Reason);
            }
            return null;
        });
    }

    /// <summary>The lane's partitions with something that silence closes.</summary>
    private HeardAll[] Silent(CommitLane lane)
    {
        var now = time.GetUtcNow().UtcTicks;
        var silent = new List<HeardAll>();
        lane.Behind = 0;
        foreach (var (partition, progress) in owned)
        {
            if (LaneOf(partition.Partition) != lane)
                continue;
            var end = ConsumerOf(partition.Topic).GetWatermarkOffsets(partition).High.Value;
            progress.LookAhead(end, now);
            lane.Behind += progress.Behind(end);
            var heard = new HeardAll(partition.Partition, progress.HeardAllUntil);
            if (partition.Topic == Topics.Verified && lane.Committer.HasSilent(heard))
                silent.Add(heard);
        }
        instruments.Backlog(lanes.Sum(each => each.Behind));
        return [.. silent];
    }

    /// <param name="lane">Whose batch; the one before is complete.</param>
    /// <param name="silent">Where to close also what silence closes: guarded by the same epoch as what a message closes.</param>
    private void Commit(CommitLane lane, HeardAll[] silent)
    {
        lane.Filling.Seal(silent.Select(heard => owned[new TopicPartition(Topics.Verified, heard.Partition)]));
        health.Committing(lane.Number);
        lane.Commit(batch => CommitAsync(lane, batch, silent));
    }

    private async Task CommitAsync(CommitLane lane, Batch batch, HeardAll[] silent)
    {
        await lane.Committer.CommitAsync(batch, silent, CancellationToken.None);
        if (batch.MessageCount > 0)
        {
            foreach (var step in batch.Steps)
                StoreOffset(step.Topic, step.Partition, step.NextOffset);
        }
        batch.Clear();
        health.Committed(lane.Number);
    }

    /// <summary>
    /// The group is told where it begins, too, and not only where its first batch has come to: without an offset, because it never had one
    /// or it has expired, all that the log still holds would seem to wait, and on a quiet log for ever.
    /// </summary>
    private void TellBegun()
    {
        foreach (var checkpoint in assigned)
            StoreOffset(checkpoint.Topic, checkpoint.Partition, checkpoint.NextOffset);
        assigned.Clear();
    }

    private void StoreOffset(string topic, int partition, long nextOffset)
    {
        try
        {
            ConsumerOf(topic).StoreOffset(new TopicPartitionOffset(topic, partition, nextOffset));
        }
        catch (KafkaException exception) when (exception.Error.Code == ErrorCode.Local_State)
        {
            // The partition was taken from us while we committed: its lag is the next owner's to tell.
            logger.KafkaError(exception.Error.Reason);
        }
    }

    private async Task FlushAsync()
    {
        await CommittedAsync();
        foreach (var lane in lanes)
        {
            if (!lane.IsEmpty)
                Commit(lane, []);
        }
        await CommittedAsync();
    }

    private Task CommittedAsync() => Task.WhenAll(lanes.Select(lane => lane.Committing));

    /// <summary>Raises the epochs, builds the windows again and says where to begin.</summary>
    private async Task<IEnumerable<TopicPartitionOffset>> AssignAsync(IConsumer<Ignore, ReadOnlyMemory<byte>> consumer, List<TopicPartition> added)
    {
        health.Joined();
        if (added.Count == 0)
            return [];
        var begun = time.GetTimestamp();
        // The committers' state is not to be touched while a batch is under way.
        await CommittedAsync();
        await LookAtTopicsAsync();
        var readings = new List<PartitionProgress>();
        var offsets = new List<TopicPartitionOffset>();
        foreach (var partition in added)
        {
            if (partition.Partition >= topics[partition.Topic].Recorded)
            {
                // Not taken in: Take knows nothing of it. It must be given back all the same.
                offsets.Add(new TopicPartitionOffset(partition, Offset.End));
                continue;
            }
            var checkpoint = await checkpoints.AcquireAsync(partition.Topic, partition.Partition, topics[partition.Topic].Id, stopping);
            var end = consumer.QueryWatermarkOffsets(partition, BrokerPatience).High.Value;
            if (checkpoint.NextOffset > end)
            {
                // The same topic with a shorter log: its broker lost what the checkpoint has seen.
                logger.NewIncarnation(partition.Topic, partition.Partition, checkpoint.NextOffset);
                checkpoint = await checkpoints.AcquireAsync(
                    partition.Topic, partition.Partition, $"{topics[partition.Topic].Id}@{end}", stopping);
                checkpoint = await checkpoints.AcquireAsync(partition.Topic, partition.Partition, topics[partition.Topic].Id, stopping);
            }
            ShortenSource(consumer, checkpoint, topics[Topics.Signed].Id);
            var progress = new PartitionProgress(checkpoint);
            owned[partition] = progress;
            offsets.Add(new TopicPartitionOffset(partition, checkpoint.NextOffset));
            assigned.Add(checkpoint);
            if (partition.Topic == Topics.Verified)
                readings.Add(progress);
        }
        var (engines, stored) = (0, 0);
        foreach (var share in readings.GroupBy(progress => LaneOf(progress.TopicPartition.Partition)))
        {
            var rebuilt = await share.Key.Committer.RebuildAsync([.. share], topics[Topics.Verified].Recorded, stopping);
            (engines, stored) = (engines + rebuilt.Engines, stored + rebuilt.Readings);
        }
        logger.Assigned(added.Count, string.Join(' ', added), engines, stored, (long)time.GetElapsedTime(begun).TotalMilliseconds);
        return offsets;
    }

    /// <summary>
    /// Over how many partitions engines are spread is what is recorded, not what the topics have by now: an engine that moved while its
    /// readings are on the way in two partitions would have its windows in two states at once.
    /// </summary>
    private async Task LookAtTopicsAsync()
    {
        string? enlarged = null;
        foreach (var topic in Topics.All)
        {
            var (id, partitions) = await incarnations.GetWithPartitionsAsync(topic);
            var recorded = await record.EnsureAsync(topic, id, partitions, stopping);
            if (topics.TryGetValue(topic, out var known)
                && ((known.Id != id && owned.Keys.Any(partition => partition.Topic == topic)) || known.Recorded != recorded))
                throw new LogChangedException($"{topic} is another one than that of the partitions taken before.");
            topics[topic] = (id, partitions, recorded);
            if (recorded != partitions)
                enlarged = PartitionCounts.Enlarged(topic, recorded, partitions);
        }
        if (enlarged is not null)
            logger.Enlarged(enlarged);
        health.Enlarged = enlarged;
        health.Losses = await losses.ReadAsync(unacknowledgedOnly: true, stopping);
    }

    /// <summary>Where the signed log itself lost its end, the same offsets come again with other readings; those are no redeliveries.</summary>
    private void ShortenSource(IConsumer<Ignore, ReadOnlyMemory<byte>> consumer, CheckpointRow checkpoint, string signedTopicId)
    {
        if (checkpoint.SourceTopicId != signedTopicId)
            return;
        var end = consumer.QueryWatermarkOffsets(new TopicPartition(Topics.Signed, checkpoint.Partition), BrokerPatience).High.Value;
        if (checkpoint.SourceOffset < end)
            return;
        logger.SourceShortened(Topics.Signed, checkpoint.Partition, end, checkpoint.SourceOffset);
        (checkpoint.SourceOffset, checkpoint.SourceLine) = (end - 1, int.MaxValue);
    }

    private async Task RevokeAsync(List<TopicPartitionOffset> removed)
    {
        if (closing)
            return;
        // What was taken in is committed before the partitions go to somebody else.
        await FlushAsync();
        foreach (var partition in removed)
        {
            owned.Remove(partition.TopicPartition);
            if (partition.Topic == Topics.Verified)
                LaneOf(partition.Partition).Committer.Release([partition.Partition.Value]);
        }
        if (removed.Count > 0 && !stopping.IsCancellationRequested)
            logger.Revoked(removed.Count, string.Join(' ', removed.Select(partition => partition.TopicPartition)));
    }

    private void Lose(List<TopicPartitionOffset> removed)
    {
        if (!closing)
            throw new FencedException($"{removed.Count} partitions were given to another while this process was out of the group.");
    }
}
