using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>What became of an acknowledgement.</summary>
internal enum Acknowledged
{
    /// <summary>It is written.</summary>
    Now,

    /// <summary>Somebody has acknowledged the alert before.</summary>
    Before,

    /// <summary>There is no such alert.</summary>
    NoAlert,
}

/// <summary>Writes who took note of an alert: once, and into its history.</summary>
internal sealed class AcknowledgementWriter(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>Longest comment, in characters.</summary>
    public const int MaxComment = 1_000;

    /// <summary>Longest name of who acknowledges, in characters.</summary>
    public const int MaxName = 128;

    public async Task<Acknowledged> WriteAsync(long alertNo, string by, string? comment, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            WITH acknowledged AS (
                UPDATE factory.alerts SET acknowledged_by = $2, acknowledged_at = $3, acknowledged_comment = $4
                WHERE alert_no = $1 AND acknowledged_at IS NULL
                RETURNING alert_no),
            written AS (
                INSERT INTO factory.alert_events (alert_no, event, recorded_at, by, comment)
                SELECT alert_no, 'acknowledged', $3, $2, $4 FROM acknowledged)
            SELECT (SELECT count(*) FROM acknowledged), (SELECT count(*) FROM factory.alerts WHERE alert_no = $1)
            """
        );
        command.Parameters.AddWithValue(alertNo);
        command.Parameters.AddWithValue(by);
        command.Parameters.AddWithValue(time.GetUtcNow().UtcDateTime);
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)comment ?? DBNull.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return reader.GetInt64(0) > 0 ? Acknowledged.Now
            : reader.GetInt64(1) > 0 ? Acknowledged.Before
            : Acknowledged.NoAlert;
    }
}
