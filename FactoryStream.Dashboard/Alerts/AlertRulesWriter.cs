using System.Globalization;
using FactoryStream.Dashboard.AuditEvents;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>
/// Makes, changes and deletes alert rules, with the audit event of it. What becomes of alerts by that the Aggregator writes, a few
/// seconds later.
/// </summary>
internal sealed class AlertRulesWriter(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>Most rules: each is compared with each engine whose windows close.</summary>
    public const int MaxRules = 500;

    /// <summary>What is said where no more may be made.</summary>
    public static readonly string TooMany = $"There are {MaxRules} rules, the most there may be; delete one first.";

    /// <summary>Makes a rule; null: there are <see cref="MaxRules"/> already.</summary>
    public async Task<StoredAlertRule?> AddAsync(AlertRuleSettings settings, Actor actor, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            $"""
            WITH written AS (
                INSERT INTO factory.alert_rules (name, kind, factory_id, engine_id, metric, comparison, statistic, "limit", duration,
                    severity, is_enabled, created_at, updated_at)
                SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12
                WHERE (SELECT count(*) FROM factory.alert_rules) < {MaxRules}
                RETURNING *),
            {Audited("alert_rule_made", who: 13)}
            SELECT {AlertRulesReader.Columns} FROM written
            """
        );
        Add(command, settings);
        Add(command, actor);
        return await WrittenAsync(command, cancellation);
    }

    /// <summary>Changes a rule.</summary>
    /// <param name="ruleNo">Its number.</param>
    /// <param name="settings">What it says from now on.</param>
    /// <param name="version">The version that is changed; null: whichever.</param>
    /// <param name="actor">Who changes it.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<RowChange<StoredAlertRule>> ChangeAsync(
        int ruleNo,
        AlertRuleSettings settings,
        int? version,
        Actor actor,
        CancellationToken cancellation
    )
    {
        await using var command = database.CreateCommand(
            $"""
            WITH written AS (
                UPDATE factory.alert_rules SET name = $1, kind = $2, factory_id = $3, engine_id = $4, metric = $5, comparison = $6,
                    statistic = $7, "limit" = $8, duration = $9, severity = $10, is_enabled = $11, updated_at = $12, version = version + 1
                WHERE rule_no = $13 AND version = coalesce($14, version)
                RETURNING *),
            {Audited("alert_rule_changed", who: 15)}
            SELECT {AlertRulesReader.Columns} FROM written
            """
        );
        Add(command, settings);
        command.Parameters.AddWithValue(ruleNo);
        command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Integer, version));
        Add(command, actor);
        if (await WrittenAsync(command, cancellation) is { } rule)
            return new(rule, IsOther: false);
        await using var exists = database.CreateCommand("SELECT count(*) FROM factory.alert_rules WHERE rule_no = $1");
        exists.Parameters.AddWithValue(ruleNo);
        return new(null, await exists.ExecuteScalarAsync(cancellation) is > 0L);
    }

    /// <summary>Deletes a rule; its alerts stay. False: there is none of this number.</summary>
    public async Task<bool> DeleteAsync(int ruleNo, Actor actor, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            $"""
            WITH written AS (DELETE FROM factory.alert_rules WHERE rule_no = $1 RETURNING *),
            {Audited("alert_rule_deleted", who: 2)}
            SELECT {AlertRulesReader.Columns} FROM written
            """
        );
        command.Parameters.AddWithValue(ruleNo);
        Add(command, actor);
        return await WrittenAsync(command, cancellation) is not null;
    }

    /// <summary>The audit event of what the statement has written, with who did it in two parameters.</summary>
    private static string Audited(string action, int who) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"""
            audited AS (
                INSERT INTO factory.audit_events (who, role, action, subject, detail)
                SELECT ${who}, ${who + 1}, '{action}', rule_no,
                    concat_ws(', ', name, kind, factory_id, engine_id, metric, comparison, "limit", severity,
                        CASE WHEN NOT is_enabled THEN 'turned off' END)
                FROM written)
            """
        );

    private static async Task<StoredAlertRule?> WrittenAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? AlertRulesReader.Of(reader) : null;
    }

    private void Add(NpgsqlCommand command, AlertRuleSettings settings)
    {
        foreach (
            var text in (string?[])
                [
                    settings.Name,
                    settings.Kind,
                    settings.FactoryId,
                    settings.EngineId,
                    settings.Metric,
                    settings.Comparison,
                    settings.Statistic,
                ]
        )
            command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Text, text));
        command.Parameters.AddWithValue(settings.Limit);
        command.Parameters.AddWithValue(settings.Duration);
        command.Parameters.AddWithValue(settings.Severity);
        command.Parameters.AddWithValue(settings.IsEnabled);
        command.Parameters.AddWithValue(time.GetUtcNow().UtcDateTime);
    }

    private static void Add(NpgsqlCommand command, Actor actor)
    {
        command.Parameters.AddWithValue(actor.Who);
        command.Parameters.AddWithValue(actor.Role);
    }
}
