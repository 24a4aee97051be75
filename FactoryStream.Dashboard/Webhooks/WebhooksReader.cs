using Npgsql;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>Reads webhooks, without their secrets.</summary>
internal sealed class WebhooksReader(TimedSearch search)
{
    internal const string Columns = "webhook_no, version, created_by, created_at, url, severities, description, is_enabled";

    private const string Advice = "Try again later.";

    /// <summary>All webhooks, by their number.</summary>
    public Task<List<StoredWebhook>> ReadAsync(CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand($"SELECT {Columns} FROM factory.webhooks ORDER BY webhook_no", connection);
                var webhooks = new List<StoredWebhook>();
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                while (await reader.ReadAsync(cancellation))
                    webhooks.Add(Of(reader));
                return webhooks;
            },
            Advice,
            cancellation
        );

    internal static StoredWebhook Of(NpgsqlDataReader reader) =>
        new(
            reader.GetInt32(0),
            reader.GetInt32(1),
            reader.GetString(2),
            reader.GetDateTime(3),
            new(
                reader.GetString(4),
                reader.GetFieldValue<string[]>(5),
                reader.IsDBNull(6) ? null : reader.GetString(6),
                reader.GetBoolean(7)
            )
        );
}
