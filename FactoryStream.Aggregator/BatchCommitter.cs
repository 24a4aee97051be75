using System.Diagnostics;
using System.Runtime.InteropServices;
using FactoryStream.Aggregator.Windowing;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator;

/// <summary>A moment of the wall clock, in ticks, up to which all that was sent to a partition has been taken in.</summary>
internal readonly record struct HeardAll(int Partition, long Until);

/// <summary>Owns the windows of the partitions given to this process, and commits batches: one transaction each. A failed one leaves its state unusable; a new committer starts from the database.</summary>
internal sealed class BatchCommitter(NpgsqlDataSource database, WindowingRules rules, AggregatorMetrics instruments, TimeProvider time, ILogger logger)
{
    private readonly CheckpointReader checkpoints = new(database);
    private readonly TimePartitions readingPartitions = new(database, "readings");
    private readonly TimePartitions batchPartitions = new(database, "batches");
    private readonly TimePartitions windowPartitions = new(database, "windows");
    private readonly Dictionary<int, PartitionEngines> partitions = [];
    private readonly BinaryCopyBuffer readingRows = new();
    private readonly BinaryCopyBuffer windowRows = new();
    private readonly List<ClosedWindow> closed = [];
    private readonly HashSet<EngineWindows> moved = [];
    private readonly List<long> fresh = [];
    private readonly List<ReadingEntry> late = [];
    private readonly List<int> lateIndexes = [];
    private readonly List<BatchEntry> evidence = [];
    private readonly HashSet<UInt128> evident = [];
    private readonly Dictionary<(EngineWindows Engine, long Start, string Metric), MetricTotals> lateTotals = [];
    private readonly List<FactoryTally> listed = [];
    private readonly List<(int EngineNo, string Metric)> newMetrics = [];
    private readonly HashSet<int> beyond = [];
    private int retentionRuns;
    private bool[] isOfNew = [];
    private PartitionEngine[] engines = new PartitionEngine[1024];
    private Dictionary<string, int> keys = [];
    private readonly HashSet<string> enrolled = [];

    /// <summary>Most names of metrics of one engine.</summary>
    public required int MaxMetricsPerEngine { get; init; }

    /// <summary>Most engines of one factory.</summary>
    public required int MaxEnginesPerFactory { get; init; }

    /// <summary>How old a reading may be when its verdict is given; what retention has dropped is older.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.MaxValue;

    /// <summary>After a run partitions of the tables may be gone: the next batch makes sure of its own.</summary>
    public RetentionRuns Retention { get; init; } = new();

    /// <summary>So many of the next batches take the way that asks the database what is new.</summary>
    public int CarefulBatches { get; set; }

