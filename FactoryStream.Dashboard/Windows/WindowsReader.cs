using Npgsql;

namespace FactoryStream.Dashboard.Windows;

/// <summary>Which windows are asked for (null: any), by their start: <c>From</c> inclusive, <c>To</c> exclusive; those behind <c>After</c>,
/// if that is given.</summary>
internal readonly record struct WindowsQuery(
    string? FactoryId,
    string? EngineId,
    string? Metric,
    DateTime From,
    DateTime? To,
    WindowsCursor? After = null
);

/// <summary>Windows in their order, and where the next page begins; null: there are no more.</summary>
internal sealed record WindowsPage(List<MetricWindow> Windows, WindowsCursor? Next);

/// <summary>Reads windows of any time, a page at a time.</summary>
internal sealed class WindowsReader(NpgsqlDataSource database)
{
    /// <summary>How far back is shown when no time is given: 90 windows of ten seconds.</summary>
    public static readonly TimeSpan DefaultSpan = TimeSpan.FromMinutes(15);

    // Engine by engine, each by its own stretch of the primary key, in the key's own order: whatever the time asked for, hardly more is
    // read than the page holds.
    // A sort within the engine, be it by the metric's bytes, would read all of it first.
    private const string Page = """
        SELECT engine.factory_id, engine.engine_id, metric, window_start, window_end, count, sum, min, max, squared_deviation, revision,
            closed
        FROM (
            SELECT engine_no, factory_id, engine_id, $6::text IS NOT NULL AND factory_id = $6 AND engine_id = $7 AS is_begun
            FROM factory.engines
            WHERE ($1::text IS NULL OR factory_id = $1) AND ($2::text IS NULL OR engine_id = $2) AND closed_until > $4
                AND ($6::text IS NULL OR (factory_id COLLATE "C", engine_id COLLATE "C") >= ($6, $7))
            ORDER BY factory_id COLLATE "C", engine_id COLLATE "C"
        ) AS engine
        CROSS JOIN LATERAL (
            SELECT * FROM factory.windows
            WHERE windows.engine_no = engine.engine_no AND ($3::text IS NULL OR metric = $3)
                AND window_start >= CASE WHEN engine.is_begun THEN greatest($4, $8) ELSE $4 END AND window_start < $5
                AND (NOT engine.is_begun OR (window_start, window_end, metric) > ($8, $9, $10))
            ORDER BY window_start, window_end, metric
            LIMIT $11
        ) AS page
        ORDER BY engine.factory_id COLLATE "C", engine.engine_id COLLATE "C", window_start, window_end, metric
        LIMIT $11
        """;

    /// <summary>The windows by factory, engine, start and metric, at most as many as allowed.</summary>
    public async Task<WindowsPage> ReadAsync(WindowsQuery query, int limit, CancellationToken cancellation)
    {
        await using var command = Command(query, limit);
        var (windows, isMore) = await command.ReadPageAsync(limit, Of, cancellation);
        return new(windows, isMore ? WindowsCursor.Behind(windows[^1]) : null);
    }

    /// <summary>The statement that <see cref="ReadAsync"/> runs.</summary>
    internal NpgsqlCommand Command(WindowsQuery query, int limit)
    {
        var after = query.After;
        var command = database.CreateCommand(Page);
        command.Parameters.AddRange(
            new NpgsqlParameter[]
            {
                Text(query.FactoryId),
                Text(query.EngineId),
                Text(query.Metric),
                Time(query.From),
                Time(query.To ?? DateTime.MaxValue),
                Text(after?.FactoryId),
                Text(after?.EngineId),
                Time(after?.WindowStart ?? DateTime.UnixEpoch),
                Time(after?.WindowEnd ?? DateTime.UnixEpoch),
                Text(after?.Metric ?? ""),
                // One more tells whether there are more.
                new NpgsqlParameter<long> { TypedValue = limit + 1L },
            }
        );
        return command;
    }

    private static MetricWindow Of(NpgsqlDataReader reader) =>
        MetricWindow.Of(
            reader.GetString(0),
            reader.GetString(1),
            (reader.GetDateTime(3), reader.GetDateTime(4)),
            new(
                reader.GetString(2),
                reader.GetInt64(5),
                reader.GetDouble(6),
                reader.GetDouble(7),
                reader.GetDouble(8),
                reader.GetDouble(9)
            ),
            reader.GetInt32(10),
            reader.GetBoolean(11)
        );

    private static NpgsqlParameter Text(string? value) => PagedRows.Nullable(NpgsqlTypes.NpgsqlDbType.Text, value);

    private static NpgsqlParameter<DateTime> Time(DateTime value) => new() { TypedValue = DateTime.SpecifyKind(value, DateTimeKind.Utc) };
}
