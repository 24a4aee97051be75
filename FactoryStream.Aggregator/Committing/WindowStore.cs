using System.Runtime.InteropServices;
using FactoryStream.Aggregator.Windowing;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator.Committing;

/// <summary>The windows of a transaction: those that close in it, and those closed before that late readings correct.</summary>
internal sealed class WindowStore(NpgsqlDataSource database, WindowingRules rules)
{
    private readonly TablePartitions tablePartitions = new(database, "windows");
    private readonly BinaryCopyBuffer rows = new();
    private readonly List<ClosedWindow> closing = [];
    private readonly List<(TrackedEngine Engine, ClosedWindow Window)> closed = [];
    private readonly HashSet<TrackedEngine> changed = [];
    private readonly Dictionary<(TrackedEngine Engine, long Start, string Metric), MetricTotals> late = [];

    /// <summary>Windows have closed, or been corrected, that are not written yet.</summary>
    public bool HasChanges => changed.Count > 0;

    /// <summary>How many rows the last <see cref="WriteAsync"/> wrote of windows that closed.</summary>
    public int ClosedRows => rows.RowCount;

    public void Clear()
    {
        closed.Clear();
        changed.Clear();
        late.Clear();
    }

    /// <summary>Counts a reading into its engine's windows.</summary>
    public Arrival Add(TrackedEngine engine, long measuredAt, UInt128 identity, ReadOnlySpan<Metric> metrics)
    {
        var arrival = engine.Windows.Add(rules, measuredAt, identity, metrics, closing);
        if (closing.Count > 0)
            Close(engine);
        return arrival;
    }

    /// <summary>Counts a late reading that is new towards the correction of its closed window.</summary>
    public void AddLate(TrackedEngine engine, long measuredAt, ReadOnlySpan<Metric> metrics)
    {
        var start = rules.StartOf(measuredAt);
        changed.Add(engine);
        foreach (var metric in metrics)
        {
            ref var totals = ref CollectionsMarshal.GetValueRefOrAddDefault(late, (engine, start, metric.Name), out var exists);
            if (exists)
                totals.Add(metric.Value);
            else
                totals = MetricTotals.Of(metric.Name, metric.Value);
        }
    }

    /// <summary>Closes what idle engines of a partition have left open.</summary>
    public void CloseIdle(PartitionEngines engines, long caughtUpUntil)
    {
        foreach (var engine in engines.All)
        {
            engine.Windows.CloseIdle(rules, caughtUpUntil, engine.LastArrival, closing);
            if (closing.Count > 0)
                Close(engine);
        }
    }

    /// <summary>Writes the windows that closed, and merges late readings into those that were closed before.</summary>
    public async Task WriteAsync(NpgsqlConnection connection, DateTime now, CancellationToken cancellation)
    {
        rows.Reset();
        foreach (var (engine, window) in closed)
        {
            if (window.Totals.Count > 0)
                await EnsureTablePartitionAsync(window.Start, cancellation);
            foreach (var totals in window.Totals)
                WindowStatements.Append(rows, Row(engine, window.Start, totals), now);
        }
        await rows.CopyToAsync(connection, WindowStatements.CopyTarget, cancellation);

        var corrections = late.Select(entry => Row(entry.Key.Engine, entry.Key.Start, entry.Value)).ToArray();
        foreach (var correction in corrections)
            await tablePartitions.EnsureAsync(correction.WindowStart, cancellation);
        await MergeAsync(connection, corrections, newRevision: 1, now, cancellation);
    }

    /// <summary>Writes windows that closed while the state was rebuilt; some of them may be stored already.</summary>
    public async Task WriteRebuiltAsync(NpgsqlConnection connection, DateTime now, CancellationToken cancellation)
    {
        foreach (var (_, window) in closed)
            await EnsureTablePartitionAsync(window.Start, cancellation);
        WindowTotals[] totals =
        [
            .. closed.SelectMany(entry => entry.Window.Totals.Select(totals => Row(entry.Engine, entry.Window.Start, totals))),
        ];
        await MergeAsync(connection, totals, newRevision: 0, now, cancellation);
    }

    /// <summary>Statements that store up to when the changed engines are closed, and notify the Dashboard.</summary>
    public IEnumerable<NpgsqlBatchCommand> ClosingStatements()
    {
        if (changed.Count == 0)
            yield break;
        yield return EngineStatements.CloseUntil([
            .. changed
                .OrderBy(engine => engine.EngineNo)
                .Select(engine => (engine.EngineNo, new DateTime(engine.Windows.ClosedUntil(rules), DateTimeKind.Utc))),
        ]);
        yield return WindowStatements.Notify([.. changed.Select(engine => engine.EngineNo)]);
    }

    /// <summary>
    /// Merges totals of readings that no closed row counts yet into the rows that are there; a window that has no such row gets one.
    /// Read, merged here and written: PostgreSQL's own arithmetic ends a statement where a value overflows or underflows, and one odd
    /// reading must not stop all others. Safe because the partition's epoch, checked by the same transaction, lets nobody else write its
    /// engines' windows.
    /// </summary>
    /// <param name="connection">A connection within the transaction.</param>
    /// <param name="windows">Each engine, window and metric once.</param>
    /// <param name="newRevision">
    /// Of a row that is not there yet: 1 when the window was closed without it, 0 when it closes now. A row that is there goes up by one.
    /// </param>
    /// <param name="now">The time of the change, UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task MergeAsync(
        NpgsqlConnection connection,
        IReadOnlyList<WindowTotals> windows,
        int newRevision,
        DateTime now,
        CancellationToken cancellation
    )
    {
        if (windows.Count == 0)
            return;
        var merged = windows.ToDictionary(Key);
        foreach (var stored in await WindowStatements.ReadAsync(connection, windows, cancellation))
        {
            var totals = Totals(stored).With(Totals(merged[Key(stored)]));
            merged[Key(stored)] = Row(stored.EngineNo, stored.WindowStart, stored.WindowEnd, totals);
        }
        await WindowStatements.UpsertAsync(connection, merged.Values, newRevision, now, cancellation);

        static (int, DateTime, DateTime, string) Key(WindowTotals window) =>
            (window.EngineNo, window.WindowStart, window.WindowEnd, window.Metric);

        static MetricTotals Totals(in WindowTotals row) => new(row.Metric, row.Count, row.Sum, row.Min, row.Max, row.SquaredDeviation);
    }

    private void Close(TrackedEngine engine)
    {
        changed.Add(engine);
        foreach (var window in closing)
            closed.Add((engine, window));
        closing.Clear();
    }

    private ValueTask EnsureTablePartitionAsync(long start, CancellationToken cancellation) =>
        tablePartitions.EnsureAsync(new DateTime(start, DateTimeKind.Utc), cancellation);

    private WindowTotals Row(TrackedEngine engine, long start, in MetricTotals totals) =>
        Row(engine.EngineNo, new DateTime(start, DateTimeKind.Utc), new DateTime(start + rules.Length, DateTimeKind.Utc), totals);

    private static WindowTotals Row(int engineNo, DateTime start, DateTime end, in MetricTotals totals) =>
        new(engineNo, start, end, totals.Metric, totals.Count, totals.Sum, totals.Min, totals.Max, totals.SquaredDeviation);
}
