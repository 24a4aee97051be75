using FactoryStream.Contracts;
using FactoryStream.Dashboard.Alerts;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>A delivery that this Dashboard alone is to send now.</summary>
/// <param name="DeliveryNo">Its number.</param>
/// <param name="WebhookNo">Whose it is.</param>
/// <param name="Attempt">Which attempt this is, from 1; only the newest one's outcome counts.</param>
/// <param name="Tried">Time since the first attempt.</param>
/// <param name="Url">Where to send it.</param>
/// <param name="Secret">What signs it.</param>
/// <param name="Entry">What happened.</param>
/// <param name="Alert">To which alert; null: a test.</param>
internal sealed record DueDelivery(
    long DeliveryNo,
    int WebhookNo,
    int Attempt,
    TimeSpan Tried,
    string Url,
    string Secret,
    AlertHistoryEntry Entry,
    Alert? Alert
);

/// <summary>
/// The outbox, <c>factory.webhook_deliveries</c>: several Dashboards take from it, and each delivery is one's alone until its lease is
/// over. Times are the database's.
/// </summary>
internal sealed class Outbox(NpgsqlDataSource database, IOptions<WebhookOptions> options)
{
    /// <summary>Most deliveries to one webhook at once.</summary>
    public const int MostAtOnce = 4;

    /// <summary>
    /// Takes deliveries that are due, of each webhook a few. Of one alert the oldest alone, so that a webhook hears in order what happened
    /// to it. The attempt is counted, and the lease written, before anything is sent.
    /// </summary>
    /// <param name="busy">Webhooks to which this Dashboard is still sending.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<IReadOnlyList<DueDelivery>> TakeAsync(IReadOnlyCollection<int> busy, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            $"""
            WITH due AS (
                SELECT d.delivery_no, w.url, w.secret
                FROM factory.webhooks AS w CROSS JOIN LATERAL (
                    SELECT delivery_no FROM factory.webhook_deliveries AS p
                    WHERE p.webhook_no = w.webhook_no AND p.state = 'pending' AND p.next_attempt_at <= now()
                        AND NOT EXISTS (
                            SELECT FROM factory.webhook_deliveries AS earlier
                            WHERE earlier.alert_no = p.alert_no AND earlier.webhook_no = p.webhook_no
                                AND earlier.delivery_no < p.delivery_no AND earlier.state = 'pending')
                    ORDER BY p.next_attempt_at, p.delivery_no
                    LIMIT {MostAtOnce}
                    FOR UPDATE SKIP LOCKED) AS d
                WHERE w.is_enabled AND w.webhook_no <> ALL ($1)),
            taken AS (
                UPDATE factory.webhook_deliveries AS d SET attempts = attempts + 1,
                    first_attempt_at = coalesce(first_attempt_at, now()), next_attempt_at = now() + $2
                FROM due WHERE d.delivery_no = due.delivery_no
                RETURNING d.*, due.url, due.secret)
            SELECT alert.*, delivery_no, webhook_no, attempts, now() - first_attempt_at, url, secret, coalesce(e.event, 'test'),
                coalesce(e.recorded_at, created_at), window_start, window_end, e.value, e.by, e.comment
            FROM taken LEFT JOIN factory.alert_events AS e USING (event_no)
                LEFT JOIN (SELECT {AlertsReader.Columns} FROM factory.alerts AS a LEFT JOIN factory.engines USING (engine_no)) AS alert
                    ON alert.alert_no = taken.alert_no
            ORDER BY delivery_no
            """
        );
        command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer, Value = (int[])[.. busy] });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = options.Value.Lease });
        var due = new List<DueDelivery>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            due.Add(Of(reader));
        return due;
    }

    /// <summary>Writes what came of an attempt, unless another attempt has begun since.</summary>
    /// <param name="delivery">What was sent.</param>
    /// <param name="outcome">What came of it.</param>
    /// <param name="pause">Until the next attempt, where this one failed; null: there is none, it is dead.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task WriteAsync(DueDelivery delivery, AttemptOutcome outcome, TimeSpan? pause, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            UPDATE factory.webhook_deliveries SET last_status = $3, last_error = $4, next_attempt_at = now() + coalesce($5, '0'),
                state = CASE WHEN $4 IS NULL THEN 'delivered' WHEN $5 IS NULL THEN 'dead' ELSE 'pending' END,
                delivered_at = CASE WHEN $4 IS NULL THEN now() END
            WHERE delivery_no = $1 AND attempts = $2 AND state = 'pending'
            """
        );
        command.Parameters.AddWithValue(delivery.DeliveryNo);
        command.Parameters.AddWithValue(delivery.Attempt);
        command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Integer, outcome.Status));
        command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Text, StorableText.Of(outcome.Error)));
        command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Interval, pause));
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>How old the oldest delivery is that is pending for a webhook that is turned on; zero: none is.</summary>
    public async Task<TimeSpan> PendingAgeAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            SELECT coalesce(now() - min(d.created_at), '0')
            FROM factory.webhook_deliveries AS d JOIN factory.webhooks USING (webhook_no)
            WHERE state = 'pending' AND is_enabled
            """
        );
        return (TimeSpan)(await command.ExecuteScalarAsync(cancellation))!;
    }

    private static DueDelivery Of(NpgsqlDataReader reader)
    {
        const int First = AlertsReader.ColumnCount;
        return new(
            reader.GetInt64(First),
            reader.GetInt32(First + 1),
            reader.GetInt32(First + 2),
            reader.GetFieldValue<TimeSpan>(First + 3),
            reader.GetString(First + 4),
            reader.GetString(First + 5),
            AlertsReader.EntryOf(reader, First + 6),
            reader.IsDBNull(0) ? null : AlertsReader.Of(reader)
        );
    }
}
