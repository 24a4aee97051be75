using System.Diagnostics;
using System.Runtime.InteropServices;
using FactoryStream.Aggregator.Windowing;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator;

/// <summary>Owns the windows of the partitions given to this process, and commits batches: one transaction each. A failed one leaves its state unusable; a new committer starts from the database.</summary>
internal sealed class BatchCommitter(NpgsqlDataSource database, WindowingRules rules, AggregatorMetrics instruments, TimeProvider time)
{
    private readonly CheckpointReader checkpoints = new(database);
    private readonly TimePartitions timePartitions = new(database);
    private readonly Dictionary<int, Dictionary<(string FactoryId, string EngineId), EngineWindows>> partitions = [];
    private readonly BinaryCopyBuffer readingRows = new();
    private readonly BinaryCopyBuffer windowRows = new();
    private readonly List<ClosedWindow> closed = [];
    private readonly List<ReadingEntry> late = [];
    private readonly List<int> lateIndexes = [];
    private Dictionary<string, int> keys = [];

    /// <summary>So many batches go in by INSERT ... ON CONFLICT, for the fast path has met a row that was there already.</summary>
    public int CarefulBatches { get; set; }

    /// <summary>Builds a partition's open windows again from what is stored.</summary>
    /// <returns>How many engines and readings.</returns>
    public async Task<(int Engines, int Readings)> RebuildAsync(IReadOnlyCollection<int> added, int partitionCount, CancellationToken cancellation)
    {
        var rows = (await checkpoints.EnginesAsync(cancellation))
            .Where(row => added.Contains(Partitioner.Partition(row.FactoryId, row.EngineId, partitionCount))).ToList();
        foreach (var partition in added)
            partitions[partition] = [];
        var engines = new Dictionary<int, EngineWindows>();
        var now = time.GetUtcNow().UtcTicks;
        foreach (var row in rows)
        {
            var engine = new EngineWindows(row.FactoryId, row.EngineId) { EngineNo = row.EngineNo, LastHeard = now };
            engine.RaiseWatermark(row.ClosedUntil?.Ticks ?? 0);
            engines.Add(row.EngineNo, engine);
            partitions[Partitioner.Partition(row.FactoryId, row.EngineId, partitionCount)].Add((row.FactoryId, row.EngineId), engine);
        }
        var readings = 0;
        var parser = new ReadingParser();
        await checkpoints.OpenReadingsAsync(rows, Add, cancellation);
        // What a stored reading closes was closed by the transaction that stored it, unless the rules are others than they were then.
        if (closed.Count > 0)
            await CommitClosedAsync(closed, cancellation);
        closed.Clear();
        return (rows.Count, readings);

        void Add(int engineNo, DateTime measuredAt, byte[] sha256, byte[] data)
        {
            readings++;
            if (!TryParseStored(parser, data))
                throw new InvalidOperationException($"A stored reading of engine {engineNo} at {measuredAt:O} is no reading: factory.readings was changed by another hand.");
            engines[engineNo].Add(rules, measuredAt.Ticks, MemoryMarshal.Read<UInt128>(sha256), parser.MetricsSpan, closed);
        }
    }

    /// <summary>Lets partitions go.</summary>
    public void Release(IEnumerable<int> removed)
    {
        foreach (var partition in removed)
            partitions.Remove(partition);
    }

    /// <summary>Engines with open windows that may fall silent.</summary>
    public bool HasOpenWindows(int partition) => partitions.TryGetValue(partition, out var engines) && engines.Values.Any(engine => engine.OpenCount > 0);