    /// <summary>Builds partitions' open windows again from what is stored.</summary>
    /// <param name="added">Where each of them stands; the transaction that may be needed is fenced by it.</param>
    /// <param name="partitionCount">How many the topic has.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>How many engines and readings.</returns>
    public async Task<(int Engines, int Readings)> RebuildAsync(IReadOnlyCollection<PartitionProgress> added, int partitionCount, CancellationToken cancellation)
    {
        foreach (var progress in added)
            partitions[progress.TopicPartition.Partition] = new PartitionEngines(progress.TopicPartition.Partition);
        var rows = new List<(EngineRow Row, int Partition)>();
        foreach (var row in await checkpoints.EnginesAsync(cancellation))
        {
            var partition = Partitioner.Partition(row.FactoryId, row.EngineId, partitionCount);
            if (added.Any(progress => progress.TopicPartition.Partition == partition))
                rows.Add((row, partition));
        }
        closed.Clear();
        moved.Clear();
        var readings = await LoadAsync(rows, cancellation);
        // What a stored reading closes was closed by the transaction that stored it, unless the rules are others than they were then.
        if (closed.Count > 0)
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            await BatchWriter.AdvanceAsync(connection, [.. added.Select(progress => progress.TakeStep())], cancellation);
            await MergeClosedAsync(connection, time.GetUtcNow().UtcDateTime, cancellation);
            await WriteRestAsync(connection, [], cancellation);
            await transaction.CommitAsync(cancellation);
        }
        return (rows.Count, readings);
    }

    /// <summary>Lets partitions go.</summary>
    public void Release(IEnumerable<int> removed)
    {
        foreach (var partition in removed)
            partitions.Remove(partition);
    }

    /// <summary>Whether a partition has windows that silence closes.</summary>
    public bool HasSilent(HeardAll heard)
    {
        if (partitions.TryGetValue(heard.Partition, out var owned))
        {
            foreach (var engine in owned.All)
            {
                if (engine.Windows.IsSilent(rules, heard.Until))
                    return true;
            }
        }
        return false;
    }

    /// <summary>Commits a batch, and closes what is silent.</summary>
    /// <param name="batch">Sealed.</param>
    /// <param name="heardAll">Partitions whose silent engines' windows close.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <exception cref="FencedException">Another owner has one of the partitions.</exception>
    /// <exception cref="PostgresException">A unique violation: what the state does not know is stored. Start anew, carefully.</exception>
    public async Task CommitAsync(Batch batch, IReadOnlyCollection<HeardAll> heardAll, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        using var span = AggregatorMetrics.Source.StartBatch("commit factory", ActivityKind.Internal, batch.Traces);
        span?.SetTag("factorystream.batch.readings", batch.Readings.Count);
        span?.SetTag("messaging.batch.message_count", batch.MessageCount);
        var now = time.GetUtcNow();

        closed.Clear();
        moved.Clear();
        if (Retention.Count is var runs && runs != retentionRuns)
        {
            retentionRuns = runs;
            readingPartitions.Forget();
            batchPartitions.Forget();
        }
        await EnsureKeysAsync(batch, cancellation);
        RejectTooOld(batch);
        await ResolveEnginesAsync(batch, cancellation);
        LearnMetrics(batch);
        foreach (var reading in batch.Readings)
            await readingPartitions.EnsureAsync(reading.MeasuredAt, cancellation);
        foreach (var signed in batch.SignedBatches)
            await batchPartitions.EnsureAsync(signed.MeasuredUntil, cancellation);
        if (isOfNew.Length < batch.SignedBatches.Count)
            isOfNew = new bool[Math.Max(isOfNew.Length * 2, batch.SignedBatches.Count)];

        await DisownUnknownAsync(batch, cancellation);

        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await BatchWriter.AdvanceAsync(connection, batch.Steps, cancellation);

        lateTotals.Clear();
        CountAccepted(batch);
        var lateCount = CarefulBatches > 0 ? await StoreCarefullyAsync(connection, batch, now.UtcTicks, cancellation) : await StoreAsync(connection, batch, now.UtcTicks, cancellation);
        await StoreEvidenceAsync(connection, batch, cancellation);
        foreach (var heard in heardAll)
        {
            foreach (var engine in partitions[heard.Partition].All)
                engine.Windows.CloseSilent(rules, heard.Until, closed);
        }

        windowRows.Reset();
        foreach (var window in closed)
        {
            moved.Add(window.Engine);
            if (window.Totals.Count > 0)
                await windowPartitions.EnsureAsync(new DateTime(window.Start, DateTimeKind.Utc), cancellation);
            foreach (var totals in window.Totals)
                BatchWriter.AppendWindow(windowRows, Totals(window.Engine, window.Start, totals), now.UtcDateTime);
        }
        await BatchWriter.CopyAsync(connection, BatchWriter.WindowsTarget, windowRows, cancellation);
        await MergeLateAsync(connection, now.UtcDateTime, cancellation);
        await RejectionWriter.StoreAsync(connection, batch.Rejections, (entry, reason) => logger.RejectionBared(entry.Partition, reason), cancellation);
        NpgsqlBatchCommand[] metrics = newMetrics.Count > 0 ? [BatchWriter.AddMetrics(newMetrics)] : [];
        NpgsqlBatchCommand[] losses = batch.Losses.Count == 0 ? []
            : [BatchWriter.AddLosses([.. batch.Losses.Select(loss => new LossEntry(loss.Key.Topic, loss.Key.Partition, loss.Value))])];
        await WriteRestAsync(connection, [.. LedgerCommands(), .. metrics, .. losses], cancellation);
        await transaction.CommitAsync(cancellation);

        if (CarefulBatches > 0)
            CarefulBatches--;
        instruments.Stored.Add(listed.Sum(tally => tally.Stored));
        instruments.Duplicates.Add(listed.Sum(tally => tally.Duplicates));
        instruments.Late.Add(lateCount);
        instruments.Rejections.Add(batch.Rejections.Count);
        foreach (var ((topic, _), messages) in batch.Losses)
            instruments.Lost.Add(messages, new KeyValuePair<string, object?>("topic", topic));
        instruments.WindowsClosed.Add(windowRows.RowCount);
        instruments.CommitDuration.Record(time.GetElapsedTime(begun).TotalSeconds);
        if (batch.Readings.Count > 0)
            instruments.BatchReadings.Record(batch.Readings.Count);
        if (instruments.MeasuredToCommitted.Enabled)
        {
            var committedAt = time.GetUtcNow().UtcDateTime;
            foreach (var reading in batch.Readings)
                instruments.MeasuredToCommitted.Record((committedAt - reading.MeasuredAt).TotalSeconds);
        }
        foreach (var tally in listed)
        {
            tally.Reset();
            partitions[tally.Partition].Forget(tally);
        }
        listed.Clear();
        Array.Clear(engines, 0, batch.Readings.Count);
    }

    /// <summary>The fast path: what the state does not know is new.</summary>
    /// <returns>How many late readings were new.</returns>
    private async Task<long> StoreAsync(NpgsqlConnection connection, Batch batch, long now, CancellationToken cancellation)
    {
        readingRows.Reset();
        late.Clear();
        lateIndexes.Clear();
        Encode();
        await BatchWriter.CopyAsync(connection, BatchWriter.ReadingsTarget, readingRows, cancellation);

        // Whether a late reading is new only the database can tell.
        var isNew = new bool[late.Count];
        foreach (var index in await BatchWriter.InsertNewAsync(connection, late, cancellation))
            isNew[index] = true;
        var lateCount = 0L;
        for (var i = 0; i < isNew.Length; i++)
        {
            var tally = engines[lateIndexes[i]].Tally;
            if (!isNew[i])
            {
                tally.Duplicates++;
                continue;
            }
            tally.Stored++;
            lateCount++;
            NeedEvidence(batch, lateIndexes[i]);
            AddLate(batch, lateIndexes[i]);
        }
        return lateCount;

        void Encode()
        {
            fresh.Clear();
            for (var i = 0; i < batch.Readings.Count; i++)
            {
                var engine = engines[i];
                switch (Arrive(batch, i, now))
                {
                    case Arrival.Fresh:
                        fresh.Add(((long)engine.Windows.EngineNo << 32) | (uint)i);
                        engine.Tally.Stored++;
                        NeedEvidence(batch, i);
                        break;
                    case Arrival.Late:
                        late.Add(Entry(batch, i));
                        lateIndexes.Add(i);
                        break;
                    case Arrival.Duplicate:
                        engine.Tally.Duplicates++;
                        break;
                }
            }
            // An engine's rows side by side, as its index has them: an insert finds the page it needs where the one before left it, and a full index page splits at its end
            // instead of in its middle.
            fresh.Sort();
            foreach (var place in fresh)
                BatchWriter.AppendReading(readingRows, Entry(batch, (int)place));
        }
    }

    /// <summary>The careful path: the database says what is new, then the state says where it belongs.</summary>
    private async Task<long> StoreCarefullyAsync(NpgsqlConnection connection, Batch batch, long now, CancellationToken cancellation)
    {
        var entries = new ReadingEntry[batch.Readings.Count];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = Entry(batch, i);
        var inserted = await BatchWriter.InsertNewAsync(connection, entries, cancellation);
        inserted.Sort();
        for (var i = 0; i < entries.Length; i++)
            engines[i].Tally.Duplicates++;
        var lateCount = 0L;
        foreach (var index in inserted)
        {
            engines[index].Tally.Duplicates--;
            engines[index].Tally.Stored++;
            NeedEvidence(batch, index);
            switch (Arrive(batch, index, now))
            {
                case Arrival.Late:
                    lateCount++;
                    AddLate(batch, index);
                    break;
                case Arrival.Duplicate:
                    throw new InvalidOperationException("A reading that was not stored stood in an open window.");
            }
        }
        return lateCount;
    }

    private Arrival Arrive(Batch batch, int index, long now)
    {
        ref readonly var reading = ref batch.ReadingsSpan[index];
        var engine = engines[index].Windows;
        engine.LastHeard = now;
        return engine.Add(rules, reading.MeasuredAt.Ticks, batch.Identity(index), batch.Metrics(reading), closed);
    }

    private ReadingEntry Entry(Batch batch, int index)
    {
        ref readonly var reading = ref batch.ReadingsSpan[index];
        return new ReadingEntry(engines[index].Windows.EngineNo, keys[reading.KeyId], reading.MeasuredAt, reading.VerdictAt, batch.Hash(index), reading.Data, batch.Signature(reading),
            reading.SignedBatch < 0 ? default : batch.SignedBatches[reading.SignedBatch].Sha256);
    }

    private void NeedEvidence(Batch batch, int index)
    {
        if (batch.ReadingsSpan[index].SignedBatch is var signed and >= 0)
            isOfNew[signed] = true;
    }

    /// <summary>Stores the signed batches that a reading stored in this transaction is of.</summary>
    private async Task StoreEvidenceAsync(NpgsqlConnection connection, Batch batch, CancellationToken cancellation)
    {
        evidence.Clear();
        evident.Clear();
        for (var i = 0; i < batch.SignedBatches.Count; i++)
        {
            if (!isOfNew[i])
                continue;
            isOfNew[i] = false;
            var signed = batch.SignedBatches[i];
            // Shares of one batch, of several partitions.
            if (evident.Add(MemoryMarshal.Read<UInt128>(signed.Sha256)))
                evidence.Add(new BatchEntry(signed.Sha256, signed.MeasuredUntil, keys[signed.KeyId], signed.VerdictAt, signed.Data, batch.Signature(signed)));
        }
        if (evidence.Count == 0)
            return;
        await using var statements = new NpgsqlBatch(connection);
        statements.BatchCommands.Add(BatchWriter.AddBatches(evidence));
        await statements.ExecuteNonQueryAsync(cancellation);
    }

    private void AddLate(Batch batch, int index)
    {
        ref readonly var reading = ref batch.ReadingsSpan[index];
        var engine = engines[index].Windows;
        var start = rules.StartOf(reading.MeasuredAt.Ticks);
        moved.Add(engine);
        foreach (var metric in batch.Metrics(reading))
        {
            ref var totals = ref CollectionsMarshal.GetValueRefOrAddDefault(lateTotals, (engine, start, metric.Name), out var exists);
            if (exists)
                totals.Add(metric.Value);
            else
                totals = MetricTotals.Of(metric.Name, metric.Value);
        }
    }

    private WindowTotals Totals(EngineWindows engine, long start, in MetricTotals totals) => new(
        engine.EngineNo, new DateTime(start, DateTimeKind.Utc), new DateTime(start + rules.Length, DateTimeKind.Utc), totals.Metric, totals.Count, totals.Sum, totals.Min, totals.Max, totals.SquaredDeviation);

    private async Task MergeLateAsync(NpgsqlConnection connection, DateTime now, CancellationToken cancellation)
    {
        var totals = lateTotals.Select(late => Totals(late.Key.Engine, late.Key.Start, late.Value)).ToArray();
        foreach (var window in totals)
            await windowPartitions.EnsureAsync(window.WindowStart, cancellation);
        await BatchWriter.MergeAsync(connection, totals, newRevision: 1, now, cancellation);
    }

    private async Task MergeClosedAsync(NpgsqlConnection connection, DateTime now, CancellationToken cancellation)
    {
        foreach (var window in closed)
        {
            moved.Add(window.Engine);
            await windowPartitions.EnsureAsync(new DateTime(window.Start, DateTimeKind.Utc), cancellation);
        }
        await BatchWriter.MergeAsync(connection, [.. closed.SelectMany(window => window.Totals.Select(totals => Totals(window.Engine, window.Start, totals)))], newRevision: 0, now, cancellation);
    }

    /// <summary>In one round trip: how far the engines are closed whose windows closed or were corrected, what else there is, and the notification.</summary>
    private async Task WriteRestAsync(NpgsqlConnection connection, NpgsqlBatchCommand[] more, CancellationToken cancellation)
    {
        if (moved.Count == 0 && more.Length == 0)
            return;
        await using var statements = new NpgsqlBatch(connection);
        if (moved.Count > 0)
            statements.BatchCommands.Add(BatchWriter.CloseUntil([.. moved.OrderBy(engine => engine.EngineNo).Select(engine => (engine.EngineNo, new DateTime(engine.ClosedUntil(rules), DateTimeKind.Utc)))]));
        foreach (var command in more)
            statements.BatchCommands.Add(command);
        if (moved.Count > 0)
            statements.BatchCommands.Add(BatchWriter.Notify([.. moved.Select(engine => engine.EngineNo)]));
        await statements.ExecuteNonQueryAsync(cancellation);
    }

    private void CountAccepted(Batch batch)
    {
        for (var i = 0; i < batch.Readings.Count; i++)
        {
            var tally = engines[i].Tally;
            tally.Accepted++;
            List(tally);
        }
        foreach (var ((partition, factoryId), count) in batch.AcceptedElsewhere)
        {
            var tally = partitions[partition].Tally(factoryId);
            tally.Accepted += count;
            List(tally);
        }

        void List(FactoryTally tally)
        {
            if (tally.IsListed)
                return;
            tally.IsListed = true;
            listed.Add(tally);
        }
    }

    private NpgsqlBatchCommand[] LedgerCommands() =>
        listed.Count == 0 ? [] : [BatchWriter.AddToLedger([.. listed.Select(tally => new LedgerEntry(tally.Partition, tally.FactoryId, tally.Accepted, tally.Stored, tally.Duplicates))])];

    private async Task ResolveEnginesAsync(Batch batch, CancellationToken cancellation)
    {
        if (Resolve() is not { } unknown)
            return;
        var (added, known) = await checkpoints.EnsureEnginesAsync([.. unknown.Keys], MaxEnginesPerFactory, cancellation);
        foreach (var row in added)
            Track(row, unknown[(row.FactoryId, row.EngineId)]);
        // An engine that was in another partition before has open windows, too.
        await LoadAsync([.. known.Select(row => (row, unknown[(row.FactoryId, row.EngineId)]))], cancellation);
        if (added.Count + known.Count < unknown.Count)
        {
            batch.Reject(i => FindEngine(batch.ReadingsSpan[i]) is not null ? null
                : (Verdict.TooManyEngines, $"a factory may have {MaxEnginesPerFactory} engines, and this would be one more"));
        }
        if (Resolve() is { Count: > 0 } lost)
            throw new InvalidOperationException($"{lost.Count} engines are not tracked though they were just resolved.");

        Dictionary<(string, string), int>? Resolve()
        {
            Dictionary<(string, string), int>? missing = null;
            var readings = batch.ReadingsSpan;
            if (engines.Length < readings.Length)
                engines = new PartitionEngine[Math.Max(engines.Length * 2, readings.Length)];
            for (var i = 0; i < readings.Length; i++)
            {
                ref readonly var reading = ref readings[i];
                if (FindEngine(reading) is { } engine)
                    engines[i] = engine;
                else
                    (missing ??= [])[(reading.FactoryId, reading.EngineId)] = reading.Partition;
            }
            return missing;
        }
    }

    private PartitionEngine? FindEngine(in DecodedReading reading) =>
        partitions[reading.Partition].Find(reading.FactoryId, reading.EngineId);

    /// <summary>
    /// Takes note of names of metrics that are new to an engine, and rejects the readings that would bring it too many. Only what is to
    /// be stored leaves its names, in the log's order and in the transaction that stores it: so a reading ends the same whoever takes it
    /// in and after any crash, and a second copy of one that was stored is never beyond the bound.
    /// </summary>
    private void LearnMetrics(Batch batch)
    {
        newMetrics.Clear();
        beyond.Clear();
        for (var i = 0; i < batch.Readings.Count; i++)
        {
            var engine = engines[i].Windows;
            var metrics = batch.Metrics(batch.ReadingsSpan[i]);
            var unknown = 0;
            for (var m = 0; m < metrics.Length; m++)
            {
                if (engine.Metrics.IndexOf(metrics[m].Name, m) < 0)
                    unknown++;
            }
            if (unknown == 0)
                continue;
            if (engine.Metrics.Count + unknown > MaxMetricsPerEngine)
            {
                beyond.Add(i);
                continue;
            }
            for (var m = 0; m < metrics.Length; m++)
            {
                if (engine.Metrics.IndexOf(metrics[m].Name, m) >= 0)
                    continue;
                engine.Metrics.Add(metrics[m].Name);
                newMetrics.Add((engine.EngineNo, metrics[m].Name));
            }
        }
        if (beyond.Count == 0)
            return;
        var count = batch.Readings.Count;
        batch.Reject(i => !beyond.Contains(i) ? null
            : (Verdict.TooManyMetrics, $"an engine may have {MaxMetricsPerEngine} names of metrics, and this would bring more"));
        for (var i = 0; i < batch.Readings.Count; i++)
            engines[i] = FindEngine(batch.ReadingsSpan[i])!;
        Array.Clear(engines, batch.Readings.Count, count - batch.Readings.Count);
    }

    /// <summary>
    /// What is older than retention keeps may have been stored and dropped, so that a second copy would count twice. By the verdict's time,
    /// which the message says: it ends the same whenever and by whomever it is taken in.
    /// </summary>
    private void RejectTooOld(Batch batch)
    {
        foreach (ref readonly var reading in batch.ReadingsSpan)
        {
            if (!IsTooOld(reading))
                continue;
            batch.Reject(i => IsTooOld(batch.ReadingsSpan[i])
                ? (Verdict.TooOld, $"measured more than {MaxAge.TotalDays} days before its verdict: longer than readings are kept") : null);
            return;
        }

        bool IsTooOld(in DecodedReading reading) => reading.VerdictAt - reading.MeasuredAt > MaxAge;
    }

    private EngineWindows Track(EngineRow row, int partition)
    {
        var windows = new EngineWindows(row.FactoryId, row.EngineId) { EngineNo = row.EngineNo, LastHeard = time.GetUtcNow().UtcTicks };
        windows.RaiseWatermark(row.ClosedUntil?.Ticks ?? 0);
        partitions[partition].Add(row.FactoryId, row.EngineId, windows);
        return windows;
    }

    /// <summary>Tracks engines and counts in what is stored since each one's last closed window.</summary>
    private async Task<int> LoadAsync(List<(EngineRow Row, int Partition)> rows, CancellationToken cancellation)
    {
        if (rows.Count == 0)
            return 0;
        var windows = rows.ToDictionary(entry => entry.Row.EngineNo, entry => Track(entry.Row, entry.Partition));
        await checkpoints.MetricsAsync([.. windows.Keys], (engineNo, metric) => windows[engineNo].Metrics.Add(metric), cancellation);
        var readings = 0;
        var parser = new ReadingParser();
        await checkpoints.OpenReadingsAsync([.. rows.Select(entry => entry.Row)], Add, cancellation);
        return readings;

        void Add(int engineNo, DateTime measuredAt, byte[] sha256, byte[] data)
        {
            readings++;
            if (!TryParseStored(parser, data) || windows[engineNo].Add(rules, measuredAt.Ticks, MemoryMarshal.Read<UInt128>(sha256), parser.MetricsSpan, closed) != Arrival.Fresh)
                throw new InvalidOperationException($"The stored reading of engine {engineNo} at {measuredAt:O} does not fit: factory.readings or factory.engines was changed by another hand.");
        }
    }

    private async Task EnsureKeysAsync(Batch batch, CancellationToken cancellation)
    {
        foreach (var reading in batch.Readings)
        {
            if (keys.ContainsKey(reading.KeyId))
                continue;
            keys = await checkpoints.KeysAsync(cancellation);
            batch.RejectUnknownKeys(keys.ContainsKey);
            return;
        }
    }

    /// <summary>
    /// What Ingest refused may name anything. Only factories with a key have books of their own; those are remembered, for they are few,
    /// and the rest asked for a batch at a time. What the Verifier rejected says itself whose books it stands on, for the verified log
    /// says the same.
    /// </summary>
    private async Task DisownUnknownAsync(Batch batch, CancellationToken cancellation)
    {
        var named = batch.Rejections.Where(entry => IsOpen(entry) && StorableText.IsName(entry.FactoryId))
            .Select(entry => entry.FactoryId!).ToHashSet();
        if (named.Count == 0)
            return;
        enrolled.UnionWith(await checkpoints.EnrolledAsync(named, cancellation));
        for (var i = 0; i < batch.Rejections.Count; i++)
        {
            if (IsOpen(batch.Rejections[i]))
                batch.Rejections[i] = batch.Rejections[i] with { IsOfUnknownFactory = true };
        }

        bool IsOpen(in RejectionEntry entry) => entry.Refused && entry.FactoryId is { } factoryId && !enrolled.Contains(factoryId);
    }

    /// <summary>A stored reading's metrics: its data in an envelope with nothing to check.</summary>
    private static bool TryParseStored(ReadingParser parser, byte[] data)
    {
        byte[] envelope = [.. "{\"signature\":\"AAAA\",\"data\":"u8, .. data, (byte)'}'];
        return parser.TryParse(envelope, out _, out _) == Verdict.Accepted;
    }
}
