using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>
/// Which alerts are asked for (null: any), by when they were raised: <c>From</c> inclusive, <c>To</c> exclusive; those behind <c>After</c>,
/// if that is given.
/// </summary>
internal readonly record struct AlertsQuery(
    string? State,
    string? FactoryId,
    string? EngineId,
    string? Severity,
    DateTime? From,
    DateTime? To,
    RowCursor? After = null
);

/// <summary>Alerts, the newest first, and where the next page begins; null: there are no more.</summary>
internal sealed record AlertsPage(List<Alert> Alerts, RowCursor? Next);

/// <summary>Reads alerts and their history.</summary>
internal sealed class AlertsReader(TimedSearch search)
{
    /// <summary>Alerts of a page when nobody says how many.</summary>
    public const int DefaultLimit = 100;

    /// <summary>What an alert may be.</summary>
    public static readonly IReadOnlyList<string> States = ["raised", "cleared", "withdrawn"];

    // A machine whose readings come late again and again may change an alert without end.
    private const int MaxEvents = 1_000;

    private const string Advice = "Give a shorter time by from and to.";

    internal const int ColumnCount = 17;

    internal const string Columns = """
        alert_no, rule_no, name, kind, severity, a.factory_id, engine_id, metric, state, raised_at, raised_recorded_at, cleared_at, value,
        acknowledged_by, acknowledged_at, acknowledged_comment, revision
        """;

    /// <summary>The alerts, at most as many as allowed.</summary>
    public Task<AlertsPage> ReadAsync(AlertsQuery query, int limit, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(
                    $"""
                    SELECT {Columns} FROM factory.alerts AS a LEFT JOIN factory.engines USING (engine_no)
                    WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR a.factory_id = $2)
                        AND ($3::text IS NULL OR engine_id = $3) AND ($4::text IS NULL OR severity = $4)
                        AND ($5::timestamptz IS NULL OR raised_at >= $5) AND ($6::timestamptz IS NULL OR raised_at < $6)
                        AND ($7::timestamptz IS NULL OR (raised_at, alert_no) < ($7, $8))
                    ORDER BY raised_at DESC, alert_no DESC
                    LIMIT $9
                    """,
                    connection
                );
                command.Parameters.AddRange(
                    new NpgsqlParameter[]
                    {
                        PagedRows.Nullable(NpgsqlDbType.Text, query.State),
                        PagedRows.Nullable(NpgsqlDbType.Text, query.FactoryId),
                        PagedRows.Nullable(NpgsqlDbType.Text, query.EngineId),
                        PagedRows.Nullable(NpgsqlDbType.Text, query.Severity),
                        PagedRows.Nullable(NpgsqlDbType.TimestampTz, query.From),
                        PagedRows.Nullable(NpgsqlDbType.TimestampTz, query.To),
                        PagedRows.Nullable(NpgsqlDbType.TimestampTz, query.After?.Time),
                        PagedRows.Nullable(NpgsqlDbType.Bigint, query.After?.Number),
                        // One more tells whether there are more.
                        new NpgsqlParameter<long> { TypedValue = limit + 1L },
                    }
                );
                var (alerts, isMore) = await command.ReadPageAsync(limit, Of, cancellation);
                return new AlertsPage(alerts, isMore ? new(alerts[^1].RaisedAt, alerts[^1].AlertNo) : null);
            },
            Advice,
            cancellation
        );

    /// <summary>An alert; null: there is none of this number.</summary>
    public Task<Alert?> FindAsync(long alertNo, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(
                    $"SELECT {Columns} FROM factory.alerts AS a LEFT JOIN factory.engines USING (engine_no) WHERE alert_no = $1",
                    connection
                );
                command.Parameters.AddWithValue(alertNo);
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                return await reader.ReadAsync(cancellation) ? Of(reader) : null;
            },
            Advice,
            cancellation
        );

    /// <summary>What happened to an alert, the oldest first; null: there is no such alert.</summary>
    public Task<List<AlertHistoryEntry>?> HistoryAsync(long alertNo, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(
                    $"""
                    SELECT event, recorded_at, window_start, window_end, value, by, comment FROM factory.alert_events
                    WHERE alert_no = $1 ORDER BY event_no LIMIT {MaxEvents}
                    """,
                    connection
                );
                command.Parameters.AddWithValue(alertNo);
                var entries = new List<AlertHistoryEntry>();
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                while (await reader.ReadAsync(cancellation))
                    entries.Add(EntryOf(reader, 0));
                // Whatever is an alert was raised once.
                return entries.Count > 0 ? entries : null;
            },
            Advice,
            cancellation
        );

    internal static Alert Of(NpgsqlDataReader reader) =>
        new(
            reader.GetInt64(0),
            reader.GetInt32(1),
            reader.GetString(2),
            reader.GetString(3),
            reader.GetString(4),
            reader.GetString(5),
            Text(reader, 6),
            Text(reader, 7),
            reader.GetString(8),
            reader.GetDateTime(9),
            reader.GetDateTime(10),
            Time(reader, 11),
            reader.GetDouble(12),
            Text(reader, 13),
            Time(reader, 14),
            Text(reader, 15),
            reader.GetInt32(16)
        );

    /// <summary>The event whose columns begin at the given one: event, recorded_at, window_start, window_end, value, by, comment.</summary>
    internal static AlertHistoryEntry EntryOf(NpgsqlDataReader reader, int first) =>
        new(
            reader.GetString(first),
            reader.GetDateTime(first + 1),
            Time(reader, first + 2),
            Time(reader, first + 3),
            reader.IsDBNull(first + 4) ? null : reader.GetDouble(first + 4),
            Text(reader, first + 5),
            Text(reader, first + 6)
        );

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static DateTime? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetDateTime(column);
}