    /// <summary>Commits a batch, and closes what is silent in the partitions that have caught up.</summary>
    /// <exception cref="FencedException">Another owner has one of the partitions.</exception>
    /// <exception cref="PostgresException">A unique violation: what the state does not know is stored. Start anew, carefully.</exception>
    public async Task CommitAsync(Batch batch, IReadOnlyCollection<int> caughtUp, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        using var span = AggregatorMetrics.Source.StartBatch("commit factory", ActivityKind.Internal, batch.Traces);
        span?.SetTag("factorystream.batch.readings", batch.Readings.Count);
        span?.SetTag("messaging.batch.message_count", batch.MessageCount);
        var now = time.GetUtcNow();

        await EnsureEnginesAsync(batch, cancellation);
        await EnsureKeysAsync(batch, cancellation);
        await EnsureReadingPartitionsAsync(batch, cancellation);

        var outcomes = new Dictionary<(int Partition, string FactoryId), (long Stored, long Duplicates)>();
        readingRows.Reset();
        windowRows.Reset();
        closed.Clear();
        late.Clear();
        lateIndexes.Clear();

        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (batch.Steps.Count > 0)
            await BatchWriter.AdvanceAsync(connection, batch.Steps, cancellation);

        var lateCount = 0L;
        var lateTotals = new Dictionary<(int EngineNo, long Start, string Metric), MetricTotals>();
        if (CarefulBatches > 0)
        {
            // First what is new at all, then where it belongs.
            var entries = new ReadingEntry[batch.Readings.Count];
            for (var i = 0; i < entries.Length; i++)
                entries[i] = Entry(batch, i);
            var inserted = await BatchWriter.InsertNewAsync(connection, entries, cancellation);
            inserted.Sort();
            foreach (var reading in batch.Readings)
                Count(reading, stored: 0, duplicates: 1);
            foreach (var index in inserted)
            {
                Count(batch.Readings[index], stored: 1, duplicates: -1);
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
        }
        else
        {
            for (var i = 0; i < batch.Readings.Count; i++)
            {
                switch (Arrive(batch, i, now))
                {
                    case Arrival.Fresh:
                        BatchWriter.AppendReading(readingRows, Entry(batch, i));
                        Count(batch.Readings[i], stored: 1, duplicates: 0);
                        break;
                    case Arrival.Late:
                        late.Add(Entry(batch, i));
                        lateIndexes.Add(i);
                        break;
                    case Arrival.Duplicate:
                        Count(batch.Readings[i], stored: 0, duplicates: 1);
                        break;
                }
            }
            await BatchWriter.CopyAsync(connection, BatchWriter.ReadingsTarget, readingRows, cancellation);
            var isNew = new bool[late.Count];
            foreach (var index in await BatchWriter.InsertNewAsync(connection, late, cancellation))
                isNew[index] = true;
            for (var i = 0; i < isNew.Length; i++)
            {
                Count(batch.Readings[lateIndexes[i]], stored: isNew[i] ? 1 : 0, duplicates: isNew[i] ? 0 : 1);
                if (!isNew[i])
                    continue;
                lateCount++;
                AddLate(batch, lateIndexes[i]);
            }
        }

        foreach (var partition in caughtUp)
        {
            if (!partitions.TryGetValue(partition, out var engines))
                continue;
            foreach (var engine in engines.Values)
                engine.CloseSilent(rules, now.UtcTicks, closed);
        }

        var lateWindows = lateTotals.Select(late => Totals(late.Key.EngineNo, late.Key.Start, late.Value)).ToArray();
        await WriteWindowsAsync(connection, closed, lateWindows, now.UtcDateTime, extra =>
        {
            LedgerEntry[] ledger =
            [
                .. batch.Accepted.Keys.Union(outcomes.Keys).Select(key => new LedgerEntry(key.Partition, key.FactoryId, batch.Accepted.GetValueOrDefault(key),
                    outcomes.GetValueOrDefault(key).Stored, outcomes.GetValueOrDefault(key).Duplicates)).OrderBy(entry => entry.Partition).ThenBy(entry => entry.FactoryId, StringComparer.Ordinal),
            ];
            if (ledger.Length > 0)
                extra.Add(BatchWriter.AddToLedger(ledger));
            if (batch.Rejections.Count > 0)
            {
                foreach (var command in BatchWriter.AddRejections(batch.Rejections))
                    extra.Add(command);
            }
        }, cancellation);
        await transaction.CommitAsync(cancellation);

        if (CarefulBatches > 0)
            CarefulBatches--;
        instruments.Stored.Add(outcomes.Values.Sum(counts => counts.Stored));
        instruments.Duplicates.Add(outcomes.Values.Sum(counts => counts.Duplicates));
        instruments.Late.Add(lateCount);
        instruments.Rejections.Add(batch.Rejections.Count);
        instruments.WindowsClosed.Add(windowRows.RowCount);
        instruments.CommitDuration.Record(time.GetElapsedTime(begun).TotalSeconds);
        if (batch.Readings.Count > 0)
        {
            instruments.BatchReadings.Record(batch.Readings.Count);
            instruments.MeasuredToCommitted.Record((time.GetUtcNow().UtcDateTime - batch.Readings.Max(reading => reading.MeasuredAt)).TotalSeconds);
        }

        void Count(in DecodedReading reading, long stored, long duplicates)
        {
            ref var counts = ref CollectionsMarshal.GetValueRefOrAddDefault(outcomes, (reading.Partition, reading.FactoryId), out _);
            counts = (counts.Stored + stored, counts.Duplicates + duplicates);
        }

        void AddLate(Batch from, int index)
        {
            var reading = from.Readings[index];
            var start = rules.StartOf(reading.MeasuredAt.Ticks);
            foreach (var metric in from.Metrics(reading))
            {
                ref var totals = ref CollectionsMarshal.GetValueRefOrAddDefault(lateTotals, (Engine(reading).EngineNo, start, metric.Name), out var exists);
                if (exists)
                    totals.Add(metric.Value);
                else
                    totals = MetricTotals.Of(metric.Name, metric.Value);
            }
        }
    }

    private Arrival Arrive(Batch batch, int index, DateTimeOffset now)
    {
        var reading = batch.Readings[index];
        var engine = Engine(reading);
        engine.LastHeard = now.UtcTicks;
        return engine.Add(rules, reading.MeasuredAt.Ticks, batch.Identity(index), batch.Metrics(reading), closed);
    }

    private EngineWindows Engine(in DecodedReading reading) => partitions[reading.Partition][(reading.FactoryId, reading.EngineId)];

    private ReadingEntry Entry(Batch batch, int index)
    {
        var reading = batch.Readings[index];
        return new ReadingEntry(Engine(reading).EngineNo, keys[reading.KeyId], reading.MeasuredAt, reading.VerdictAt, batch.Hash(index), reading.Data, batch.Signature(reading));
    }

    private WindowTotals Totals(int engineNo, long start, in MetricTotals totals) => new(
        engineNo, new DateTime(start, DateTimeKind.Utc), new DateTime(start + rules.Length, DateTimeKind.Utc), totals.Metric, totals.Count, totals.Sum, totals.Min, totals.Max, totals.SquaredDeviation);

    private async Task CommitClosedAsync(List<ClosedWindow> windows, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        windowRows.Reset();
        await WriteWindowsAsync(connection, windows, [], time.GetUtcNow().UtcDateTime, _ => { }, cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>Rows of the closed windows, then late totals on top of them, then how far engines are closed, what else there is, and the notification.</summary>
    private async Task WriteWindowsAsync(
        NpgsqlConnection connection, List<ClosedWindow> windows, WindowTotals[] lateWindows, DateTime now, Action<NpgsqlBatchCommandCollection> addMore, CancellationToken cancellation)
    {
        var changed = new HashSet<int>();
        var closedUntil = new Dictionary<int, long>();
        foreach (var window in windows)
        {
            changed.Add(window.Engine.EngineNo);
            closedUntil[window.Engine.EngineNo] = Math.Max(closedUntil.GetValueOrDefault(window.Engine.EngineNo), window.Start + rules.Length);
            foreach (var totals in window.Totals)
                BatchWriter.AppendWindow(windowRows, Totals(window.Engine.EngineNo, window.Start, totals), now);
            await timePartitions.EnsureAsync("windows", new DateTime(window.Start, DateTimeKind.Utc), cancellation);
        }
        await BatchWriter.CopyAsync(connection, BatchWriter.WindowsTarget, windowRows, cancellation);

        await using var statements = new NpgsqlBatch(connection);
        if (lateWindows.Length > 0)
        {
            foreach (var window in lateWindows)
            {
                changed.Add(window.EngineNo);
                await timePartitions.EnsureAsync("windows", window.WindowStart, cancellation);
            }
            statements.BatchCommands.Add(BatchWriter.MergeLate(lateWindows, now));
        }
        if (closedUntil.Count > 0)
            statements.BatchCommands.Add(BatchWriter.CloseUntil([.. closedUntil.OrderBy(entry => entry.Key).Select(entry => (entry.Key, new DateTime(entry.Value, DateTimeKind.Utc)))]));
        addMore(statements.BatchCommands);
        if (changed.Count > 0)
            statements.BatchCommands.Add(BatchWriter.Notify(changed));
        if (statements.BatchCommands.Count > 0)
            await statements.ExecuteNonQueryAsync(cancellation);
    }

    private async Task EnsureEnginesAsync(Batch batch, CancellationToken cancellation)
    {
        HashSet<(string, string)>? unknown = null;
        foreach (var reading in batch.Readings)
        {
            if (!partitions[reading.Partition].ContainsKey((reading.FactoryId, reading.EngineId)))
                (unknown ??= []).Add((reading.FactoryId, reading.EngineId));
        }
        if (unknown is null)
            return;
        var rows = (await checkpoints.EnsureEnginesAsync(unknown, cancellation)).ToDictionary(row => (row.FactoryId, row.EngineId));
        foreach (var reading in batch.Readings)
        {
            if (!rows.TryGetValue((reading.FactoryId, reading.EngineId), out var row))
                continue;
            var engine = new EngineWindows(row.FactoryId, row.EngineId) { EngineNo = row.EngineNo };
            engine.RaiseWatermark(row.ClosedUntil?.Ticks ?? 0);
            partitions[reading.Partition].TryAdd((row.FactoryId, row.EngineId), engine);
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

    private async Task EnsureReadingPartitionsAsync(Batch batch, CancellationToken cancellation)
    {
        foreach (var reading in batch.Readings)
            await timePartitions.EnsureAsync("readings", reading.MeasuredAt, cancellation);
    }

    /// <summary>A stored reading's metrics: its data in an envelope with nothing to check.</summary>
    private static bool TryParseStored(ReadingParser parser, byte[] data)
    {
        byte[] envelope = [.. "{\"signature\":\"AAAA\",\"data\":"u8, .. data, (byte)'}'];
        return parser.TryParse(envelope, out _, out _) == Verdict.Accepted;
    }
}
