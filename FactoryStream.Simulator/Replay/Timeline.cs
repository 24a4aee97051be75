namespace FactoryStream.Simulator.Replay;

/// <summary>
/// Weaves several engines' readings into one stream by time, as a plant would send them; each engine's own order is kept, even where its
/// times are not in order.
/// </summary>
internal static class Timeline
{
    public static IEnumerable<UnsignedReading> Weave(IReadOnlyList<IEnumerable<UnsignedReading>> engines)
    {
        var next = new PriorityQueue<IEnumerator<UnsignedReading>, (DateTime MeasuredAt, int Engine)>();
        var open = engines.Select(engine => engine.GetEnumerator()).ToArray();
        try
        {
            for (var i = 0; i < open.Length; i++)
            {
                if (open[i].MoveNext())
                    next.Enqueue(open[i], (open[i].Current.MeasuredAt, i));
            }
            while (next.TryDequeue(out var engine, out var priority))
            {
                yield return engine.Current;
                if (engine.MoveNext())
                    next.Enqueue(engine, (engine.Current.MeasuredAt, priority.Engine));
            }
        }
        finally
        {
            foreach (var engine in open)
                engine.Dispose();
        }
    }

    /// <summary>
    /// What to add to an engine's times so that a replay at <paramref name="speed"/> times real time is as much of now as it can be and no
    /// reading is ever ahead of the clock: at real time or slower it begins now; faster, its last reading is of the moment that it is sent
    /// at.
    /// </summary>
    /// <param name="first">The engine's first time.</param>
    /// <param name="span">From the first reading to the last of the longest recording.</param>
    /// <param name="speed">Null: flat out.</param>
    /// <param name="now">The present, UTC.</param>
    public static TimeSpan ShiftToNow(DateTime first, TimeSpan span, double? speed, DateTime now)
    {
        var lasts = speed is { } times ? span / times : TimeSpan.Zero;
        var begins = lasts < span ? now + lasts - span : now;
        var shift = begins - first;
        // Whole milliseconds, so that times keep their length.
        return new TimeSpan(shift.Ticks - shift.Ticks % TimeSpan.TicksPerMillisecond);
    }
}
