using FactoryStream.Aggregator.Alerts;
using FactoryStream.Aggregator.Anomalies;
using FactoryStream.Contracts;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Committing;

/// <summary>What a transaction wrote of the windows of an engine, and the rules of it.</summary>
internal sealed class EngineChanges(TrackedEngine engine, AlertRule[] rules)
{
    private readonly List<(DateTime Start, DateTime End, List<MetricTotals> Totals)> windows = [];
    private bool isCorrected;

    public TrackedEngine Engine { get; } = engine;

    public AlertRule[] Rules { get; } = rules;

    /// <summary>The start of the first of its windows; null: none that decides anything.</summary>
    public DateTime? From { get; private set; }

    /// <summary>From when on its past windows must be known for the rules of the kind anomaly; null: not at all.</summary>
    /// <param name="length">A window's length.</param>
    public DateTime? PastFrom(TimeSpan length)
    {
        if (From is not { } from || !Rules.Any(IsOfAnomaly))
            return null;
        return EvaluatedFrom(from, Rules.Where(IsOfAnomaly).Max(rule => rule.Duration), length) - AnomalyRules.LearnedTime;
    }

    /// <summary>From when on windows are looked at for a rule: for its duration and a window more before the first that decides.</summary>
    /// <param name="from">The start of the first window that decides.</param>
    /// <param name="duration">The rule's duration.</param>
    /// <param name="length">A window's length.</param>
    public static DateTime EvaluatedFrom(DateTime from, TimeSpan duration, TimeSpan length) => from - duration - length;

    public void Add(in WrittenWindow written, long length)
    {
        DateTime start = new(written.Start, DateTimeKind.Utc),
            end = new(written.Start + length, DateTimeKind.Utc);
        if (From is not { } from || start < from)
            From = start;
        isCorrected |= written.IsCorrection;
        windows.Add((start, end, written.Totals));
    }

    /// <summary>Adds the windows to the engine's past ones, which have all that were stored before.</summary>
    public void AddToPast(PastWindows past)
    {
        foreach (var (start, end, totals) in windows)
            past.Add(start, end, totals.Select(metric => (metric.Metric, metric.Sum / metric.Count)));
    }

    /// <summary>
    /// Whether stored windows must be looked at, though there is no alert: most windows that close break no limit, and then nothing is
    /// to be read.
    /// </summary>
    public bool MayBreak(AlertRule rule) =>
        isCorrected
        || rule.Kind switch
        {
            AlertKind.Threshold => windows.Exists(window =>
                window.Totals.Exists(totals =>
                    totals.Metric == rule.Metric
                    && AlertValues.Of(rule, WindowOf(window.Start, window.End, totals), null) is { } value
                    && rule.IsBrokenBy(value)
                )
            ),
            AlertKind.Anomaly => Engine.Past is { } past
                && From is { } from
                && past.ScoresFrom(from).Any(window => rule.IsBrokenBy(window.Score)),
            _ => true,
        };

    private static bool IsOfAnomaly(AlertRule rule) => rule.Kind == AlertKind.Anomaly;

    private static AlertWindow WindowOf(DateTime start, DateTime end, in MetricTotals totals) =>
        new(start, end, totals.Sum / totals.Count, totals.Min, totals.Max);
}
