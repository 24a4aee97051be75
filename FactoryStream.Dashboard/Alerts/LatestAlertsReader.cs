using Npgsql;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>Reads the alerts that are raised now.</summary>
internal sealed class LatestAlertsReader(NpgsqlDataSource database)
{
    /// <summary>More are counted and not listed, so that a flood of alerts costs a page no more than that.</summary>
    public const int MaxAlerts = 500;

    private static readonly string Raised = $"""
        SELECT {AlertsReader.Columns}, count(*) OVER ()
        FROM factory.alerts AS a LEFT JOIN factory.engines USING (engine_no)
        WHERE state = 'raised'
        ORDER BY severity = 'alarm' DESC, raised_at DESC, alert_no DESC
        LIMIT {MaxAlerts}
        """;

    /// <summary>Alarms first, then the newest, and how many there are in all.</summary>
    public async Task<(List<Alert> Raised, long Count)> ReadAsync(CancellationToken cancellation)
    {
        var (raised, count) = (new List<Alert>(), 0L);
        await using var command = database.CreateCommand(Raised);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            raised.Add(AlertsReader.Of(reader));
            count = reader.GetInt64(AlertsReader.ColumnCount);
        }
        return (raised, count);
    }
}
