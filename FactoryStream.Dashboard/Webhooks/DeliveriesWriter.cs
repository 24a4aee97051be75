using Npgsql;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>What became of asking for another attempt.</summary>
internal enum TriedAgain
{
    /// <summary>It is sent within a second or so.</summary>
    Now,

    /// <summary>It is not dead: it was delivered, or is being tried.</summary>
    NotDead,

    /// <summary>There is no such delivery.</summary>
    NoDelivery,
}

/// <summary>Puts into the outbox what a person asks for: a test, and what was given up.</summary>
internal sealed class DeliveriesWriter(NpgsqlDataSource database)
{
    /// <summary>Writes a test event for a webhook; its number, or null: there is no such webhook, or it is turned off.</summary>
    public async Task<long?> TestAsync(int webhookNo, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            WITH enabled AS MATERIALIZED (
                SELECT webhook_no FROM factory.webhooks WHERE webhook_no = $1 AND is_enabled FOR KEY SHARE)
            INSERT INTO factory.webhook_deliveries (webhook_no) SELECT webhook_no FROM enabled RETURNING delivery_no
            """
        );
        command.Parameters.AddWithValue(webhookNo);
        return (long?)await command.ExecuteScalarAsync(cancellation);
    }

    /// <summary>Lets a dead delivery be tried anew, for as long as a new one.</summary>
    public async Task<TriedAgain> TryAgainAsync(int webhookNo, long deliveryNo, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            WITH again AS (
                UPDATE factory.webhook_deliveries SET state = 'pending', first_attempt_at = NULL, next_attempt_at = now()
                WHERE webhook_no = $1 AND delivery_no = $2 AND state = 'dead'
                RETURNING delivery_no)
            SELECT (SELECT count(*) FROM again),
                (SELECT count(*) FROM factory.webhook_deliveries WHERE webhook_no = $1 AND delivery_no = $2)
            """
        );
        command.Parameters.AddWithValue(webhookNo);
        command.Parameters.AddWithValue(deliveryNo);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return reader.GetInt64(0) > 0 ? TriedAgain.Now
            : reader.GetInt64(1) > 0 ? TriedAgain.NotDead
            : TriedAgain.NoDelivery;
    }
}
