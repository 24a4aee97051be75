using System.Globalization;
using Npgsql;

namespace FactoryStream.Dashboard.AuditEvents;

/// <summary>Reads <c>factory.audit_events</c>, the newest first.</summary>
internal sealed class AuditEventsReader(NpgsqlDataSource database)
{
    public const int DefaultLimit = 100;

    private const int MaxCursorLength = 64;

    /// <summary>The id that a page's cursor holds, e.g. <c>["1234"]</c> as a <see cref="CursorText"/>.</summary>
    public static bool TryParseCursor(string text, out long before)
    {
        before = 0;
        return CursorText.TryParse(text, MaxCursorLength, out var parts)
            && parts is [{ } id]
            && long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out before);
    }

    /// <param name="before">Only events with a lower id; null: all.</param>
    /// <param name="limit">Most events of the page.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<AuditEventsResponse> ReadAsync(long? before, int limit, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            SELECT event_no, at, who, role, action, subject, detail FROM factory.audit_events
            WHERE event_no < $1 ORDER BY event_no DESC LIMIT $2
            """
        );
        command.Parameters.AddWithValue(before ?? long.MaxValue);
        // One more tells whether there are more.
        command.Parameters.AddWithValue(limit + 1);
        var (events, isMore) = await command.ReadPageAsync(limit, Of, cancellation);
        return new(events, isMore ? CursorText.Of(events[^1].Id.ToString(CultureInfo.InvariantCulture)) : null);
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
