using System.Diagnostics;
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
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var bootstrapServers = configuration.GetConnectionString("kafka")
            ?? throw new InvalidOperationException("No Kafka address: set ConnectionStrings__kafka or start the service through the AppHost.");
        var pause = TimeSpan.FromSeconds(0.5);
        var careful = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var begun = time.GetTimestamp();
            try
            {
                await using var session = new AggregatorSession(database, bootstrapServers, options.Value, careful, instruments, health, time, logger);
                await session.RunAsync(stoppingToken);
                return;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation && !careful)
            {
                // Something is stored that the state did not know; for a while the database says what is new.
                careful = true;
                logger.BatchDropped(0, exception.Message);
            }
            catch (Exception exception) when (exception is FencedException or KafkaException or TimeoutException || exception is NpgsqlException { IsTransient: true } or PostgresException { SqlState: "57P01" or "57P02" or "57P03" or "42P01" or "3F000" or "3D000" })
            {
                // Expected: the database restarts or is not migrated yet, the broker is away, another owner has taken over.
                health.Failed(exception.Message);
                careful = false;
                if (exception is FencedException || time.GetElapsedTime(begun) > TimeSpan.FromMinutes(1))
                    pause = TimeSpan.FromSeconds(0.5);
                logger.BatchDropped(pause.TotalSeconds, exception.Message);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }
}

/// <summary>One membership of the consumer group, from joining to leaving.</summary>
internal sealed class AggregatorSession : IAsyncDisposable
{
    private readonly AggregatorOptions options;
    private readonly AggregatorMetrics instruments;
    private readonly AggregatorHealth health;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly NpgsqlDataSource database;
    private readonly TopicIncarnations incarnations;
    private readonly CheckpointReader checkpoints;
    private readonly BatchCommitter committer;
    private readonly IConsumer<Ignore, byte[]> consumer;
    private readonly Dictionary<TopicPartition, PartitionProgress> owned = [];
    private CancellationToken stopping;
    private Batch filling;
    private Batch spare;
    private Task committing = Task.CompletedTask;
    private long lastTick;
    private long lastRetention;

