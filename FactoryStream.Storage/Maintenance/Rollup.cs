using Npgsql;

namespace FactoryStream.Storage;

/// <summary>
/// Rolls windows up: minutes from the windows of ten seconds that begin in them, hours from minutes, days from hours. Lazily, after the
/// commits and beside them. Whatever is written is computed anew from all of the finer step, so that a roll-up may be repeated.
/// </summary>
public static class Rollup
{
    private const int EnginesAtOnce = 256;

    // An engine alone has almost two days rolled up at once, 256 of them ten minutes each: 15,000 windows, whose hours are as many minutes.
    private const int MinutesAtOnce = 2_560;

    // Each of them may be of another engine and hour, whose 60 minutes are read.
    private const int StaleAtOnce = 256;

    /// <summary>Rolls up some of what is due, in one transaction; nothing while another does it.</summary>
    /// <param name="database">The database with the schema <c>factory</c>.</param>
    /// <param name="now">The time to state in the rows, UTC.</param>
    /// <param name="expiredBefore">No reading from before this is taken in any more; null: any may be.</param>
    /// <param name="droppedBefore">
    /// Windows of ten seconds that began before this may be dropped, so nothing is computed from them again; null: they are kept for ever.
    /// </param>
    /// <param name="cancellation">Ends the wait for the database; nothing is rolled up then.</param>
    public static async Task<RollupProgress> RunAsync(
        NpgsqlDataSource database,
        DateTime now,
        DateTime? expiredBefore,
        DateTime? droppedBefore,
        CancellationToken cancellation
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using (var alone = new NpgsqlCommand("SELECT pg_try_advisory_xact_lock(hashtext('factory.rollup'))", connection))
        {
            if (await alone.ExecuteScalarAsync(cancellation) is not true)
                return default;
        }
        // First of all. A correction that is committed later leaves a mark of its own; and a purge, which empties this table first, is
        // either over or waits until this transaction is.
        var stale = await RollupStatements.TakeStaleAsync(connection, StaleAtOnce, cancellation);
        var due = await RollupStatements.ReadDueAsync(connection, EnginesAtOnce, expiredBefore, cancellation);
        if (stale.Count == 0 && due.Count == 0)
            return default;

        var rolled = await RollupStatements.ReadRolledUntilAsync(
            connection,
            [.. stale.Select(minute => minute.EngineNo).Distinct()],
            cancellation
        );
        var longest = WindowStep.Minute.Length * Math.Max(1, MinutesAtOnce / Math.Max(1, due.Count));
        var dirty = stale.Where(minute => droppedBefore is null || minute.From >= droppedBefore).ToHashSet();
        foreach (var engine in due)
        {
            var from = WindowStep.Minute.Floor(engine.FirstWindow ?? engine.Until);
            var to = engine.Until - from > longest ? from + longest : engine.Until;
            rolled[engine.EngineNo] = to;
            for (var minute = from; minute < to; minute += WindowStep.Minute.Length)
                dirty.Add(new(engine.EngineNo, minute, minute + WindowStep.Minute.Length));
        }

        var tablePartitions = new TablePartitions(database, WindowStep.Minute.Table);
        var minutes = 0;
        foreach (var step in WindowStep.All.Where(step => step.Finer is not null))
        {
            dirty = Steps(step, dirty, due, rolled);
            var finer = await StepStatements.ReadAsync(connection, step.Finer!, Joined(dirty), null, null, cancellation);
            var windows = WindowMerge.ByStep(finer, step.Length);
            if (step == WindowStep.Minute)
            {
                minutes = windows.Count;
                foreach (var window in windows)
                    await tablePartitions.EnsureAsync(window.Window.WindowStart, cancellation);
            }
            await StepStatements.UpsertAsync(connection, step, windows, now, cancellation);
        }
        await RollupStatements.SetRolledUntilAsync(
            connection,
            [.. due.Select(engine => (engine.EngineNo, rolled[engine.EngineNo]))],
            cancellation
        );
        await transaction.CommitAsync(cancellation);
        var isMore =
            stale.Count == StaleAtOnce || due.Count == EnginesAtOnce || due.Exists(engine => rolled[engine.EngineNo] < engine.Until);
        return new(due.Count, minutes, due.Count == 0 ? null : due.Min(engine => rolled[engine.EngineNo]), isMore);
    }

    /// <summary>
    /// The windows of a step that are complete and hold what is dirty, or what was incomplete when the engine was rolled up the last time.
    /// </summary>
    private static HashSet<EngineSpan> Steps(
        WindowStep step,
        HashSet<EngineSpan> dirty,
        List<DueEngine> due,
        Dictionary<int, DateTime> rolled
    )
    {
        var last = due.Where(engine => engine.RolledUntil is not null)
            .Select(engine => new EngineSpan(engine.EngineNo, engine.RolledUntil!.Value.AddTicks(-1), default));
        return dirty
            .Concat(step == WindowStep.Minute ? [] : last)
            .Select(span => step.Floor(span.From) is var start ? new EngineSpan(span.EngineNo, start, start + step.Length) : default)
            .Where(span => rolled.TryGetValue(span.EngineNo, out var until) && span.To <= until)
            .ToHashSet();
    }

    /// <summary>Spans that follow each other as one.</summary>
    private static List<EngineSpan> Joined(IEnumerable<EngineSpan> spans)
    {
        var joined = new List<EngineSpan>();
        foreach (var span in spans.OrderBy(span => span.EngineNo).ThenBy(span => span.From))
        {
            if (joined.Count > 0 && joined[^1].EngineNo == span.EngineNo && joined[^1].To == span.From)
                joined[^1] = joined[^1] with { To = span.To };
            else
                joined.Add(span);
        }
        return joined;
    }
}

/// <summary>What a roll-up did; none, where nothing was due or another was at work.</summary>
/// <param name="Engines">Engines that were due.</param>
/// <param name="Minutes">Minutes that were written.</param>
/// <param name="RolledUntil">Up to when the engine furthest behind of them is rolled up now; null: only corrections were due.</param>
/// <param name="IsMore">More is due.</param>
public readonly record struct RollupProgress(int Engines, int Minutes, DateTime? RolledUntil, bool IsMore);
