using FactoryStream.Aggregator.Anomalies;
using FactoryStream.Aggregator.Windowing;

namespace FactoryStream.Aggregator.Committing;

/// <summary>An engine of a partition that this process owns.</summary>
/// <param name="engineId">Its id within its factory.</param>
/// <param name="engineNo">Its number in the database.</param>
/// <param name="ledger">Its factory's, in its partition.</param>
internal sealed class TrackedEngine(string engineId, int engineNo, LedgerDelta ledger)
{
    public string FactoryId => Ledger.FactoryId;

    public string EngineId { get; } = engineId;

    public int EngineNo { get; } = engineNo;

    /// <summary>What the commit under way adds to its factory's ledger.</summary>
    public LedgerDelta Ledger { get; } = ledger;

    public EngineWindows Windows { get; } = new();

    /// <summary>The names of metrics that its stored readings have brought.</summary>
    public NameIndex Metrics { get; } = new();

    /// <summary>
    /// A cache of its stored windows for anomaly rules, written windows included; null: to be read when it is needed.
    /// </summary>
    public PastWindows? Past { get; set; }

    /// <summary>When its last reading was taken in, by the wall clock, in ticks.</summary>
    public long LastArrival { get; set; }
}

/// <summary>What the commit under way adds to a factory's ledger in one partition.</summary>
internal sealed class LedgerDelta(int partition, string factoryId)
{
    public int Partition { get; } = partition;

    public string FactoryId { get; } = factoryId;

    public long Accepted { get; set; }

    public long Stored { get; set; }

    public long Duplicates { get; set; }

    /// <summary>Whether engines refer to it: then it is of a factory with a key.</summary>
    public bool HasEngines { get; set; }

    /// <summary>Whether the commit under way has it on its list.</summary>
    public bool IsListed { get; set; }

    public void Reset()
    {
        (Accepted, Stored, Duplicates) = (0, 0, 0);
        IsListed = false;
    }
}
