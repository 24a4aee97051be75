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

    private readonly TimeSpan length = new(windowing.Length);
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
        AnomalyStore.Forget(rules, windows);
        if (rules.Count == 0 || !windows.HasChanges)
            return;
        var engines = Engines(rules, windows);
        if (engines.Count == 0)
            return;
        await AnomalyStore.ReadAsync(connection, engines, length, cancellation);
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
        var stored = await AlertReader.WindowsAsync(connection, Wanted(pairs), cancellation);
        foreach (var (engine, rule, from) in pairs)
        {
            changes.AddRange(
                AlertEvaluation.OfWindows(
                    rule,
                    engine.Engine.FactoryId,
                    engine.Engine.EngineNo,
                    rule.Metric is { } metric
                        ? [.. stored[(engine.Engine.EngineNo, metric)]]
                        : AnomalyStore.Scores(engine, EngineChanges.EvaluatedFrom(from, rule.Duration, length)),
                    from,
                    alerts[(engine.Engine.EngineNo, rule.RuleNo)]
                )
            );
        }
        if (changes.Count == 0)
            return;
        await connection.ExecuteAsync(AlertStatements.Write(changes, now), cancellation);
    }

    /// <summary>Each engine and metric once, from before the first window on that a rule needs.</summary>
    private (int EngineNo, string Metric, DateTime Since)[] Wanted(List<(EngineChanges Engine, AlertRule Rule, DateTime From)> pairs) =>
        [
            .. pairs
                .Where(pair => pair.Rule.Metric is not null)
                .GroupBy(pair => (pair.Engine.Engine.EngineNo, Metric: pair.Rule.Metric!))
                .Select(group =>
                    (
                        group.Key.EngineNo,
                        group.Key.Metric,
                        group.Min(pair => EngineChanges.EvaluatedFrom(pair.From, pair.Rule.Duration, length))
                    )
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
}
