using System.Runtime.InteropServices;
using FactoryStream.Contracts;

namespace FactoryStream.Aggregator.Windowing;

/// <summary>What a reading is to its engine's windows.</summary>
internal enum Arrival : byte
{
    /// <summary>Counted in an open window.</summary>
    New,

    /// <summary>Its window is closed.</summary>
    Late,

    /// <summary>The same bytes are in the open window already.</summary>
    Duplicate,
}

/// <summary>A window that has closed, with its totals.</summary>
/// <param name="Start">The window's start, in ticks, UTC.</param>
/// <param name="Totals">The totals of each metric.</param>
internal readonly record struct ClosedWindow(long Start, List<MetricTotals> Totals);

/// <summary>One engine's open windows and its watermark. All times in ticks, UTC.</summary>
internal sealed class EngineWindows
{
    private readonly List<OpenWindow> open = [];
    private Watermark watermark;

    public Watermark Watermark => watermark;

    public int OpenCount => open.Count;

    /// <summary>
    /// The end of the last window that is closed by now, with readings or without; what is stored since then is all that open windows are
    /// made of.
    /// </summary>
    public long ClosedUntil(in WindowingRules rules) => watermark.Ticks < DateTime.UnixEpoch.Ticks ? 0 : rules.StartOf(watermark.Ticks);

    /// <summary>Takes a stored closing over, when the state is rebuilt.</summary>
    public void RaiseWatermark(long ticks) => watermark.Raise(ticks);

    /// <summary>Counts a reading in, unless it is late or a duplicate, and closes the windows that its time has passed.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="measuredAt">The reading's time.</param>
    /// <param name="identity">Of its bytes: equal ones are the same reading.</param>
    /// <param name="metrics">Its values.</param>
    /// <param name="closed">Where the windows go that close.</param>
    public Arrival Add(in WindowingRules rules, long measuredAt, UInt128 identity, ReadOnlySpan<Metric> metrics, List<ClosedWindow> closed)
    {
        var start = rules.StartOf(measuredAt);
        if (watermark.HasReached(start + rules.Length))
            return Arrival.Late;
        if (!Window(start).Add(identity, metrics))
            return Arrival.Duplicate;
        if (watermark.Raise(measuredAt - rules.Lateness))
            Close(rules, watermark.Ticks, closed);
        return Arrival.New;
    }

    /// <summary>Whether <see cref="CloseIdle"/> would close anything.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="caughtUpUntil">
    /// A moment of the wall clock up to which all that was sent has been taken in: behind a backlog an engine that is idle looks like
    /// one whose readings are not read yet.
    /// </param>
    /// <param name="lastArrival">When the engine's last reading was taken in, by the wall clock.</param>
    public bool IsIdle(in WindowingRules rules, long caughtUpUntil, long lastArrival) =>
        open.Count > 0
        && caughtUpUntil - lastArrival >= rules.IdleTimeout
        && open[0].Start + rules.Length <= caughtUpUntil - rules.IdleTimeout;

    /// <summary>Closes what an idle engine has left open, by the wall clock.</summary>
    /// <inheritdoc cref="IsIdle"/>
    public void CloseIdle(in WindowingRules rules, long caughtUpUntil, long lastArrival, List<ClosedWindow> closed)
    {
        if (!IsIdle(rules, caughtUpUntil, lastArrival))
            return;
        var before = closed.Count;
        Close(rules, caughtUpUntil - rules.IdleTimeout, closed);
        for (var i = before; i < closed.Count; i++)
            watermark.Raise(closed[i].Start + rules.Length);
    }

    private void Close(in WindowingRules rules, long reached, List<ClosedWindow> closed)
    {
        while (open.Count > 0 && open[0].Start + rules.Length <= reached)
        {
            closed.Add(new ClosedWindow(open[0].Start, open[0].Totals));
            open.RemoveAt(0);
        }
    }

    /// <summary>
    /// The open window of a start; at most two are open at once for any lateness below a window's length, so a list is enough.
    /// </summary>
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
