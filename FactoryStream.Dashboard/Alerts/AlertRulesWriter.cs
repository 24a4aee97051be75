using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>Makes, changes and deletes alert rules. What becomes of alerts by that the Aggregator writes, a few seconds later.</summary>
internal sealed class AlertRulesWriter(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>Most rules: each is compared with each engine whose windows close.</summary>
    public const int MaxRules = 500;

    /// <summary>What is said where no more may be made.</summary>
    public static readonly string TooMany = $"There are {MaxRules} rules, the most there may be; delete one first.";

    /// <summary>Makes a rule; null: there are <see cref="MaxRules"/> already.</summary>
    public Task<StoredAlertRule?> AddAsync(AlertRuleSettings settings, CancellationToken cancellation) =>
        WriteAsync(
            $"""
            INSERT INTO factory.alert_rules (name, kind, factory_id, engine_id, metric, comparison, statistic, "limit", duration, severity,
                is_enabled, created_at, updated_at)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12
            WHERE (SELECT count(*) FROM factory.alert_rules) < $13
            RETURNING {AlertRulesReader.Columns}
            """,
            settings,
            MaxRules,
            cancellation
        );

    /// <summary>Changes a rule; null: there is none of this number.</summary>
    public Task<StoredAlertRule?> ChangeAsync(int ruleNo, AlertRuleSettings settings, CancellationToken cancellation) =>
        WriteAsync(
            $"""
            UPDATE factory.alert_rules SET name = $1, kind = $2, factory_id = $3, engine_id = $4, metric = $5, comparison = $6,
                statistic = $7, "limit" = $8, duration = $9, severity = $10, is_enabled = $11, updated_at = $12, version = version + 1
            WHERE rule_no = $13
            RETURNING {AlertRulesReader.Columns}
            """,
            settings,
            ruleNo,
            cancellation
        );

    /// <summary>Deletes a rule; its alerts stay. False: there is none of this number.</summary>
    public async Task<bool> DeleteAsync(int ruleNo, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("DELETE FROM factory.alert_rules WHERE rule_no = $1");
        command.Parameters.AddWithValue(ruleNo);
        return await command.ExecuteNonQueryAsync(cancellation) > 0;
    }

    private async Task<StoredAlertRule?> WriteAsync(string sql, AlertRuleSettings settings, int last, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(sql);
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
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)text ?? DBNull.Value });
        command.Parameters.AddWithValue(settings.Limit);
        command.Parameters.AddWithValue(settings.Duration);
        command.Parameters.AddWithValue(settings.Severity);
        command.Parameters.AddWithValue(settings.IsEnabled);
        command.Parameters.AddWithValue(time.GetUtcNow().UtcDateTime);
        command.Parameters.AddWithValue(last);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? AlertRulesReader.Of(reader) : null;
    }
}
