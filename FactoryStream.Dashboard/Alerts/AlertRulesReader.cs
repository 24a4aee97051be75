using Npgsql;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>Reads the alert rules.</summary>
internal sealed class AlertRulesReader(TimedSearch search)
{
    internal const string Columns = """
        rule_no, version, created_at, updated_at, name, kind, factory_id, engine_id, metric, comparison, statistic, "limit", duration,
        severity, is_enabled
        """;

    private const string Advice = "Try again later.";

    /// <summary>All rules, by their number.</summary>
    public Task<List<StoredAlertRule>> ReadAsync(CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand($"SELECT {Columns} FROM factory.alert_rules ORDER BY rule_no", connection);
                var rules = new List<StoredAlertRule>();
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                while (await reader.ReadAsync(cancellation))
                    rules.Add(Of(reader));
                return rules;
            },
            Advice,
            cancellation
        );

    internal static StoredAlertRule Of(NpgsqlDataReader reader) =>
        new(
            reader.GetInt32(0),
            reader.GetInt32(1),
            reader.GetDateTime(2),
            reader.GetDateTime(3),
            new(
                reader.GetString(4),
                reader.GetString(5),
                reader.IsDBNull(6) ? null : reader.GetString(6),
                reader.IsDBNull(7) ? null : reader.GetString(7),
                reader.IsDBNull(8) ? null : reader.GetString(8),
                reader.GetString(9),
                reader.GetString(10),
                reader.GetDouble(11),
                reader.GetInt32(12),
                reader.GetString(13),
                reader.GetBoolean(14)
            )
        );
}
