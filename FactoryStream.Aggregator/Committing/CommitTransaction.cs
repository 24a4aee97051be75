using System.Diagnostics;
using FactoryStream.Aggregator.Consuming;
using FactoryStream.Aggregator.Maintenance;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator.Committing;

/// <summary>A partition, and the moment of the wall clock, in ticks, up to which all that was sent to it has been taken in.</summary>
internal readonly record struct CaughtUpPartition(int Partition, long Until);

/// <summary>
/// Everything that a pending commit brings, in one transaction:
/// <list type="number">
/// <item>the checkpoints go on, each from the offset and under the epoch that are its own: who lost a partition is fenced here;</item>
/// <item>readings are stored, and counted into open windows; late ones towards corrections;</item>
/// <item>the signed batches that are their evidence;</item>
/// <item>windows that closed, by time or because their engine is idle, and corrections of those closed before;</item>
/// <item>rejections;</item>
/// <item>how far engines are closed, the ledger, new names of metrics, losses, and the notification;</item>
/// <item>alerts, by the windows that closed or were corrected and the alert rules;</item>
/// <item>commit.</item>
/// </list>
/// Before it, each in a short transaction of its own: engines get their number, tables their partitions. A failed transaction leaves the
/// state unusable: a new one starts from the database.
/// </summary>
internal sealed class CommitTransaction
{
    private readonly NpgsqlDataSource database;
    private readonly AggregatorMetrics metrics;
    private readonly RetentionRuns retention;
    private readonly TimeProvider time;
    private readonly AggregatorLog log;
    private readonly KeyDirectory keys;
    private readonly EngineDirectory engines;
    private readonly ReadingRules rules;
    private readonly ReadingStore readings;
    private readonly WindowStore windows;
    private readonly AlertRuleDirectory alertRules;
    private readonly AlertStore alerts;
    private readonly List<LedgerDelta> ledgers = [];
    private int retentionRuns;

    /// <summary>A transaction with nothing in its state yet.</summary>
    public CommitTransaction(
        NpgsqlDataSource database,
        AggregatorOptions options,
        AggregatorMetrics metrics,
        RetentionRuns retention,
        AlertRuleDirectory alertRules,
        TimeProvider time,
        AggregatorLog log
    )
    {
        (this.database, this.metrics, this.retention, this.alertRules) = (database, metrics, retention, alertRules);
        (this.time, this.log) = (time, log);
        keys = new KeyDirectory(new KeyReader(database));
        windows = new WindowStore(database, options.Rules);
        alerts = new AlertStore(alertRules, options.Rules);
        engines = new EngineDirectory(new EngineReader(database), windows, options.Rules, options.MaxEnginesPerFactory, time);
        rules = new ReadingRules(
            options.RetentionDays == 0 ? TimeSpan.MaxValue : TimeSpan.FromDays(options.RetentionDays),
            options.MaxMetricsPerEngine
        );
        readings = new ReadingStore(database, windows, keys);
    }

    /// <summary>How many of the next commits ask the database which readings are new, instead of the open windows.</summary>
    public int ConflictTolerantCommits { get; set; }

