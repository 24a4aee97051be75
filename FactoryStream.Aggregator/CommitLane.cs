using Npgsql;

namespace FactoryStream.Aggregator;

/// <summary>
/// Some of the partitions, and their batches: one is filled while the one before it commits. Lanes commit beside each other, for a single COPY keeps only one of the database's cores busy.
/// Everything but <see cref="Committing"/> itself is the consuming thread's.
/// </summary>
internal sealed class CommitLane(
    int number, NpgsqlDataSource database, AggregatorOptions options, bool careful, AggregatorMetrics instruments, RetentionRuns retention,
    TimeProvider time, ILogger logger)
{
    private Batch spare = new(logger, instruments);
    private long? begun;
    private long lastTick = time.GetTimestamp();

    public int Number { get; } = number;

    public BatchCommitter Committer { get; } = new(database, options.Rules, instruments, time, logger)
    {
        CarefulBatches = careful ? 100 : 0,
        MaxMetricsPerEngine = options.MaxMetricsPerEngine,
        MaxEnginesPerFactory = options.MaxEnginesPerFactory,
        MaxAge = options.RetentionDays == 0 ? TimeSpan.MaxValue : TimeSpan.FromDays(options.RetentionDays),
        Retention = retention,
    };

    /// <summary>Takes messages in.</summary>
    public Batch Filling { get; private set; } = new(logger, instruments);

    /// <summary>The transaction under way, or the last one.</summary>
    public Task Committing { get; private set; } = Task.CompletedTask;

    /// <summary>Messages of its partitions that are not taken in yet, as last seen.</summary>
    public long Behind { get; set; }

    public bool IsEmpty => Filling.MessageCount == 0;

    public bool IsFull => Rows >= options.MaxBatchReadings || Filling.ByteCount >= options.MaxBatchKilobytes * 1024L;

    private int Rows => Filling.Readings.Count + Filling.Rejections.Count;

    /// <summary>In how many milliseconds what it holds should be committed, if no more comes: a transaction costs the database as much as hundreds of readings, whatever it holds.</summary>
    public int DueIn()
    {
        if (begun is not { } last || IsFull || Rows >= options.MaxBatchReadings / 4)
            return 0;
        var left = options.CommitInterval - time.GetElapsedTime(last);
        return left > TimeSpan.Zero ? (int)Math.Ceiling(left.TotalMilliseconds) : 0;
    }

    /// <summary>Once a second: time for what silence closes.</summary>
    public bool Ticks()
    {
        if (time.GetElapsedTime(lastTick) < TimeSpan.FromSeconds(1))
            return false;
        lastTick = time.GetTimestamp();
        return true;
    }

    /// <summary>Hands what was taken in over to <paramref name="commit"/>, which runs elsewhere and clears the batch when it is done; the one before must be complete.</summary>
    public void Commit(Func<Batch, Task> commit)
    {
        var batch = Filling;
        (Filling, spare) = (spare, batch);
        begun = time.GetTimestamp();
        Committing = Task.Run(() => commit(batch), CancellationToken.None);
    }
}
