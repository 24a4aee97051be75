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
        return engine ??= new PartitionEngine(windows, Tally(factoryId));
    }

    public FactoryTally Tally(string factoryId)
    {
        ref var tally = ref CollectionsMarshal.GetValueRefOrAddDefault(tallies, factoryId, out _);
        return tally ??= new FactoryTally(partition, factoryId);
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

    /// <summary>Whether the batch under way has it on its list.</summary>
    public bool IsListed { get; set; }

    public void Reset()
    {
        (Accepted, Stored, Duplicates) = (0, 0, 0);
        IsListed = false;
    }
}
