using FactoryStream.Aggregator.Consuming;

namespace FactoryStream.Aggregator.Committing;

/// <summary>
/// Some of the partitions, and their commits: one is filled while the one before it commits. Lanes commit beside each other, for a single
/// COPY keeps only one of the database's cores busy. Everything but <see cref="Committing"/> itself is the consuming thread's.
/// </summary>
internal sealed class CommitLane(
    int number,
    CommitTransaction transaction,
    TopicConsumers consumers,
    AggregatorHealthCheck health,
    AggregatorOptions options,
    TimeProvider time
)
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    private PendingCommit spare = new();
    private long? begun;
    private long lastTick = time.GetTimestamp();

    public CommitTransaction Transaction { get; } = transaction;

    /// <summary>The pending commit that messages are decoded into.</summary>
    public PendingCommit Filling { get; private set; } = new();

    /// <summary>The transaction under way, or the last one.</summary>
    public Task Committing { get; private set; } = Task.CompletedTask;

    /// <summary>Messages of its partitions that are not taken in yet, as last seen.</summary>
    public long Backlog { get; set; }

    public bool IsEmpty => Filling.MessageCount == 0;

    public bool IsFull => Filling.RowCount >= options.MaxCommitReadings || Filling.ByteCount >= options.MaxCommitKilobytes * 1024L;

    /// <summary>
    /// In how many milliseconds what it holds should be committed, if no more comes: a transaction costs the database as much as hundreds
    /// of readings, whatever it holds.
    /// </summary>
    public int DueIn()
    {
        if (begun is not { } last || IsFull || Filling.RowCount >= options.MaxCommitReadings / 4)
            return 0;
        var left = options.CommitInterval - time.GetElapsedTime(last);
        return left > TimeSpan.Zero ? (int)Math.Ceiling(left.TotalMilliseconds) : 0;
    }

    /// <summary>Once a second: time for what the wall clock closes.</summary>
    public bool Ticks()
    {
        if (time.GetElapsedTime(lastTick) < TickInterval)
            return false;
        lastTick = time.GetTimestamp();
        return true;
    }

    /// <summary>Begins to commit what was taken in; the commit before must be complete.</summary>
    /// <param name="idle">Where to close also what the wall clock closes: guarded by the same epoch as what a message closes.</param>
    public void BeginCommit(IReadOnlyCollection<PartitionProgress> idle)
    {
        var pending = Filling;
        (Filling, spare) = (spare, pending);
        pending.Seal(idle);
        CaughtUpPartition[] caughtUp =
        [
            .. idle.Select(progress => new CaughtUpPartition(progress.TopicPartition.Partition, progress.CaughtUpUntil)),
        ];
        begun = time.GetTimestamp();
        health.Committing(number);
        Committing = Task.Run(() => CommitAsync(pending, caughtUp), CancellationToken.None);
    }

    private async Task CommitAsync(PendingCommit pending, CaughtUpPartition[] caughtUp)
    {
        await Transaction.CommitAsync(pending, caughtUp, CancellationToken.None);
        if (pending.MessageCount > 0)
        {
            foreach (var step in pending.Steps)
                consumers.StoreOffset(step.Topic, step.Partition, step.NextOffset);
        }
        pending.Clear();
        health.Committed(number);
    }
}
