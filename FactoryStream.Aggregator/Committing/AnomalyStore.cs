using FactoryStream.Aggregator.Anomalies;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator.Committing;

/// <summary>
/// Keeps the past windows of engines with an anomaly rule, a cache of what is stored: read once, with each window that closes added in the
/// transaction that writes it, and read anew after a correction. A failed transaction leaves it unusable like all other state.
/// </summary>
internal static class AnomalyStore
{
    /// <summary>
    /// Forgets what is no longer what is stored: an engine's late readings have changed it, or no rule needs it and what closes now is
    /// not added.
    /// </summary>
    /// <param name="rules">The rules that are turned on.</param>
    /// <param name="windows">What the transaction wrote.</param>
    public static void Forget(IReadOnlyList<AlertRule> rules, WindowStore windows)
    {
        foreach (var engine in windows.Changed)
        {
            if (engine.Past is not null && !rules.Any(rule => IsOf(rule, engine)))
                engine.Past = null;
        }
        foreach (var window in windows.Written)
        {
            if (window.IsCorrection)
                window.Engine.Past = null;
        }
    }

    /// <summary>Brings the past windows of engines with an anomaly rule to what is stored, written windows included.</summary>
    /// <param name="connection">The connection of the transaction, which has written the windows.</param>
    /// <param name="engines">What it wrote of each.</param>
    /// <param name="length">A window's length.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task ReadAsync(
        NpgsqlConnection connection,
        IReadOnlyList<EngineChanges> engines,
        TimeSpan length,
        CancellationToken cancellation
    )
    {
        var unknown = new Dictionary<int, PastWindows>();
        foreach (var engine in engines)
        {
            if (engine.PastFrom(length) is not { } since)
                continue;
            if (engine.Engine.Past is { } past && past.Since <= since)
            {
                engine.AddToPast(past);
                past.Forget(since);
            }
            else
            {
                unknown.Add(engine.Engine.EngineNo, engine.Engine.Past = new(since));
            }
        }
        if (unknown.Count == 0)
            return;
        var wanted = unknown.Select(engine => (engine.Key, engine.Value.Since)).ToArray();
        await foreach (var window in WindowStatements.ReadFromAsync(connection, wanted, cancellation))
        {
            unknown[window.EngineNo]
                .Add(window.WindowStart, window.WindowEnd, window.Metrics.Select(metric => (metric.Metric, metric.Sum / metric.Count)));
        }
    }

    /// <summary>The scores of an engine's windows from a time on, as the windows that an anomaly rule is evaluated by.</summary>
    public static List<AlertWindow> Scores(EngineChanges engine, DateTime from) =>
        [
            .. engine
                .Engine.Past!.ScoresFrom(from)
                .Select(window => new AlertWindow(window.Start, window.End, window.Score, window.Score, window.Score)),
        ];

    private static bool IsOf(AlertRule rule, TrackedEngine engine) =>
        rule.Kind == AlertKind.Anomaly && rule.AppliesTo(engine.FactoryId, engine.EngineId);
}
