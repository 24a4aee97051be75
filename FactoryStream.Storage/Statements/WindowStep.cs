namespace FactoryStream.Storage;

/// <summary>How much time a window stands for, and the table that holds windows of that step. All are aligned to the Unix epoch.</summary>
public sealed class WindowStep
{
    /// <summary>The step of the windows that the others are merged from; ten seconds, unless the Aggregator is told otherwise.</summary>
    public static readonly WindowStep TenSeconds = new("10s", TimeSpan.FromSeconds(10), WindowStatements.Table, null);

    /// <summary>A minute holds the windows that begin in it.</summary>
    public static readonly WindowStep Minute = new("1m", TimeSpan.FromMinutes(1), "engine_minutes", TenSeconds);

    /// <summary>An hour holds sixty minutes.</summary>
    public static readonly WindowStep Hour = new("1h", TimeSpan.FromHours(1), "engine_hours", Minute);

    /// <summary>A day of UTC holds 24 hours.</summary>
    public static readonly WindowStep Day = new("1d", TimeSpan.FromDays(1), "engine_days", Hour);

    private WindowStep(string name, TimeSpan length, string table, WindowStep? finer) =>
        (Name, Length, Table, Finer) = (name, length, table, finer);

    /// <summary>All steps, the finest first.</summary>
    public static IReadOnlyList<WindowStep> All { get; } = [TenSeconds, Minute, Hour, Day];

    /// <summary>As requests write it, e.g. <c>1m</c>.</summary>
    public string Name { get; }

    /// <summary>How much time.</summary>
    public TimeSpan Length { get; }

    /// <summary>The table's name within the schema.</summary>
    public string Table { get; }

    /// <summary>The step that this one's windows are merged from; null: these are the Aggregator's own.</summary>
    public WindowStep? Finer { get; }

    /// <summary>The start of the step that holds a time.</summary>
    /// <param name="time">UTC, from 1970 on.</param>
    /// <param name="length">The step's length.</param>
    public static DateTime Floor(DateTime time, TimeSpan length) => time.AddTicks(-((time - DateTime.UnixEpoch).Ticks % length.Ticks));

    /// <summary>The start of this step that holds a time.</summary>
    /// <param name="time">UTC, from 1970 on.</param>
    public DateTime Floor(DateTime time) => Floor(time, Length);

    /// <summary>The first start of this step that is not before a time; the last one that there is for the end of all time.</summary>
    /// <param name="time">UTC, from 1970 on.</param>
    public DateTime Ceiling(DateTime time) =>
        Floor(time) is var floor && (floor == time || DateTime.MaxValue - floor < Length) ? floor : floor + Length;

    /// <summary>
    /// Parts of a time that together hold each of its windows once: of the coarsest steps that fit and are rolled up, of finer ones at the
    /// edges, and of the finest what is not rolled up yet.
    /// </summary>
    /// <param name="span">One engine's windows that begin in this time.</param>
    /// <param name="rolledUntil">Up to when the engine is rolled up; null: not at all.</param>
    /// <returns>The parts in the order of their time; none is empty.</returns>
    public IEnumerable<(WindowStep Step, EngineSpan Span)> Cover(EngineSpan span, DateTime? rolledUntil)
    {
        if (span.From >= span.To)
            return [];
        if (Finer is null)
            return [(this, span)];
        var from = Ceiling(span.From);
        var to = Floor(rolledUntil < span.To ? rolledUntil.Value : span.To);
        return rolledUntil is null || from >= to
            ? Finer.Cover(span, rolledUntil)
            :
            [
                .. Finer.Cover(span with { To = from }, rolledUntil),
                (this, span with { From = from, To = to }),
                .. Finer.Cover(span with { From = to }, rolledUntil),
            ];
    }
}

/// <summary>A time of one engine.</summary>
/// <param name="EngineNo">The engine's number.</param>
/// <param name="From">The first moment, UTC.</param>
/// <param name="To">The first moment behind it, UTC.</param>
public readonly record struct EngineSpan(int EngineNo, DateTime From, DateTime To);
