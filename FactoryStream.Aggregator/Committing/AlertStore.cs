using FactoryStream.Aggregator.Alerts;
using FactoryStream.Aggregator.Maintenance;
using FactoryStream.Aggregator.Windowing;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator.Committing;

/// <summary>
/// The alerts of a transaction: rules are evaluated by the windows that it wrote and those that are stored around them. Where no rule is
/// turned on, nothing is done.
/// </summary>
internal sealed class AlertStore(AlertRuleDirectory directory, WindowingRules windowing)
{
    /// <summary>
    /// A correction of a window that is older than its engine's newest by more than this changes no alert: the windows from there on are
    /// read again.
    /// </summary>
    private static readonly TimeSpan CorrectionHorizon = TimeSpan.FromHours(1);

    // Only raised alerts are wanted of an engine without a window that decides.
    private static readonly DateTime Never = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);

    private List<AlertChange> changes = [];

    /// <summary>What the last <see cref="WriteAsync"/> has written.</summary>
    public IReadOnlyList<AlertChange> Changes => changes;

    /// <summary>Writes what changes about the alerts of engines whose windows the transaction wrote.</summary>
    /// <param name="connection">The connection of the transaction, which has written the windows and when they were written.</param>
    /// <param name="windows">What it wrote.</param>
    /// <param name="now">The wall clock's time, UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task WriteAsync(NpgsqlConnection connection, WindowStore windows, DateTime now, CancellationToken cancellation)
    {
        changes = [];
        var rules = directory.Current;
        if (rules.Count == 0 || !windows.HasChanges)
            return;
        var engines = Engines(rules, windows);
        if (engines.Count == 0)
            return;
        var alerts = (
            await AlertReader.AlertsAsync(
                connection,
                [.. engines.Select(engine => (engine.Engine.EngineNo, engine.From ?? Never))],
                cancellation
            )
        ).ToLookup(alert => (alert.EngineNo, alert.RuleNo));
        var pairs = new List<(EngineChanges Engine, AlertRule Rule, DateTime From)>();
        foreach (var engine in engines)
        {
            foreach (var rule in engine.Rules)
            {
                var known = alerts[(engine.Engine.EngineNo, rule.RuleNo)];
                if (rule.Kind == AlertKind.Silence)
                    changes.AddRange(known.Where(alert => alert.ClearedAt is null).Select(alert => AlertEvaluation.OfResumed(alert, now)));
                else if (rule.IsOfWindows && engine.From is { } from && (known.Any() || engine.MayBreak(rule)))
                    pairs.Add((engine, rule, from));
            }
        }
        if (pairs.Count > 0)
        {
            var stored = await AlertReader.WindowsAsync(connection, Wanted(pairs), cancellation);
            foreach (var (engine, rule, from) in pairs)
            {
                changes.AddRange(
                    AlertEvaluation.OfWindows(
                        rule,
                        engine.Engine.FactoryId,
                        engine.Engine.EngineNo,
                        [.. stored[(engine.Engine.EngineNo, rule.Metric!)]],
                        from,
                        alerts[(engine.Engine.EngineNo, rule.RuleNo)]
                    )
                );
            }
        }
        if (changes.Count == 0)
            return;
        await connection.ExecuteAsync(AlertStatements.Write(changes, now), cancellation);
    }

    /// <summary>Each engine and metric once, from before the first window on that a rule needs.</summary>
    private (int EngineNo, string Metric, DateTime Since)[] Wanted(List<(EngineChanges Engine, AlertRule Rule, DateTime From)> pairs) =>
        [
            .. pairs
                .GroupBy(pair => (pair.Engine.Engine.EngineNo, Metric: pair.Rule.Metric!))
                .Select(group =>
                    (group.Key.EngineNo, group.Key.Metric, group.Min(pair => pair.From - pair.Rule.Duration.Add(new(windowing.Length))))
                ),
        ];

    private List<EngineChanges> Engines(IReadOnlyList<AlertRule> rules, WindowStore windows)
    {
        var engines = new Dictionary<TrackedEngine, EngineChanges>();
        foreach (var engine in windows.Changed)
        {
            AlertRule[] applying = [.. rules.Where(rule => rule.AppliesTo(engine.FactoryId, engine.EngineId))];
            if (applying.Length > 0)
                engines.Add(engine, new(engine, applying));
        }
        foreach (var window in windows.Written)
        {
            if (!engines.TryGetValue(window.Engine, out var engine))
                continue;
            if (
                window.IsCorrection
                && window.Start + windowing.Length + CorrectionHorizon.Ticks < engine.Engine.Windows.ClosedUntil(windowing)
            )
                continue;
            engine.Add(window, windowing.Length);
        }
        return [.. engines.Values];
    }

    /// <summary>What a transaction wrote of an engine's windows.</summary>
    private sealed class EngineChanges(TrackedEngine engine, AlertRule[] rules)
    {
        private readonly List<(string Metric, AlertWindow Window)> closed = [];
        private bool isCorrected;

        public TrackedEngine Engine { get; } = engine;

        public AlertRule[] Rules { get; } = rules;

        /// <summary>The start of the first of its windows; null: none that decides anything.</summary>
        public DateTime? From { get; private set; }

        public void Add(in WrittenWindow written, long length)
        {
            DateTime start = new(written.Start, DateTimeKind.Utc),
                end = new(written.Start + length, DateTimeKind.Utc);
            if (From is not { } from || start < from)
                From = start;
            isCorrected |= written.IsCorrection;
            foreach (var totals in written.Totals)
                closed.Add((totals.Metric, new(start, end, totals.Sum / totals.Count, totals.Min, totals.Max)));
        }

        /// <summary>
        /// Whether stored windows must be looked at, though there is no alert: most windows that close break no threshold, and then nothing
        /// is to be read.
        /// </summary>
        public bool MayBreak(AlertRule rule) =>
            isCorrected
            || rule.Kind != AlertKind.Threshold
            || closed.Exists(entry =>
                entry.Metric == rule.Metric && AlertValues.Of(rule, entry.Window, null) is { } value && rule.IsBrokenBy(value)
            );
    }
}
