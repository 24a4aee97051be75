using Npgsql;

namespace FactoryStream.Storage;

/// <summary>Alerts are kept until they have been over for long; one that is raised stays, however old it is.</summary>
public static class AlertRetention
{
    /// <summary>
    /// Drops some of the oldest alerts that are over, with their events and deliveries, and old deliveries of tests. What counts is when
    /// the newest event was recorded, not event time: last year's alerts of a replay are as new as the replay.
    /// </summary>
    /// <param name="connection">Open, in no transaction.</param>
    /// <param name="since">What was recorded from this moment on stays, UTC.</param>
    /// <param name="most">How many alerts at most.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>How many alerts; 0: none is left.</returns>
    public static async Task<long> DropAsync(NpgsqlConnection connection, DateTime since, int most, CancellationToken cancellation)
    {
        await using var drop = new NpgsqlCommand(
            """
            WITH old AS (
                SELECT alert_no FROM factory.alerts AS a
                WHERE state <> 'raised' AND raised_recorded_at < $1
                    AND NOT EXISTS (SELECT FROM factory.alert_events AS e WHERE e.alert_no = a.alert_no AND e.recorded_at >= $1)
                ORDER BY alert_no LIMIT $2 FOR UPDATE SKIP LOCKED),
            gone AS (DELETE FROM factory.alerts AS a USING old WHERE a.alert_no = old.alert_no RETURNING a.alert_no),
            events AS (DELETE FROM factory.alert_events AS e USING gone WHERE e.alert_no = gone.alert_no),
            deliveries AS (
                DELETE FROM factory.webhook_deliveries AS d USING gone WHERE d.alert_no = gone.alert_no),
            tests AS (DELETE FROM factory.webhook_deliveries WHERE alert_no IS NULL AND created_at < $1)
            SELECT count(*) FROM gone
            """,
            connection
        );
        drop.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = since });
        drop.Parameters.Add(new NpgsqlParameter<int> { TypedValue = most });
        return (long)(await drop.ExecuteScalarAsync(cancellation))!;
    }
}
