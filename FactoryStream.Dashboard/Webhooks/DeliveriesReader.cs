using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>Reads what was, or is to be, delivered to a webhook, the newest first.</summary>
internal sealed class DeliveriesReader(TimedSearch search)
{
    /// <summary>Deliveries of a page when nobody says how many.</summary>
    public const int DefaultLimit = 50;

    /// <summary>What a delivery may be.</summary>
    public static readonly IReadOnlyList<string> States = ["pending", "delivered", "dead"];

    private const string Advice = "Ask for fewer by limit.";

    /// <summary>A page of deliveries; null: there is no such webhook.</summary>
    /// <param name="webhookNo">The webhook's number.</param>
    /// <param name="state">Only those in this state; null: all.</param>
    /// <param name="before">Only those with a lower number; null: all.</param>
    /// <param name="limit">Most deliveries of the page.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public Task<DeliveriesResponse?> ReadAsync(int webhookNo, string? state, long? before, int limit, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var known = new NpgsqlCommand("SELECT FROM factory.webhooks WHERE webhook_no = $1", connection);
                known.Parameters.AddWithValue(webhookNo);
                await using (var found = await known.ExecuteReaderAsync(cancellation))
                {
                    if (!found.HasRows)
                        return null;
                }
                await using var command = new NpgsqlCommand(
                    """
                    SELECT delivery_no, d.alert_no, coalesce(event, 'test'), state, attempts, created_at, next_attempt_at, last_status,
                        last_error, delivered_at
                    FROM factory.webhook_deliveries AS d LEFT JOIN factory.alert_events USING (event_no)
                    WHERE webhook_no = $1 AND delivery_no < $2 AND ($3::text IS NULL OR state = $3)
                    ORDER BY delivery_no DESC LIMIT $4
                    """,
                    connection
                );
                command.Parameters.AddWithValue(webhookNo);
                command.Parameters.AddWithValue(before ?? long.MaxValue);
                command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Text, state));
                // One more tells whether there are more.
                command.Parameters.AddWithValue(limit + 1);
                var (deliveries, isMore) = await command.ReadPageAsync(limit, Of, cancellation);
                var next = isMore ? CursorText.OfNumber(deliveries[^1].DeliveryNo) : null;
                return new DeliveriesResponse(deliveries, next);
            },
            Advice,
            cancellation
        );

    private static Delivery Of(NpgsqlDataReader reader)
    {
        var state = reader.GetString(3);
        return new(
            reader.GetInt64(0),
            reader.IsDBNull(1) ? null : reader.GetInt64(1),
            reader.GetString(2),
            state,
            reader.GetInt32(4),
            reader.GetDateTime(5),
            state == "pending" ? reader.GetDateTime(6) : null,
            reader.IsDBNull(7) ? null : reader.GetInt32(7),
            reader.IsDBNull(8) ? null : reader.GetString(8),
            reader.IsDBNull(9) ? null : reader.GetDateTime(9)
        );
    }
}
