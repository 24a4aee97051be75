using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Aggregator;

/// <summary>
/// Where Kafka, the windows and the database meet. One thread consumes and decodes the next batch while the last one commits. Whatever goes wrong on the way
/// (the database is away, a partition has another owner) ends the session: the group is left, all state dropped, and a new session starts from the checkpoints.
/// </summary>
internal sealed class AggregatorWorker(
    NpgsqlDataSource database, IConfiguration configuration, IOptions<AggregatorOptions> options, AggregatorMetrics instruments, AggregatorHealth health,
    TimeProvider time, ILogger<AggregatorWorker> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var bootstrapServers = configuration.GetConnectionString("kafka")
            ?? throw new InvalidOperationException("No Kafka address: set ConnectionStrings__kafka or start the service through the AppHost.");
        var pause = ShortestPause;
        var careful = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var begun = time.GetTimestamp();
            var session = new AggregatorSession(database, bootstrapServers, options.Value, careful, instruments, health, time, logger);
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

/// <summary>One membership of the consumer group, from joining to leaving.</summary>
internal sealed class AggregatorSession : IAsyncDisposable
{
    private static readonly TimeSpan BrokerPatience = TimeSpan.FromSeconds(10);

    private readonly AggregatorOptions options;
    private readonly AggregatorMetrics instruments;
    private readonly AggregatorHealth health;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly NpgsqlDataSource database;
    private readonly TopicIncarnations incarnations;
    private readonly CheckpointReader checkpoints;
    private readonly BatchCommitter committer;
    private readonly IConsumer<Ignore, ReadOnlyMemory<byte>> consumer;
    private readonly Dictionary<TopicPartition, PartitionProgress> owned = [];
    private CancellationToken stopping;
    private Batch filling;
    private Batch spare;
    private Task committing = Task.CompletedTask;
    private Task<string?> incarnationLook = Task.FromResult<string?>(null);
    private bool closing;
    private long lastTick;
    private long lastIncarnationLook;
    private long nextRetention;

    public AggregatorSession(
        NpgsqlDataSource database, string bootstrapServers, AggregatorOptions options, bool careful, AggregatorMetrics instruments, AggregatorHealth health, TimeProvider time, ILogger logger)
    {
        (this.options, this.instruments, this.health, this.time, this.logger, this.database) = (options, instruments, health, time, logger, database);
        incarnations = new TopicIncarnations(bootstrapServers);
        checkpoints = new CheckpointReader(database);
        committer = new BatchCommitter(database, options.Rules, instruments, time) { CarefulBatches = careful ? 100 : 0 };
        filling = new Batch(logger, instruments);
        spare = new Batch(logger, instruments);
        consumer = new ConsumerBuilder<Ignore, ReadOnlyMemory<byte>>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = Topics.AggregatorGroup,
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
            // The checkpoints in the database are the truth; the offsets in Kafka only show the lag.
            EnableAutoOffsetStore = false,
            EnableAutoCommit = true,
            AutoCommitIntervalMs = options.BrokerIsInMemory ? 40 : 200,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnablePartitionEof = true,
            SessionTimeoutMs = 10_000,
            HeartbeatIntervalMs = 1_000,
            FetchWaitMaxMs = options.BrokerIsInMemory ? 10 : (int)options.FetchWait.TotalMilliseconds,
            FetchMinBytes = options.BrokerIsInMemory ? 1 : options.FetchMinBytes,
            FetchMaxBytes = 16 * 1024 * 1024,
            QueuedMaxMessagesKbytes = options.MaxFetchedKilobytes,
            QueuedMinMessages = 10_000,
        })
            .SetValueDeserializer(new FillingBytes(this))
            .SetLogHandler((_, message) => logger.Log((LogLevel)message.LevelAs(LogLevelType.MicrosoftExtensionsLogging), 0, message.Message, null, static (text, _) => text))
            .SetErrorHandler((_, error) => logger.KafkaError(error.Reason))
            .SetPartitionsAssignedHandler((_, added) => AssignAsync(added).GetAwaiter().GetResult())
            .SetPartitionsRevokedHandler((_, removed) => RevokeAsync(removed).GetAwaiter().GetResult())
            .SetPartitionsLostHandler((_, removed) => Lose(removed))
            .Build();
    }

    /// <summary>Still takes the way that asks the database what is new.</summary>
    public bool IsCareful => committer.CarefulBatches > 0;

    private bool IsFull => filling.Readings.Count + filling.Rejections.Count >= options.MaxBatchReadings || filling.ByteCount >= options.MaxBatchKilobytes * 1024L;

    public async Task RunAsync(CancellationToken stoppingToken)
    {
        stopping = stoppingToken;
        consumer.Subscribe([Topics.Verified, Topics.Rejected]);
        lastTick = time.GetTimestamp();
        while (!stoppingToken.IsCancellationRequested)
        {
            var full = IsFull;
            if (full || committing.IsFaulted)
                await committing;

            // Under load a commit is under way and messages wait; otherwise the first message goes at once.
            var message = full ? null : consumer.Consume(committing.IsCompleted && filling.MessageCount > 0 ? 0 : 5);
            if (message is not null)
                Take(message);
            if (!committing.IsCompleted || (message is not null && !full))
                continue;
            var silent = Ticks() ? Silent() : [];
            if (filling.MessageCount > 0 || silent.Length > 0)
            {
                await committing;
                Commit(silent);
            }
        }
        await FlushAsync();
    }

    public async ValueTask DisposeAsync()
    {
        closing = true;
        try
        {
            await committing;
        }
        catch (Exception exception) when (exception is NpgsqlException or FencedException)
        {
            // Whoever runs the session has seen it already, or is about to start over from the checkpoint.
            logger.BatchDropped(0, exception.Message);
        }
        await incarnationLook;
        // What could be committed has been, or must not be.
        consumer.Close();
        consumer.Dispose();
        incarnations.Dispose();
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
        if (message.Offset > progress.NextOffset)
            logger.Gap(message.Topic, message.Partition, progress.NextOffset, message.Offset - 1);
        filling.Add(message, progress);
    }

    /// <summary>Once a second: time for what silence closes, and for a look around.</summary>
    private bool Ticks()
    {
        if (time.GetElapsedTime(lastTick) < TimeSpan.FromSeconds(1))
            return false;
        lastTick = time.GetTimestamp();
        LookForNewIncarnations();
        return owned.Count > 0;
    }

    /// <summary>A topic that is made anew while we read it, and outgrows our offset, looks like the one before in all but its id.</summary>
    private void LookForNewIncarnations()
    {
        if (!incarnationLook.IsCompleted)
            return;
        if (incarnationLook.GetAwaiter().GetResult() is { } changed)
            throw new LogChangedException(changed);
        if (owned.Count == 0 || time.GetElapsedTime(lastIncarnationLook) < TimeSpan.FromSeconds(5))
            return;
        lastIncarnationLook = time.GetTimestamp();
        var expected = owned.Values.Select(progress => (progress.TopicPartition.Topic, progress.TopicId)).Distinct().ToArray();
        incarnationLook = Task.Run(async () =>
        {
            try
            {
                foreach (var (topic, topicId) in expected)
                {
                    if (await incarnations.GetAsync(topic) is var current && current != topicId)
                        return $"{topic} was made anew: its id is {current}, no longer {topicId}.";
                }
            }
            catch (KafkaException exception)
            {
                // A broker that is away is the consumer's to wait for; the next look comes in a few seconds.
                logger.KafkaError(exception.Error.Reason);
            }
            return null;
        });
    }

    /// <summary>The partitions with something that silence closes.</summary>
    private HeardAll[] Silent()
    {
        var now = time.GetUtcNow().UtcTicks;
        var silent = new List<HeardAll>();
        var behind = 0L;
        foreach (var (partition, progress) in owned)
        {
            var end = consumer.GetWatermarkOffsets(partition).High.Value;
            progress.LookAhead(end, now);
            behind += progress.Behind(end);
            var heard = new HeardAll(partition.Partition, progress.HeardAllUntil);
            if (partition.Topic == Topics.Verified && committer.HasSilent(heard))
                silent.Add(heard);
        }
        instruments.Backlog(behind);
        return [.. silent];
    }

    /// <param name="silent">Where to close also what silence closes: guarded by the same epoch as what a message closes.</param>
    private void Commit(HeardAll[] silent)
    {
        filling.Seal(silent.Select(heard => owned[new TopicPartition(Topics.Verified, heard.Partition)]));
        var batch = filling;
        (filling, spare) = (spare, filling);
        health.Committing();
        committing = Task.Run(() => CommitAsync(batch, silent), CancellationToken.None);
    }

    private async Task CommitAsync(Batch batch, HeardAll[] silent)
    {
        await committer.CommitAsync(batch, silent, CancellationToken.None);
        if (batch.MessageCount > 0)
        {
            foreach (var step in batch.Steps)
                StoreOffset(step);
        }
        batch.Clear();
        health.Committed();
        await RetainAsync();
    }

    private void StoreOffset(CheckpointStep step)
    {
        try
        {
            consumer.StoreOffset(new TopicPartitionOffset(step.Topic, step.Partition, step.NextOffset));
        }
        catch (KafkaException exception) when (exception.Error.Code == ErrorCode.Local_State)
        {
            // The partition was taken from us while we committed: its lag is the next owner's to tell.
            logger.KafkaError(exception.Error.Reason);
        }
    }

    private async Task RetainAsync()
    {
        if (options.RetentionDays == 0 || (nextRetention != 0 && time.GetTimestamp() < nextRetention))
            return;
        nextRetention = time.GetTimestamp() + 3600 * time.TimestampFrequency;
        try
        {
            await using var command = database.CreateCommand("SELECT factory.drop_partitions('readings', $1)");
            command.Parameters.AddWithValue(time.GetUtcNow().UtcDateTime.AddDays(-options.RetentionDays));
            if (await command.ExecuteScalarAsync() is not int count || count == 0)
                return;
            committer.ForgetTimePartitions();
            logger.Retained(count, options.RetentionDays);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            nextRetention = time.GetTimestamp() + 60 * time.TimestampFrequency;
            logger.RetentionWaits();
        }
    }

    private async Task FlushAsync()
    {
        await committing;
        if (filling.MessageCount == 0)
            return;
        Commit([]);
        await committing;
    }

    /// <summary>Raises the epochs, builds the windows again and says where to begin.</summary>
    private async Task<IEnumerable<TopicPartitionOffset>> AssignAsync(List<TopicPartition> added)
    {
        health.Joined();
        if (added.Count == 0)
            return [];
        var begun = time.GetTimestamp();
        // The committer's state is not to be touched while a batch is under way.
        await committing;
        var topicIds = new Dictionary<string, string>();
        foreach (var topic in Topics.All)
            topicIds.Add(topic, await incarnations.GetAsync(topic));
        var verified = new List<PartitionProgress>();
        var offsets = new List<TopicPartitionOffset>();
        foreach (var partition in added)
        {
            var checkpoint = await checkpoints.AcquireAsync(partition.Topic, partition.Partition, topicIds[partition.Topic], stopping);
            var end = consumer.QueryWatermarkOffsets(partition, BrokerPatience).High.Value;
            if (checkpoint.NextOffset > end)
            {
                // The same topic with a shorter log: its broker lost what the checkpoint has seen.
                logger.NewIncarnation(partition.Topic, partition.Partition, checkpoint.NextOffset);
                checkpoint = await checkpoints.AcquireAsync(partition.Topic, partition.Partition, $"{topicIds[partition.Topic]}@{end}", stopping);
                checkpoint = await checkpoints.AcquireAsync(partition.Topic, partition.Partition, topicIds[partition.Topic], stopping);
            }
            ShortenSource(checkpoint, topicIds[Topics.Signed]);
            var progress = new PartitionProgress(checkpoint);
            owned[partition] = progress;
            offsets.Add(new TopicPartitionOffset(partition, checkpoint.NextOffset));
            if (partition.Topic == Topics.Verified)
                verified.Add(progress);
        }
        var rebuilt = verified.Count == 0 ? default : await committer.RebuildAsync(verified, await incarnations.PartitionCountAsync(Topics.Verified), stopping);
        logger.Assigned(added.Count, string.Join(' ', added), rebuilt.Engines, rebuilt.Readings, (long)time.GetElapsedTime(begun).TotalMilliseconds);
        return offsets;
    }

    /// <summary>Where the signed log itself lost its end, the same offsets come again with other readings; those are no redeliveries.</summary>
    private void ShortenSource(CheckpointRow checkpoint, string signedTopicId)
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
                committer.Release([partition.Partition.Value]);
        }
        if (removed.Count > 0 && !stopping.IsCancellationRequested)
            logger.Revoked(removed.Count, string.Join(' ', removed.Select(partition => partition.TopicPartition)));
    }

    private void Lose(List<TopicPartitionOffset> removed)
    {
        if (!closing)
            throw new FencedException($"{removed.Count} partitions were given to another while this process was out of the group.");
    }

    /// <summary>Values go where the batch keeps them that is being filled.</summary>
    private sealed class FillingBytes(AggregatorSession session) : IDeserializer<ReadOnlyMemory<byte>>
    {
        public ReadOnlyMemory<byte> Deserialize(ReadOnlySpan<byte> data, bool isNull, SerializationContext context) => session.filling.Bytes.Deserialize(data, isNull, context);
    }
}