    public AggregatorSession(
        NpgsqlDataSource database, string bootstrapServers, AggregatorOptions options, bool careful, AggregatorMetrics instruments, AggregatorHealth health, TimeProvider time, ILogger logger)
    {
        (this.options, this.instruments, this.health, this.time, this.logger, this.database) = (options, instruments, health, time, logger, database);
        incarnations = new TopicIncarnations(bootstrapServers);
        checkpoints = new CheckpointReader(database);
        committer = new BatchCommitter(database, options.Rules, instruments, time) { CarefulBatches = careful ? 100 : 0 };
        filling = new Batch(logger, instruments);
        spare = new Batch(logger, instruments);
        consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = Topics.AggregatorGroup,
            PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
            // The checkpoints in the database are the truth; the offsets in Kafka only show the lag.
            EnableAutoOffsetStore = false,
            EnableAutoCommit = true,
            AutoCommitIntervalMs = 200,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnablePartitionEof = true,
            SessionTimeoutMs = 10_000,
            HeartbeatIntervalMs = 1_000,
            FetchWaitMaxMs = 100,
            FetchMaxBytes = 16 * 1024 * 1024,
            QueuedMaxMessagesKbytes = options.MaxFetchedKilobytes,
            QueuedMinMessages = 10_000,
        })
            .SetLogHandler((_, message) => logger.Log((LogLevel)message.LevelAs(LogLevelType.MicrosoftExtensionsLogging), 0, message.Message, null, static (text, _) => text))
            .SetErrorHandler((_, error) => logger.KafkaError(error.Reason))
            .SetPartitionsAssignedHandler((_, added) => AssignAsync(added).GetAwaiter().GetResult())
            .SetPartitionsRevokedHandler((_, removed) => RevokeAsync(removed).GetAwaiter().GetResult())
            .SetPartitionsLostHandler((_, removed) => Drop(removed.Select(partition => partition.TopicPartition)))
            .Build();
    }

    public async Task RunAsync(CancellationToken stoppingToken)
    {
        stopping = stoppingToken;
        consumer.Subscribe([Topics.Verified, Topics.Rejected]);
        lastTick = time.GetTimestamp();
        while (!stoppingToken.IsCancellationRequested)
        {
            var full = filling.Readings.Count + filling.Rejections.Count >= options.MaxBatchReadings;
            if (full || committing.IsFaulted)
                await committing;

            // Under load a commit is under way and messages wait; otherwise the first message goes at once.
            var message = full ? null : consumer.Consume(committing.IsCompleted && filling.MessageCount > 0 ? 0 : 5);
            if (message is not null)
                Take(message);
            if (!committing.IsCompleted || (message is not null && !full))
                continue;
            var tick = Ticks();
            if (filling.MessageCount > 0 || tick)
            {
                await committing;
                Commit(tick);
            }
        }
        await FlushAsync();
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await committing;
        }
        catch (Exception exception) when (exception is NpgsqlException or FencedException)
        {
            // Whoever runs the session has seen it already, or is about to start over from the checkpoint.
            logger.BatchDropped(0, exception.Message);
        }
        // Leaving the group asks for a last flush; there is nothing left that may be committed.
        committing = Task.CompletedTask;
        filling.Clear();
        owned.Clear();
        consumer.Close();
        consumer.Dispose();
        incarnations.Dispose();
    }

    private void Take(ConsumeResult<Ignore, byte[]> message)
    {
        if (!owned.TryGetValue(message.TopicPartition, out var progress))
            return;
        if (message.IsPartitionEOF)
        {
            progress.CaughtUp = true;
            return;
        }
        progress.CaughtUp = false;
        if (message.Offset < progress.NextOffset)
            return;
        if (message.Offset > progress.NextOffset)
            logger.Gap(message.Topic, message.Partition, progress.NextOffset, message.Offset - 1);
        filling.Add(message, progress);
    }

    /// <summary>Once a second: time for what silence closes.</summary>
    private bool Ticks()
    {
        if (time.GetElapsedTime(lastTick) < TimeSpan.FromSeconds(1))
            return false;
        lastTick = time.GetTimestamp();
        return owned.Count > 0;
    }

    /// <param name="tick">Close also what silence closes.</param>
    private void Commit(bool tick)
    {
        // Only at the log's end is an engine without readings a silent one. What silence closes is guarded by the same epoch as what a message closes.
        PartitionProgress[] caughtUp = tick
            ? [.. owned.Values.Where(progress => progress.TopicPartition.Topic == Topics.Verified && progress.CaughtUp && committer.HasOpenWindows(progress.TopicPartition.Partition))]
            : [];
        filling.Seal(caughtUp);
        var batch = filling;
        (filling, spare) = (spare, filling);
        committing = Task.Run(() => CommitAsync(batch, [.. caughtUp.Select(progress => progress.TopicPartition.Partition.Value)]), CancellationToken.None);
    }

    private async Task CommitAsync(Batch batch, int[] caughtUp)
    {
        if (batch.Steps.Count > 0)
            await committer.CommitAsync(batch, caughtUp, CancellationToken.None);
        foreach (var step in batch.Steps)
        {
            if (batch.MessageCount > 0)
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
        if (options.RetentionDays == 0 || (lastRetention != 0 && time.GetElapsedTime(lastRetention) < TimeSpan.FromHours(1)))
            return;
        lastRetention = time.GetTimestamp();
        await using var command = database.CreateCommand("SELECT factory.drop_partitions('readings', $1)");
        command.Parameters.AddWithValue(time.GetUtcNow().UtcDateTime.AddDays(-options.RetentionDays));
        if (await command.ExecuteScalarAsync() is int count and > 0)
            logger.Retained(count, options.RetentionDays);
    }

    private async Task FlushAsync()
    {
        await committing;
        if (filling.MessageCount == 0)
            return;
        Commit(tick: false);
        await committing;
    }

    /// <summary>Raises the epochs, builds the windows again and says where to begin.</summary>
    private async Task<IEnumerable<TopicPartitionOffset>> AssignAsync(List<TopicPartition> added)
    {
        if (added.Count == 0)
            return [];
        var watch = Stopwatch.StartNew();
        // The committer's state is not to be touched while a batch is under way.
        await committing;
        var topicIds = new Dictionary<string, string>();
        foreach (var topic in added.Select(partition => partition.Topic).Distinct())
            topicIds.Add(topic, await incarnations.GetAsync(topic));
        var offsets = new List<TopicPartitionOffset>();
        foreach (var partition in added)
        {
            var checkpoint = await checkpoints.AcquireAsync(partition.Topic, partition.Partition, topicIds[partition.Topic], stopping);
            var watermarks = consumer.QueryWatermarkOffsets(partition, TimeSpan.FromSeconds(10));
            if (checkpoint.NextOffset > watermarks.High)
            {
                // The same topic with a shorter log: its broker lost what the checkpoint has seen.
                logger.NewIncarnation(partition.Topic, partition.Partition, checkpoint.NextOffset);
                checkpoint = await checkpoints.AcquireAsync(partition.Topic, partition.Partition, $"{topicIds[partition.Topic]}@{watermarks.High}", stopping);
                checkpoint = await checkpoints.AcquireAsync(partition.Topic, partition.Partition, topicIds[partition.Topic], stopping);
            }
            owned[partition] = new PartitionProgress(checkpoint) { CaughtUp = watermarks.High == checkpoint.NextOffset };
            offsets.Add(new TopicPartitionOffset(partition, checkpoint.NextOffset));
        }
        int[] verified = [.. added.Where(partition => partition.Topic == Topics.Verified).Select(partition => partition.Partition.Value)];
        var rebuilt = verified.Length == 0 ? default : await committer.RebuildAsync(verified, await PartitionCountAsync(), stopping);
        logger.Assigned(added.Count, string.Join(' ', added), rebuilt.Engines, rebuilt.Readings, watch.ElapsedMilliseconds);
        health.Committed();
        return offsets;
    }

    private async Task<int> PartitionCountAsync() => await incarnations.PartitionCountAsync(Topics.Verified);

    private async Task RevokeAsync(List<TopicPartitionOffset> removed)
    {
        // What was taken in is committed before the partitions go to somebody else.
        await FlushAsync();
        Drop(removed.Select(partition => partition.TopicPartition));
        if (removed.Count > 0 && !stopping.IsCancellationRequested)
            logger.Revoked(removed.Count, string.Join(' ', removed.Select(partition => partition.TopicPartition)));
    }

    private void Drop(IEnumerable<TopicPartition> removed)
    {
        foreach (var partition in removed)
        {
            owned.Remove(partition);
            if (partition.Topic == Topics.Verified)
                committer.Release([partition.Partition.Value]);
        }
    }
}
