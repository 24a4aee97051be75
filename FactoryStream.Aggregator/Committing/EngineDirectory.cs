using System.Runtime.InteropServices;
using FactoryStream.Aggregator.Windowing;
using FactoryStream.Contracts;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Committing;

/// <summary>
/// The engines of all partitions that a lane owns: found by name, given a number in the database when they are new, rebuilt from what is
/// stored.
/// </summary>
internal sealed class EngineDirectory(
    EngineReader reader,
    WindowStore windows,
    WindowingRules rules,
    int maxEnginesPerFactory,
    TimeProvider time
)
{
    private readonly Dictionary<int, PartitionEngines> partitions = [];

    /// <summary>The engines of an owned partition.</summary>
    public PartitionEngines this[int partition] => partitions[partition];

    /// <summary>Forgets the engines of partitions that were revoked.</summary>
    public void Release(IEnumerable<int> removed)
    {
        foreach (var partition in removed)
            partitions.Remove(partition);
    }

    /// <summary>Whether a partition has windows that the wall clock closes.</summary>
    public bool HasIdle(CaughtUpPartition caughtUp)
    {
        if (!partitions.TryGetValue(caughtUp.Partition, out var owned))
            return false;
        foreach (var engine in owned.All)
        {
            if (engine.Windows.IsIdle(rules, caughtUp.Until, engine.LastArrival))
                return true;
        }
        return false;
    }

    /// <summary>Tracks the engines of partitions, with their open windows as they follow from what is stored.</summary>
    /// <param name="added">The partitions.</param>
    /// <param name="partitionCount">The topic's number of partitions.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>How many engines and readings.</returns>
    public async Task<(int Engines, int Readings)> RebuildAsync(IReadOnlySet<int> added, int partitionCount, CancellationToken cancellation)
    {
        foreach (var partition in added)
            partitions[partition] = new PartitionEngines(partition);
        var rows = new List<(EngineRow Row, int Partition)>();
        foreach (var row in await reader.EnginesAsync(cancellation))
        {
            var partition = Partitioner.Partition(row.FactoryId, row.EngineId, partitionCount);
            if (added.Contains(partition))
                rows.Add((row, partition));
        }
        return (rows.Count, await LoadAsync(rows, cancellation));
    }

    /// <summary>
    /// Finds each pending reading's engine; new engines get a number, as far as their factory's bound allows.
    /// </summary>
    public async Task ResolveAsync(PendingCommit pending, CancellationToken cancellation)
    {
        if (Resolve(pending) is not { } unknown)
            return;
        var (added, known) = await reader.EnsureEnginesAsync([.. unknown.Keys], maxEnginesPerFactory, cancellation);
        foreach (var row in added)
            Track(row, unknown[(row.FactoryId, row.EngineId)]);
        // An engine that was in another partition before has open windows, too.
        await LoadAsync([.. known.Select(row => (row, unknown[(row.FactoryId, row.EngineId)]))], cancellation);
        if (added.Count + known.Count < unknown.Count)
        {
            pending.Reject(i =>
                Find(pending.ReadingsSpan[i]) is not null
                    ? null
                    : (Verdict.TooManyEngines, $"a factory may have {maxEnginesPerFactory} engines, and this would be one more")
            );
        }
        if (Resolve(pending) is { Count: > 0 } lost)
            throw new InvalidOperationException($"{lost.Count} engines are not tracked though they were just resolved.");
    }

    /// <summary>Gives each reading its engine; the engines that are not known, with their partition.</summary>
    private Dictionary<(string FactoryId, string EngineId), int>? Resolve(PendingCommit pending)
    {
        Dictionary<(string, string), int>? unknown = null;
        var readings = pending.ReadingsSpan;
        for (var i = 0; i < readings.Length; i++)
        {
            ref readonly var reading = ref readings[i];
            var engine = Find(reading);
            pending.SetEngine(i, engine);
            if (engine is null)
                (unknown ??= [])[(reading.FactoryId, reading.EngineId)] = reading.Partition;
        }
        return unknown;
    }

    private TrackedEngine? Find(in DecodedReading reading) => partitions[reading.Partition].Find(reading.FactoryId, reading.EngineId);

    private TrackedEngine Track(EngineRow row, int partition)
    {
        var engine = partitions[partition].Add(row.FactoryId, row.EngineId, row.EngineNo);
        engine.LastArrival = time.GetUtcNow().UtcTicks;
        engine.Windows.RaiseWatermark(row.ClosedUntil?.Ticks ?? 0);
        return engine;
    }

    /// <summary>Tracks engines and counts in what is stored since each one's last closed window.</summary>
    private async Task<int> LoadAsync(List<(EngineRow Row, int Partition)> rows, CancellationToken cancellation)
    {
        if (rows.Count == 0)
            return 0;
        var tracked = rows.ToDictionary(entry => entry.Row.EngineNo, entry => Track(entry.Row, entry.Partition));
        await reader.MetricsAsync([.. tracked.Keys], (engineNo, metric) => tracked[engineNo].Metrics.Add(metric), cancellation);
        var readings = 0;
        var parser = new ReadingParser();
        await reader.OpenReadingsAsync([.. rows.Select(entry => entry.Row)], Add, cancellation);
        return readings;

        void Add(int engineNo, DateTime measuredAt, byte[] sha256, byte[] data)
        {
            readings++;
            if (
                !TryParseStored(parser, data)
                || windows.Add(tracked[engineNo], measuredAt.Ticks, MemoryMarshal.Read<UInt128>(sha256), parser.MetricsSpan) != Arrival.New
            )
                throw new InvalidOperationException(
                    $"The stored reading of engine {engineNo} at {measuredAt:O} is not of an open window: "
                        + "another program changed factory.readings or factory.engines. Restore both from one backup."
                );
        }
    }

    /// <summary>A stored reading's metrics: its data in an envelope with nothing to check.</summary>
    private static bool TryParseStored(ReadingParser parser, byte[] data)
    {
        byte[] envelope = [.. "{\"signature\":\"AAAA\",\"data\":"u8, .. data, (byte)'}'];
        return parser.TryParse(envelope, out _, out _) == Verdict.Accepted;
    }
}
