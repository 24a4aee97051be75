using System.Runtime.InteropServices;

namespace FactoryStream.Aggregator.Committing;

/// <summary>The engines of one partition that this process owns, and what the commit under way adds to their factories' ledger.</summary>
internal sealed class PartitionEngines(int partition)
{
    private readonly Dictionary<(string FactoryId, string EngineId), TrackedEngine> engines = [];
    private readonly Dictionary<string, LedgerDelta> ledgers = [];

    public IReadOnlyCollection<TrackedEngine> All => engines.Values;

    /// <summary>How many factories' ledger entries are kept between commits.</summary>
    public int LedgerCount => ledgers.Count;

    public TrackedEngine? Find(string factoryId, string engineId) => engines.GetValueOrDefault((factoryId, engineId));

    /// <summary>The engine of that name, tracked from now on.</summary>
    public TrackedEngine Add(string factoryId, string engineId, int engineNo)
    {
        ref var engine = ref CollectionsMarshal.GetValueRefOrAddDefault(engines, (factoryId, engineId), out _);
        if (engine is not null)
            return engine;
        var ledger = Ledger(factoryId);
        ledger.HasEngines = true;
        return engine = new TrackedEngine(engineId, engineNo, ledger);
    }

    public LedgerDelta Ledger(string factoryId)
    {
        ref var ledger = ref CollectionsMarshal.GetValueRefOrAddDefault(ledgers, factoryId, out _);
        return ledger ??= new LedgerDelta(partition, factoryId);
    }

    /// <summary>
    /// A commit is over: only an entry that engines refer to is kept. What the log calls a factory may be invented, and there is no end of
    /// names.
    /// </summary>
    public void Forget(LedgerDelta ledger)
    {
        if (!ledger.HasEngines)
            ledgers.Remove(ledger.FactoryId);
    }
}
