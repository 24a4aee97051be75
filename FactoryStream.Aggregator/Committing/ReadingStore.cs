using System.Runtime.InteropServices;
using FactoryStream.Aggregator.Windowing;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator.Committing;

/// <summary>Stores the readings of a transaction, and the signed batches that are the evidence of some of them.</summary>
internal sealed class ReadingStore(NpgsqlDataSource database, WindowStore windows, KeyDirectory keys)
{
    private readonly TablePartitions readingPartitions = new(database, "readings");
    private readonly TablePartitions batchPartitions = new(database, "batches");
    private readonly BinaryCopyBuffer rows = new();
    private readonly List<long> newReadings = [];
    private readonly List<ReadingEntry> late = [];
    private readonly List<int> lateIndexes = [];
    private readonly List<BatchEntry> evidence = [];
    private readonly HashSet<UInt128> batchesWithEvidence = [];
    private bool[] needsEvidence = [];

    /// <summary>Table partitions may be gone: those that are needed are ensured anew.</summary>
    public void ForgetTablePartitions()
    {
        readingPartitions.Forget();
        batchPartitions.Forget();
    }

    /// <summary>Makes the table partitions that pending readings need; before their transaction.</summary>
    public async Task PrepareAsync(PendingCommit pending, CancellationToken cancellation)
    {
        foreach (var reading in pending.Readings)
            await readingPartitions.EnsureAsync(reading.MeasuredAt, cancellation);
        foreach (var signed in pending.SignedBatches)
            await batchPartitions.EnsureAsync(signed.MeasuredUntil, cancellation);
        if (needsEvidence.Length < pending.SignedBatches.Count)
            needsEvidence = new bool[Math.Max(needsEvidence.Length * 2, pending.SignedBatches.Count)];
    }

    /// <summary>
    /// The fast way: what the state does not know is new. A row that is there all the same fails the transaction (unique violation).
    /// </summary>
    /// <returns>How many late readings were new.</returns>
    public async Task<long> StoreAsync(NpgsqlConnection connection, PendingCommit pending, long now, CancellationToken cancellation)
    {
        Sort(pending, now);
        await rows.CopyToAsync(connection, ReadingStatements.CopyTarget, cancellation);

        // Whether a late reading is new only the database can tell.
        var isNew = new bool[late.Count];
        foreach (var index in await ReadingStatements.InsertNewAsync(connection, late, cancellation))
            isNew[index] = true;
        var lateCount = 0L;
        for (var i = 0; i < isNew.Length; i++)
        {
            var ledger = pending.Engine(lateIndexes[i]).Ledger;
            if (!isNew[i])
            {
                ledger.Duplicates++;
                continue;
            }
            ledger.Stored++;
            lateCount++;
            NeedEvidence(pending, lateIndexes[i]);
            AddLate(pending, lateIndexes[i]);
        }
        return lateCount;
    }

    /// <summary>The conflict-tolerant way: the database says what is new, then the state says where it belongs.</summary>
    /// <returns>How many late readings were new.</returns>
    public async Task<long> StoreTolerantlyAsync(
        NpgsqlConnection connection,
        PendingCommit pending,
        long now,
        CancellationToken cancellation
    )
    {
        var entries = new ReadingEntry[pending.Readings.Count];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = Entry(pending, i);
        var inserted = await ReadingStatements.InsertNewAsync(connection, entries, cancellation);
        inserted.Sort();
        for (var i = 0; i < entries.Length; i++)
            pending.Engine(i).Ledger.Duplicates++;
        var lateCount = 0L;
        foreach (var index in inserted)
        {
            var ledger = pending.Engine(index).Ledger;
            ledger.Duplicates--;
            ledger.Stored++;
            NeedEvidence(pending, index);
            switch (Arrive(pending, index, now))
            {
                case Arrival.Late:
                    lateCount++;
                    AddLate(pending, index);
                    break;
                case Arrival.Duplicate:
                    throw new InvalidOperationException(
                        "The database has no reading that an open window counts: another program deleted rows of factory.readings."
                    );
            }
        }
        return lateCount;
    }

    /// <summary>Stores the signed batches that a reading stored in this transaction is of.</summary>
    public async Task StoreEvidenceAsync(NpgsqlConnection connection, PendingCommit pending, CancellationToken cancellation)
    {
        evidence.Clear();
        batchesWithEvidence.Clear();
        for (var i = 0; i < pending.SignedBatches.Count; i++)
        {
            if (!needsEvidence[i])
                continue;
            needsEvidence[i] = false;
            var signed = pending.SignedBatches[i];
            // Shares of one batch, of several partitions.
            if (batchesWithEvidence.Add(MemoryMarshal.Read<UInt128>(signed.Sha256)))
                evidence.Add(
                    new BatchEntry(
                        signed.Sha256,
                        signed.MeasuredUntil,
                        keys.NumberOf(signed.KeyId),
                        signed.VerdictAt,
                        signed.Data,
                        pending.Signature(signed)
                    )
                );
        }
        if (evidence.Count == 0)
            return;
        await using var statements = new NpgsqlBatch(connection);
        statements.BatchCommands.Add(BatchStatements.Insert(evidence));
        await statements.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>New readings become rows to copy, late ones wait for what the database says.</summary>
    private void Sort(PendingCommit pending, long now)
    {
        rows.Reset();
        late.Clear();
        lateIndexes.Clear();
        newReadings.Clear();
        for (var i = 0; i < pending.Readings.Count; i++)
        {
            var engine = pending.Engine(i);
            switch (Arrive(pending, i, now))
            {
                case Arrival.New:
                    newReadings.Add(((long)engine.EngineNo << 32) | (uint)i);
                    engine.Ledger.Stored++;
                    NeedEvidence(pending, i);
                    break;
                case Arrival.Late:
                    late.Add(Entry(pending, i));
                    lateIndexes.Add(i);
                    break;
                case Arrival.Duplicate:
                    engine.Ledger.Duplicates++;
                    break;
            }
        }
        // An engine's rows side by side, as its index has them: an insert finds the page it needs where the one before left it, and a full
        // index page splits at its end instead of in its middle.
        newReadings.Sort();
        foreach (var place in newReadings)
            ReadingStatements.Append(rows, Entry(pending, (int)place));
    }

    private Arrival Arrive(PendingCommit pending, int index, long now)
    {
        ref readonly var reading = ref pending.ReadingsSpan[index];
        var engine = pending.Engine(index);
        engine.LastArrival = now;
        return windows.Add(engine, reading.MeasuredAt.Ticks, pending.Identity(index), pending.Metrics(reading));
    }

    private void AddLate(PendingCommit pending, int index)
    {
        ref readonly var reading = ref pending.ReadingsSpan[index];
        windows.AddLate(pending.Engine(index), reading.MeasuredAt.Ticks, pending.Metrics(reading));
    }

    private void NeedEvidence(PendingCommit pending, int index)
    {
        if (pending.ReadingsSpan[index].SignedBatch is var signed and >= 0)
            needsEvidence[signed] = true;
    }

    private ReadingEntry Entry(PendingCommit pending, int index)
    {
        ref readonly var reading = ref pending.ReadingsSpan[index];
        return new ReadingEntry(
            pending.Engine(index).EngineNo,
            keys.NumberOf(reading.KeyId),
            reading.MeasuredAt,
            reading.VerdictAt,
            pending.Hash(index),
            reading.Data,
            pending.Signature(reading),
            reading.SignedBatch < 0 ? default : pending.SignedBatches[reading.SignedBatch].Sha256
        );
    }
}
