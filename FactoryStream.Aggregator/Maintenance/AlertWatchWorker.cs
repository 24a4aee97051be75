using FactoryStream.Aggregator.Alerts;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator.Maintenance;

/// <summary>
/// Reads the alert rules anew, and evaluates those that the clock decides: silence and rejections. Every replica has one; the database lets
/// one work at a time, and one rule and engine has one raised alert, whoever raises it.
/// </summary>
internal sealed class AlertWatchWorker(
    NpgsqlDataSource database,
    AlertRuleDirectory rules,
    AggregatorMetrics metrics,
    TimeProvider time,
    AggregatorLog log
) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        DatabaseWork.RepeatAsync(RunAsync, Period, reason => log.AlertWatchFailed(Period.TotalSeconds, reason), time, stoppingToken);

    /// <summary>Reads the rules, and evaluates those that the clock decides.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await rules.LoadAsync(cancellation);
        // A transaction for each rule: each locks its engines in their order, as a commit does, so that neither waits for the other for
        // ever.
        await WriteAsync(null, cancellation);
        foreach (var rule in rules.Current)
        {
            if (!rule.IsOfWindows)
                await WriteAsync(rule, cancellation);
        }
    }

    /// <summary>Writes what changes by a rule; null: what changes because rules are gone.</summary>
    private async Task WriteAsync(AlertRule? rule, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using (var alone = new NpgsqlCommand("SELECT pg_try_advisory_xact_lock(hashtext('factory.alerts'))", connection))
        {
            if (await alone.ExecuteScalarAsync(cancellation) is not true)
                return;
        }
        var now = time.GetUtcNow().UtcDateTime;
        var changes = rule is null ? [] : await ChangesAsync(connection, rule, now, cancellation);
        var write = AlertStatements.Write(changes, now);
        await connection.ExecuteAsync(rule is null ? write.Prepend(AlertStatements.ClearWithoutRule(now)) : write, cancellation);
        await transaction.CommitAsync(cancellation);
        metrics.CountAlertEvents(changes);
    }

    private static async Task<List<AlertChange>> ChangesAsync(
        NpgsqlConnection connection,
        AlertRule rule,
        DateTime now,
        CancellationToken cancellation
    )
    {
        if (rule.Kind == AlertKind.Rejections)
        {
            var raised = await AlertReader.FactoryAlertsAsync(connection, rule, cancellation);
            var counts = await AlertReader.RejectionsAsync(connection, rule, now, cancellation);
            return [.. AlertEvaluation.OfRejections(rule, counts, raised, now)];
        }
        return
        [
            .. (await AlertReader.StoppedAsync(connection, rule, now, cancellation))
                .Select(engine => AlertEvaluation.OfStopped(rule, engine.FactoryId, engine.EngineNo, engine.WrittenAt, now))
                .OfType<AlertChange>(),
        ];
    }
}
