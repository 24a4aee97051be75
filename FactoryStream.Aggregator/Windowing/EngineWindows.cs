using System.Runtime.InteropServices;
using FactoryStream.Contracts;

namespace FactoryStream.Aggregator.Windowing;

/// <summary>What a reading is to its engine's windows.</summary>
internal enum Arrival : byte
{
    /// <summary>Counted in an open window.</summary>
    Fresh,

    /// <summary>Its window is closed.</summary>
    Late,

    /// <summary>The same bytes are in the open window already.</summary>
    Duplicate,
}

/// <summary>A window that has closed, with its totals.</summary>
internal readonly record struct ClosedWindow(EngineWindows Engine, long Start, List<MetricTotals> Totals);

/// <summary>One engine's open windows and its watermark. All times in ticks, UTC.</summary>
internal sealed class EngineWindows(string factoryId, string engineId)
{
    private readonly List<OpenWindow> open = [];

    public string FactoryId { get; } = factoryId;

    public string EngineId { get; } = engineId;

    /// <summary>The engine's number in the database; 0 until it has one.</summary>
    public int EngineNo { get; set; }

    /// <summary>The names of metrics that its stored readings have brought.</summary>
    public NameIndex Metrics { get; } = new();

    /// <summary>Windows that end at or before this are closed. Never moves back.</summary>
    public long Watermark { get; private set; }

    /// <summary>By the wall clock: when a reading came in last.</summary>
    public long LastHeard { get; set; }

    public int OpenCount => open.Count;

    /// <summary>The end of the last window that is closed by now, with readings or without; what is stored since then is all that open windows are made of.</summary>
    public long ClosedUntil(in WindowingRules rules) => Watermark < DateTime.UnixEpoch.Ticks ? 0 : rules.StartOf(Watermark);

    /// <summary>Takes a stored closing over, when the state is built again.</summary>
    public void RaiseWatermark(long ticks) => Watermark = Math.Max(Watermark, ticks);

    /// <summary>Counts a reading in, unless it is late or a duplicate, and moves the windows on that its time has passed.</summary>
    public Arrival Add(in WindowingRules rules, long measuredAt, UInt128 identity, ReadOnlySpan<Metric> metrics, List<ClosedWindow> closed)
    {
        var start = rules.StartOf(measuredAt);
        if (start + rules.Length <= Watermark)
            return Arrival.Late;
        if (!Window(start).Add(identity, metrics))
            return Arrival.Duplicate;
        var reached = measuredAt - rules.Lateness;
        if (reached > Watermark)
        {
            Watermark = reached;
            Close(rules, reached, closed);
        }
        return Arrival.Fresh;
    }

    /// <summary>Whether <see cref="CloseSilent"/> would close anything.</summary>
    public bool IsSilent(in WindowingRules rules, long heardAllUntil) =>
        open.Count > 0 && heardAllUntil - LastHeard >= rules.IdleTimeout && open[0].Start + rules.Length <= heardAllUntil - rules.IdleTimeout;

    /// <summary>Closes what a silent engine has left open, by the wall clock.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="heardAllUntil">A moment of the wall clock up to which all that was sent has been taken in: who has a backlog cannot tell silence from its own delay.</param>
    /// <param name="closed">Where the windows go that close.</param>
    public void CloseSilent(in WindowingRules rules, long heardAllUntil, List<ClosedWindow> closed)
    {
        if (!IsSilent(rules, heardAllUntil))
            return;
        var before = closed.Count;
        Close(rules, heardAllUntil - rules.IdleTimeout, closed);
        for (var i = before; i < closed.Count; i++)
            RaiseWatermark(closed[i].Start + rules.Length);
    }

    private void Close(in WindowingRules rules, long reached, List<ClosedWindow> closed)
    {
        while (open.Count > 0 && open[0].Start + rules.Length <= reached)
        {
            closed.Add(new ClosedWindow(this, open[0].Start, open[0].Totals));
            open.RemoveAt(0);
        }
    }

    /// <summary>The open window of a start; at most two are open at once for any lateness below a window's length, so a list is enough.</summary>
    private OpenWindow Window(long start)
    {
        var i = open.Count;
        while (i > 0 && open[i - 1].Start > start)
            i--;
        if (i > 0 && open[i - 1].Start == start)
            return open[i - 1];
        var window = new OpenWindow(start);
        open.Insert(i, window);
        return window;
    }

    private sealed class OpenWindow(long start)
    {
        private readonly HashSet<UInt128> identities = [];
        private readonly NameIndex names = new();

        public long Start { get; } = start;

        public List<MetricTotals> Totals { get; } = [];

        public bool Add(UInt128 identity, ReadOnlySpan<Metric> metrics)
        {
            if (!identities.Add(identity))
                return false;
            for (var i = 0; i < metrics.Length; i++)
            {
                var index = names.IndexOf(metrics[i].Name, i);
                if (index >= 0)
                {
                    CollectionsMarshal.AsSpan(Totals)[index].Add(metrics[i].Value);
                    continue;
                }
                names.Add(metrics[i].Name);
                Totals.Add(MetricTotals.Of(metrics[i].Name, metrics[i].Value));
            }
            return true;
        }
    }
}
