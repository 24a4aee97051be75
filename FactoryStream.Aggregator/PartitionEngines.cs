using System.Runtime.InteropServices;
using FactoryStream.Aggregator.Windowing;

namespace FactoryStream.Aggregator;

/// <summary>The engines of one partition that this process owns, and the books of their factories for the batch under way.</summary>
internal sealed class PartitionEngines(int partition)
{
    private readonly Dictionary<(string FactoryId, string EngineId), PartitionEngine> engines = [];
    private readonly Dictionary<string, FactoryTally> tallies = [];

    public IReadOnlyCollection<PartitionEngine> All => engines.Values;

    public PartitionEngine? Find(string factoryId, string engineId) => engines.GetValueOrDefault((factoryId, engineId));

    public PartitionEngine Add(string factoryId, string engineId, EngineWindows windows)
    {
        ref var engine = ref CollectionsMarshal.GetValueRefOrAddDefault(engines, (factoryId, engineId), out _);
        if (engine is not null)
            return engine;
        var tally = Tally(factoryId);
        tally.HasEngines = true;
        return engine = new PartitionEngine(windows, tally);
    }

    public FactoryTally Tally(string factoryId)
    {
        ref var tally = ref CollectionsMarshal.GetValueRefOrAddDefault(tallies, factoryId, out _);
        return tally ??= new FactoryTally(partition, factoryId);
    }

    /// <summary>How many factories' tallies are kept between batches.</summary>
    public int TallyCount => tallies.Count;

    /// <summary>
    /// A batch is over: only a tally that engines refer to is kept. What the log calls a factory may be invented, and there is no end of
    /// names.
    /// </summary>
    public void Forget(FactoryTally tally)
    {
        if (!tally.HasEngines)
            tallies.Remove(tally.FactoryId);
    }
}

/// <summary>An engine's windows, and its factory's books.</summary>
internal sealed record PartitionEngine(EngineWindows Windows, FactoryTally Tally);

/// <summary>What the batch under way adds to a factory's books in one partition.</summary>
internal sealed class FactoryTally(int partition, string factoryId)
{
    public int Partition { get; } = partition;

    public string FactoryId { get; } = factoryId;

    public long Accepted { get; set; }

    public long Stored { get; set; }

    public long Duplicates { get; set; }

    /// <summary>Whether engines refer to it: then it is of a factory with a key.</summary>
    public bool HasEngines { get; set; }

    /// <summary>Whether the batch under way has it on its list.</summary>
    public bool IsListed { get; set; }

    public void Reset()
    {
        (Accepted, Stored, Duplicates) = (0, 0, 0);
        IsListed = false;
    }
}
