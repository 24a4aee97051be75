using Npgsql;

namespace FactoryStream.Dashboard.AuditEvents;

/// <summary>Reads <c>factory.audit_events</c>, the newest first.</summary>
internal sealed class AuditEventsReader(NpgsqlDataSource database)
{
    public const int DefaultLimit = 100;

    /// <param name="subject">Only what was done to one kind of thing, e.g. <c>key</c> or <c>alert_rule</c>; null: all.</param>
    /// <param name="before">Only events with a lower id; null: all.</param>
    /// <param name="limit">Most events of the page.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<AuditEventsResponse> ReadAsync(string? subject, long? before, int limit, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            SELECT event_no, at, who, role, action, subject, detail FROM factory.audit_events
            WHERE event_no < $1 AND starts_with(action, $3) ORDER BY event_no DESC LIMIT $2
            """
        );
        command.Parameters.AddWithValue(before ?? long.MaxValue);
        // One more tells whether there are more.
        command.Parameters.AddWithValue(limit + 1);
        // Actions are named so: key_enrolled.
        command.Parameters.AddWithValue(subject is null ? "" : $"{subject}_");
        var (events, isMore) = await command.ReadPageAsync(limit, Of, cancellation);
        return new(events, isMore ? CursorText.OfNumber(events[^1].Id) : null);
    }

    private static AuditEvent Of(NpgsqlDataReader reader) =>
        new(
            reader.GetInt64(0),
            reader.GetDateTime(1),
            reader.GetString(2),
            reader.GetString(3),
            reader.GetString(4),
            reader.GetString(5),
            reader.IsDBNull(6) ? null : reader.GetString(6)
        );
}
