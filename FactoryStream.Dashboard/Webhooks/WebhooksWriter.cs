using System.Buffers.Text;
using System.Security.Cryptography;
using FactoryStream.Dashboard.AuditEvents;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>Makes, changes and deletes webhooks, with the audit event of it.</summary>
internal sealed class WebhooksWriter(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>Most webhooks: what happens to an alert is written for each.</summary>
    public const int MaxWebhooks = 20;

    /// <summary>What is said where no more may be made.</summary>
    public static readonly string TooMany = $"There are {MaxWebhooks} webhooks, the most there may be; delete one first.";

    private const int SecretBytes = 32;

    // Viewers read audit events, and what else is in an address may be all that its receiver asks for.
    private const string Host = "split_part(url, '/', 3)";

    /// <summary>Makes a webhook; the answer alone has its secret. Null: there are <see cref="MaxWebhooks"/> already.</summary>
    public async Task<StoredWebhook?> AddAsync(WebhookSettings settings, string? secret, Actor actor, CancellationToken cancellation)
    {
        var known = secret ?? Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        await using var command = database.CreateCommand(
            $"""
            WITH made AS (
                INSERT INTO factory.webhooks (url, severities, description, is_enabled, secret, created_by, created_at)
                SELECT $1, $2, $3, $4, $5, $6, $8 WHERE (SELECT count(*) FROM factory.webhooks) < {MaxWebhooks}
                RETURNING *),
            audited AS (
                INSERT INTO factory.audit_events (who, role, action, subject, detail)
                SELECT $6, $7, 'webhook_made', webhook_no, {Host} FROM made)
            SELECT {WebhooksReader.Columns} FROM made
            """
        );
        Add(command, settings, known, actor);
        command.Parameters.AddWithValue(time.GetUtcNow().UtcDateTime);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? WebhooksReader.Of(reader) with { Secret = known } : null;
    }

    /// <summary>Changes a webhook.</summary>
    /// <param name="webhookNo">Its number.</param>
    /// <param name="settings">What it says from now on.</param>
    /// <param name="secret">Another secret; null: it stays.</param>
    /// <param name="version">The version that is changed; null: whichever.</param>
    /// <param name="actor">Who changes it.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<RowChange<StoredWebhook>> ChangeAsync(
        int webhookNo,
        WebhookSettings settings,
        string? secret,
        int? version,
        Actor actor,
        CancellationToken cancellation
    )
    {
        await using var command = database.CreateCommand(
            $"""
            WITH changed AS (
                UPDATE factory.webhooks SET url = $1, severities = $2, description = $3, is_enabled = $4, secret = coalesce($5, secret),
                    version = version + 1
                WHERE webhook_no = $8 AND version = coalesce($9, version)
                RETURNING *),
            audited AS (
                INSERT INTO factory.audit_events (who, role, action, subject, detail)
                SELECT $6, $7, 'webhook_changed', webhook_no,
                    concat_ws(', ', {Host}, CASE WHEN NOT is_enabled THEN 'turned off' END,
                        CASE WHEN $5 IS NOT NULL THEN 'another secret' END)
                FROM changed)
            SELECT {WebhooksReader.Columns} FROM changed
            """
        );
        Add(command, settings, secret, actor);
        command.Parameters.AddWithValue(webhookNo);
        command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Integer, version));
        await using (var reader = await command.ExecuteReaderAsync(cancellation))
        {
            if (await reader.ReadAsync(cancellation))
                return new(WebhooksReader.Of(reader) with { Secret = secret }, IsOther: false);
        }
        await using var exists = database.CreateCommand("SELECT count(*) FROM factory.webhooks WHERE webhook_no = $1");
        exists.Parameters.AddWithValue(webhookNo);
        return new(null, await exists.ExecuteScalarAsync(cancellation) is > 0L);
    }

    /// <summary>Deletes a webhook and what was to be delivered to it. False: there is none of this number.</summary>
    public async Task<bool> DeleteAsync(int webhookNo, Actor actor, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using var delete = new NpgsqlCommand(
            $"""
            WITH deleted AS (
                DELETE FROM factory.webhooks WHERE webhook_no = $1 RETURNING webhook_no, url)
            INSERT INTO factory.audit_events (who, role, action, subject, detail)
            SELECT $2, $3, 'webhook_deleted', webhook_no, {Host} FROM deleted
            """,
            connection
        );
        delete.Parameters.AddWithValue(webhookNo);
        delete.Parameters.AddWithValue(actor.Who);
        delete.Parameters.AddWithValue(actor.Role);
        if (await delete.ExecuteNonQueryAsync(cancellation) == 0)
            return false;
        // Whoever was writing deliveries for it was waited for, and nobody can begin: all of them are seen here.
        await using var deliveries = new NpgsqlCommand("DELETE FROM factory.webhook_deliveries WHERE webhook_no = $1", connection);
        deliveries.Parameters.AddWithValue(webhookNo);
        await deliveries.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    private static void Add(NpgsqlCommand command, WebhookSettings settings, string? secret, Actor actor)
    {
        command.Parameters.AddWithValue(settings.Url);
        command.Parameters.AddWithValue(settings.Severities.ToArray());
        command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Text, settings.Description));
        command.Parameters.AddWithValue(settings.IsEnabled);
        command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Text, secret));
        command.Parameters.AddWithValue(actor.Who);
        command.Parameters.AddWithValue(actor.Role);
    }
}