    /// <summary>Rebuilds partitions' open windows from what is stored.</summary>
    /// <param name="added">Where each of them stands; the transaction that may be needed is fenced by it.</param>
    /// <param name="partitionCount">The topic's number of partitions.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>How many engines and readings.</returns>
    public async Task<(int Engines, int Readings)> RebuildAsync(
        IReadOnlyCollection<PartitionProgress> added,
        int partitionCount,
        CancellationToken cancellation
    )
    {
        windows.Clear();
        await alertRules.LoadAsync(cancellation);
        var rebuilt = await engines.RebuildAsync(
            added.Select(progress => progress.TopicPartition.Partition.Value).ToHashSet(),
            partitionCount,
            cancellation
        );
        // What a stored reading closes was closed by the transaction that stored it, unless the rules are others than they were then.
        if (windows.HasChanges)
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            await CheckpointStatements.AdvanceAsync(connection, [.. added.Select(progress => progress.TakeStep())], cancellation);
            var now = time.GetUtcNow().UtcDateTime;
            await windows.WriteRebuiltAsync(connection, now, cancellation);
            await connection.ExecuteAsync(windows.ClosingStatements(now), cancellation);
            await alerts.WriteAsync(connection, windows, now, cancellation);
            await transaction.CommitAsync(cancellation);
        }
        return rebuilt;
    }

    /// <summary>Forgets the engines of partitions that were revoked.</summary>
    public void Release(IEnumerable<int> removed) => engines.Release(removed);

    /// <summary>Whether a partition has windows that the wall clock closes.</summary>
    public bool HasIdle(CaughtUpPartition caughtUp) => engines.HasIdle(caughtUp);

    /// <summary>Commits what is pending, and closes what idle engines have left open.</summary>
    /// <param name="pending">The pending commit, sealed.</param>
    /// <param name="caughtUp">Partitions whose idle engines' windows close.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <exception cref="FencedException">Another owner has one of the partitions.</exception>
    /// <exception cref="PostgresException">A unique violation: what the state does not know is stored. Start anew, tolerating
    /// conflicts.</exception>
    public async Task CommitAsync(PendingCommit pending, IReadOnlyCollection<CaughtUpPartition> caughtUp, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        using var span = AggregatorTracing.Source.StartLinked("commit factory", ActivityKind.Internal, pending.Traces);
        span?.SetTag("factorystream.commit.readings", pending.Readings.Count);
        span?.SetTag("messaging.batch.message_count", pending.MessageCount);
        var now = time.GetUtcNow();
        windows.Clear();
        await PrepareAsync(pending, cancellation);

        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // 1
        await CheckpointStatements.AdvanceAsync(connection, pending.Steps, cancellation);
        // 2
        CountAccepted(pending);
        var lateCount =
            ConflictTolerantCommits > 0
                ? await readings.StoreTolerantlyAsync(connection, pending, now.UtcTicks, cancellation)
                : await readings.StoreAsync(connection, pending, now.UtcTicks, cancellation);
        // 3
        await readings.StoreEvidenceAsync(connection, pending, cancellation);
        // 4
        foreach (var partition in caughtUp)
            windows.CloseIdle(engines[partition.Partition], partition.Until);
        await windows.WriteAsync(connection, now.UtcDateTime, cancellation);
        // 5
        await RejectionWriter.StoreAsync(
            connection,
            pending.Rejections,
            (entry, reason) => log.RejectionBared(entry.Partition, reason),
            cancellation
        );
        // 6
        await connection.ExecuteAsync([.. LedgerChanges(pending), .. windows.ClosingStatements(now.UtcDateTime)], cancellation);
        // 7
        await alerts.WriteAsync(connection, windows, now.UtcDateTime, cancellation);
        // 8
        await transaction.CommitAsync(cancellation);

        if (ConflictTolerantCommits > 0)
            ConflictTolerantCommits--;
        Measure(pending, lateCount, time.GetElapsedTime(begun));
        foreach (var ledger in ledgers)
        {
            ledger.Reset();
            engines[ledger.Partition].Forget(ledger);
        }
        ledgers.Clear();
    }

    /// <summary>What must be known and there before the transaction; what is not to be stored becomes a rejection.</summary>
    private async Task PrepareAsync(PendingCommit pending, CancellationToken cancellation)
    {
        // After a run of retention partitions of the tables may be gone.
        if (retention.Count is var runs && runs != retentionRuns)
        {
            retentionRuns = runs;
            readings.ForgetTablePartitions();
            windows.ForgetTablePartitions();
        }
        await keys.EnsureAsync(pending, cancellation);
        rules.RejectTooOld(pending);
        await engines.ResolveAsync(pending, cancellation);
        rules.LearnMetrics(pending);
        await readings.PrepareAsync(pending, cancellation);
        await keys.DisownUnknownAsync(pending, cancellation);
    }

    private void CountAccepted(PendingCommit pending)
    {
        for (var i = 0; i < pending.Readings.Count; i++)
            Count(pending.Engine(i).Ledger, 1);
        foreach (var ((partition, factoryId), count) in pending.AcceptedElsewhere)
            Count(engines[partition].Ledger(factoryId), count);

        void Count(LedgerDelta ledger, long accepted)
        {
            ledger.Accepted += accepted;
            if (ledger.IsListed)
                return;
            ledger.IsListed = true;
            ledgers.Add(ledger);
        }
    }

    private IEnumerable<NpgsqlBatchCommand> LedgerChanges(PendingCommit pending)
    {
        if (ledgers.Count > 0)
            yield return LedgerStatements.Add([
                .. ledgers.Select(ledger => new LedgerEntry(
                    ledger.Partition,
                    ledger.FactoryId,
                    ledger.Accepted,
                    ledger.Stored,
                    ledger.Duplicates
                )),
            ]);
        if (rules.NewMetrics.Count > 0)
            yield return EngineStatements.AddMetrics(rules.NewMetrics);
        if (pending.Losses.Count > 0)
            yield return LossStatements.Add([
                .. pending.Losses.Select(loss => new LossEntry(loss.Key.Topic, loss.Key.Partition, loss.Value)),
            ]);
    }

    private void Measure(PendingCommit pending, long lateCount, TimeSpan duration)
    {
        metrics.Stored.Add(ledgers.Sum(ledger => ledger.Stored));
        metrics.Duplicates.Add(ledgers.Sum(ledger => ledger.Duplicates));
        metrics.Late.Add(lateCount);
        metrics.Rejections.Add(pending.Rejections.Count);
        foreach (var ((topic, _), messages) in pending.Losses)
            metrics.Lost.Add(messages, new KeyValuePair<string, object?>("topic", topic));
        metrics.WindowRowsClosed.Add(windows.ClosedRows);
        metrics.CountAlertEvents(alerts.Changes);
        metrics.CommitDuration.Record(duration.TotalSeconds);
        if (pending.Readings.Count > 0)
            metrics.CommitReadings.Record(pending.Readings.Count);
        if (!metrics.ReadingAge.Enabled)
            return;
        var committedAt = time.GetUtcNow().UtcDateTime;
        foreach (var reading in pending.Readings)
            metrics.ReadingAge.Record((committedAt - reading.MeasuredAt).TotalSeconds);
    }
}
