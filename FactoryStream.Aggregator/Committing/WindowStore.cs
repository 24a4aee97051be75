using System.Runtime.InteropServices;
using FactoryStream.Aggregator.Windowing;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator.Committing;

/// <summary>A window that a transaction writes.</summary>
/// <param name="Engine">Whose it is.</param>
/// <param name="Start">The window's start, in ticks, UTC.</param>
/// <param name="Totals">The totals of each metric; of a correction those of the late readings alone.</param>
/// <param name="IsCorrection">It was closed before.</param>
internal readonly record struct WrittenWindow(TrackedEngine Engine, long Start, List<MetricTotals> Totals, bool IsCorrection);

/// <summary>The windows of a transaction: those that close in it, and those closed before that late readings correct.</summary>
internal sealed class WindowStore(NpgsqlDataSource database, WindowingRules rules)
{
    private readonly TablePartitions tablePartitions = new(database, WindowStatements.Table);
    private readonly BinaryCopyBuffer rows = new();
    private readonly List<ClosedWindow> closing = [];
    private readonly List<(TrackedEngine Engine, ClosedWindow Window)> closed = [];
    private readonly HashSet<TrackedEngine> changed = [];
    private readonly Dictionary<(TrackedEngine Engine, long Start), List<MetricTotals>> late = [];

    /// <summary>Windows have closed, or been corrected, that are not written yet.</summary>
    public bool HasChanges => changed.Count > 0;

    /// <summary>How many rows the last <see cref="WriteAsync"/> wrote of windows that closed.</summary>
    public int ClosedRows => rows.RowCount;

    /// <summary>The engines whose windows have closed or been corrected.</summary>
    public IReadOnlyCollection<TrackedEngine> Changed => changed;

    /// <summary>The windows that have closed or been corrected and have a metric.</summary>
    public IEnumerable<WrittenWindow> Written =>
        closed
            .Where(entry => entry.Window.Totals.Count > 0)
            .Select(entry => new WrittenWindow(entry.Engine, entry.Window.Start, entry.Window.Totals, IsCorrection: false))
            .Concat(late.Select(entry => new WrittenWindow(entry.Key.Engine, entry.Key.Start, entry.Value, IsCorrection: true)));

    /// <summary>After a retention run, table partitions may be gone.</summary>
    public void ForgetTablePartitions() => tablePartitions.Forget();

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
        if (metrics.Length == 0)
            return;
        ref var totals = ref CollectionsMarshal.GetValueRefOrAddDefault(late, (engine, start), out _);
        totals ??= [];
        foreach (var metric in metrics)
        {
            if (totals.FindIndex(known => known.Metric == metric.Name) is >= 0 and var index)
                CollectionsMarshal.AsSpan(totals)[index].Add(metric.Value);
            else
                totals.Add(MetricTotals.Of(metric.Name, metric.Value));
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
            if (window.Totals.Count == 0)
                continue;
            await EnsureTablePartitionAsync(window.Start, cancellation);
            WindowStatements.Append(rows, Row(engine, window.Start, window.Totals), now);
        }
        await rows.CopyToAsync(connection, WindowStatements.CopyTarget, cancellation);

        foreach (var correction in late.Keys)
            await EnsureTablePartitionAsync(correction.Start, cancellation);
        await MergeAsync(
            connection,
            [.. late.Select(entry => Row(entry.Key.Engine, entry.Key.Start, entry.Value))],
            newRevision: 1,
            now,
            cancellation
        );
    }

    /// <summary>Writes windows that closed while the state was rebuilt; some of them may be stored already.</summary>
    public async Task WriteRebuiltAsync(NpgsqlConnection connection, DateTime now, CancellationToken cancellation)
    {
        var withTotals = closed.Where(entry => entry.Window.Totals.Count > 0).ToArray();
        foreach (var (_, window) in withTotals)
            await EnsureTablePartitionAsync(window.Start, cancellation);
        await MergeAsync(
            connection,
            [.. withTotals.Select(entry => Row(entry.Engine, entry.Window.Start, entry.Window.Totals))],
            newRevision: 0,
            now,
            cancellation
        );
    }

    /// <summary>Statements that store up to when the changed engines are closed, and when, and notify the Dashboard.</summary>
    public IEnumerable<NpgsqlBatchCommand> ClosingStatements(DateTime now)
    {
        if (changed.Count == 0)
            yield break;
        yield return EngineStatements.CloseUntil(
            [
                .. changed
                    .OrderBy(engine => engine.EngineNo)
                    .Select(engine => (engine.EngineNo, new DateTime(engine.Windows.ClosedUntil(rules), DateTimeKind.Utc))),
            ],
            now
        );
        yield return WindowStatements.Notify([.. changed.Select(engine => engine.EngineNo)]);
    }

    /// <summary>
    /// Merges totals of readings that no closed row counts yet into the rows that are there; a window that has no such row gets one.
    /// The minutes of all of them are marked stale, be they rolled up or not: late is rare, and to look would cost more than a mark.
    /// Read, merged here (<see cref="WindowMerge"/> says why) and written. Safe because the partition's epoch, checked by the same
    /// transaction, lets nobody else write its engines' windows.
    /// </summary>
    /// <param name="connection">A connection within the transaction.</param>
    /// <param name="windows">Each engine and window once.</param>
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
            merged[Key(stored)] = stored with { Metrics = Merge(stored.Metrics, merged[Key(stored)].Metrics) };
        await WindowStatements.UpsertAsync(connection, merged.Values, newRevision, now, cancellation);
        await RollupStatements.MarkStaleAsync(connection, windows, cancellation);

        static (int, DateTime, DateTime) Key(WindowTotals window) => (window.EngineNo, window.WindowStart, window.WindowEnd);
    }

    private static List<MetricRow> Merge(IReadOnlyList<MetricRow> stored, IReadOnlyList<MetricRow> added)
    {
        var merge = new WindowMerge();
        merge.Add(stored);
        merge.Add(added);
        return merge.Metrics;
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

    private WindowTotals Row(TrackedEngine engine, long start, List<MetricTotals> totals) =>
        new(
            engine.EngineNo,
            new DateTime(start, DateTimeKind.Utc),
            new DateTime(start + rules.Length, DateTimeKind.Utc),
            totals.ConvertAll(metric => Row(metric))
        );

    private static MetricRow Row(in MetricTotals totals) =>
        new(totals.Metric, totals.Count, totals.Sum, totals.Min, totals.Max, totals.SquaredDeviation);
}
