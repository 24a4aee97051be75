using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Alerts;

/// <summary>What changes about the alerts of one rule and engine, or of one rule and its factories.</summary>
internal static class AlertEvaluation
{
    /// <summary>By closed windows: of a threshold, a rate of change or an anomaly score.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="factoryId">The engine's factory.</param>
    /// <param name="engineNo">The engine's number.</param>
    /// <param name="windows">
    /// Its windows with the rule's metric or a score, in the order of their time: those from <paramref name="from"/> on, and before them
    /// for as long as the rule's duration and a window more.
    /// </param>
    /// <param name="from">The start of the first window that is new or was corrected.</param>
    /// <param name="stored">
    /// The alerts of rule and engine that were not cleared before <paramref name="from"/>, in the order of their time.
    /// </param>
    public static IEnumerable<AlertChange> OfWindows(
        AlertRule rule,
        string factoryId,
        int engineNo,
        IReadOnlyList<AlertWindow> windows,
        DateTime from,
        IEnumerable<StoredAlert> stored
    )
    {
        if (windows.Count == 0 || windows[^1].Start < from)
            yield break;
        var remaining = stored.Where(alert => alert.ClearedAt is not { } cleared || cleared > from).ToList();
        var spans = Spans(rule, windows, from, remaining.Find(alert => alert.RaisedAt <= from));
        // What a correction is decided by: the window that was corrected.
        var corrected = windows.FirstOrDefault(window => window.Start >= from);
        foreach (var span in spans)
        {
            var same = remaining.Find(alert => Overlap(alert, span));
            if (same is null)
            {
                yield return new(AlertEvent.Raised, rule.RuleNo, factoryId, engineNo, null, span, span.Raised);
                continue;
            }
            remaining.Remove(same);
            var isRaisedAlike = same.RaisedAt == span.Raised.At && same.Value.Equals(span.Raised.Value);
            if (isRaisedAlike && same.ClearedAt == span.Cleared?.At)
                continue;
            if (isRaisedAlike && same.ClearedAt is null && span.Cleared is { } cleared)
                yield return Change(AlertEvent.Cleared, same, span, cleared);
            else
                yield return Change(AlertEvent.Changed, same, span, new(corrected.Start, corrected.End, span.Raised.Value));
        }
        foreach (var alert in remaining)
        {
            yield return Change(
                AlertEvent.Withdrawn,
                alert,
                new(new(null, alert.RaisedAt, alert.Value), alert.ClearedAt is { } at ? new(null, at, null) : null),
                new(corrected.Start, corrected.End, null)
            );
        }
    }

    /// <summary>By the clock: windows of an engine have stopped.</summary>
    /// <param name="rule">A rule of silence.</param>
    /// <param name="factoryId">The engine's factory.</param>
    /// <param name="engineNo">The engine's number.</param>
    /// <param name="writtenAt">When its windows were last written, by the wall clock.</param>
    /// <param name="now">The wall clock's time.</param>
    /// <returns>The alert to raise; null: the windows have not stopped for long enough.</returns>
    public static AlertChange? OfStopped(AlertRule rule, string factoryId, int engineNo, DateTime writtenAt, DateTime now)
    {
        if (now - writtenAt <= rule.Duration)
            return null;
        var moment = new AlertMoment(null, writtenAt + rule.Duration, rule.Duration.TotalSeconds);
        return new(AlertEvent.Raised, rule.RuleNo, factoryId, engineNo, null, new(moment, null), moment);
    }

    /// <summary>The windows of an engine go on.</summary>
    /// <param name="alert">A raised alert of silence.</param>
    /// <param name="now">The wall clock's time.</param>
    public static AlertChange OfResumed(StoredAlert alert, DateTime now) => Clear(alert, new(null, now, null));

    /// <summary>By the clock: how many lines of factories were rejected of late.</summary>
    /// <param name="rule">A rule of rejections.</param>
    /// <param name="counts">How many lines, by factory.</param>
    /// <param name="raised">The rule's raised alerts.</param>
    /// <param name="now">The wall clock's time.</param>
    public static IEnumerable<AlertChange> OfRejections(
        AlertRule rule,
        IReadOnlyDictionary<string, long> counts,
        IReadOnlyCollection<StoredAlert> raised,
        DateTime now
    )
    {
        foreach (var alert in raised)
        {
            if (counts.GetValueOrDefault(alert.FactoryId) is var count && count <= rule.Limit)
                yield return Clear(alert, new(null, now, count));
        }
        foreach (var (factoryId, count) in counts)
        {
            if (count <= rule.Limit || raised.Any(alert => alert.FactoryId == factoryId))
                continue;
            var moment = new AlertMoment(null, now, count);
            yield return new(AlertEvent.Raised, rule.RuleNo, factoryId, null, null, new(moment, null), moment);
        }
    }

    /// <summary>From when to when the rule is broken, as far as the windows say.</summary>
    private static List<AlertSpan> Spans(AlertRule rule, IReadOnlyList<AlertWindow> windows, DateTime from, StoredAlert? raised)
    {
        var spans = new List<AlertSpan>();
        AlertMoment? open = raised is null ? null : new(null, raised.RaisedAt, raised.Value);
        DateTime? brokenSince = null;
        AlertWindow? before = null;
        foreach (var window in windows)
        {
            if (before is not { } previous || previous.End != window.Start)
                (before, brokenSince) = (null, null);
            var value = AlertValues.Of(rule, window, before);
            before = window;
            if (value is not { } known || !rule.IsBrokenBy(known))
                brokenSince = null;
            else
                brokenSince ??= window.Start;
            if (window.Start < from || value is not { } decisive)
                continue;
            var moment = new AlertMoment(window.Start, window.End, decisive);
            if (open is { } since && brokenSince is null)
            {
                spans.Add(new(since, moment));
                open = null;
            }
            else if (open is null && window.End - brokenSince >= rule.Duration)
                open = moment;
        }
        if (open is { } still)
            spans.Add(new(still, null));
        return spans;
    }

    private static bool Overlap(StoredAlert alert, in AlertSpan span) =>
        (span.Cleared is not { } cleared || alert.RaisedAt < cleared.At) && (alert.ClearedAt is not { } at || span.Raised.At < at);

    private static AlertChange Clear(StoredAlert alert, in AlertMoment cleared) =>
        Change(AlertEvent.Cleared, alert, new(new(null, alert.RaisedAt, alert.Value), cleared), cleared);

    private static AlertChange Change(AlertEvent what, StoredAlert alert, in AlertSpan span, in AlertMoment decided) =>
        new(what, alert.RuleNo, alert.FactoryId, alert.EngineNo, alert, span, decided);
}
