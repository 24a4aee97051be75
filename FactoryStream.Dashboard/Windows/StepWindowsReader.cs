using System.Data;
using FactoryStream.Storage;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Windows;

/// <summary>Reads windows of a minute, an hour or a day, a page at a time; <see cref="WindowsReader"/> those of ten seconds.</summary>
internal sealed class StepWindowsReader(TimedSearch search)
{
    private const string Advice = "Ask for a shorter time, or for one engine.";

    // The windows of so many engines are read at once, and of fewer where few fill a page.
    private const int MaxEnginesAtOnce = 256;

    private const string Engines = """
        SELECT engine_no, factory_id, engine_id, closed_until, rolled_until
        FROM factory.engines
        WHERE ($1::text IS NULL OR factory_id = $1) AND ($2::text IS NULL OR engine_id = $2) AND closed_until > $3
            AND ($4::text IS NULL OR (factory_id COLLATE "C", engine_id COLLATE "C") > ($4, $5)
                OR ($6 AND factory_id = $4 AND engine_id = $5))
        ORDER BY factory_id COLLATE "C", engine_id COLLATE "C"
        LIMIT $7
        """;

    private sealed record Engine(int EngineNo, string FactoryId, string EngineId, DateTime ClosedUntil, DateTime? RolledUntil);

    /// <summary>The windows by factory, engine, start and metric, at most as many as allowed.</summary>
    /// <param name="query">Which; times between the steps' starts count from the next start on.</param>
    /// <param name="step">A step that windows are rolled up to.</param>
    /// <param name="limit">How many rows a page has, one for each metric of each window.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <exception cref="SearchTooLongException">The database takes too long.</exception>
    public Task<WindowsPage> ReadAsync(WindowsQuery query, WindowStep step, int limit, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var state = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
                return await ReadPageAsync(connection, query, step, limit, cancellation);
            },
            Advice,
            cancellation
        );

    private static async Task<WindowsPage> ReadPageAsync(
        NpgsqlConnection connection,
        WindowsQuery query,
        WindowStep step,
        int limit,
        CancellationToken cancellation
    )
    {
        var from = step.Ceiling(query.From);
        if (await NewestAsync(connection, cancellation) is not { } newest)
            return new([], null);
        var to = step.Ceiling(query.To < newest ? query.To.Value : newest);
        string[]? metrics = query.Metric is null ? null : [query.Metric];
        var windows = new List<MetricWindow>();
        (string FactoryId, string EngineId, bool IsBegun)? after = query.After is { } cursor
            ? (cursor.FactoryId, cursor.EngineId, true)
            : null;
        while (true)
        {
            var engines = await ReadEnginesAsync(connection, query, from, after, EnginesAtOnce(), cancellation);
            if (engines.Count == 0)
                return new(windows, null);
            var read = await SteppedWindows.ReadAsync(
                connection,
                step.Length,
                engines.Select(engine => (Span(engine), engine.RolledUntil)),
                metrics,
                // Of the window that the cursor stands in nothing may be left, and one more tells whether there are more.
                limit + 2,
                cancellation
            );
            var ofEngine = read.ToLookup(window => window.Window.EngineNo);
            foreach (var engine in engines)
            {
                foreach (var row in Rows(engine, ofEngine[engine.EngineNo]))
                {
                    if (windows.Count == limit)
                        return new(windows, WindowsCursor.Behind(windows[^1]));
                    windows.Add(row);
                }
            }
            after = (engines[^1].FactoryId, engines[^1].EngineId, false);
        }

        int EnginesAtOnce() => (int)Math.Clamp(limit / Math.Max(1, (to - from) / step.Length), 1, MaxEnginesAtOnce);

        EngineSpan Span(Engine engine)
        {
            var closed = step.Ceiling(engine.ClosedUntil);
            var begin = IsBegun(engine) && query.After!.WindowStart > from ? query.After.WindowStart : from;
            return new(engine.EngineNo, begin, closed < to ? closed : to);
        }

        bool IsBegun(Engine engine) => query.After?.FactoryId == engine.FactoryId && query.After.EngineId == engine.EngineId;

        IEnumerable<MetricWindow> Rows(Engine engine, IEnumerable<StoredWindow> stored) =>
            from window in stored
            let totals = window.Window
            from metric in totals.Metrics.OrderBy(metric => metric.Metric, StringComparer.Ordinal)
            where query.Metric is null || metric.Metric == query.Metric
            where !IsBegun(engine) || IsBehind(totals.WindowStart, totals.WindowEnd, metric.Metric, query.After!)
            select MetricWindow.Of(
                engine.FactoryId,
                engine.EngineId,
                (totals.WindowStart, totals.WindowEnd),
                metric,
                window.Revision,
                totals.WindowEnd <= engine.ClosedUntil
            );
    }

    private static bool IsBehind(DateTime start, DateTime end, string metric, WindowsCursor cursor) =>
        (start, end).CompareTo((cursor.WindowStart, cursor.WindowEnd)) switch
        {
            0 => string.CompareOrdinal(metric, cursor.Metric) > 0,
            var order => order > 0,
        };

    /// <summary>The end of the newest closed window of all; null: there is none.</summary>
    private static async Task<DateTime?> NewestAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var select = new NpgsqlCommand("SELECT max(closed_until) FROM factory.engines", connection);
        return await select.ExecuteScalarAsync(cancellation) as DateTime?;
    }

    private static async Task<List<Engine>> ReadEnginesAsync(
        NpgsqlConnection connection,
        WindowsQuery query,
        DateTime from,
        (string FactoryId, string EngineId, bool IsBegun)? after,
        int most,
        CancellationToken cancellation
    )
    {
        await using var select = new NpgsqlCommand(Engines, connection);
        select.Parameters.AddWithValue(NpgsqlDbType.Text, query.FactoryId ?? (object)DBNull.Value);
        select.Parameters.AddWithValue(NpgsqlDbType.Text, query.EngineId ?? (object)DBNull.Value);
        select.Parameters.AddWithValue(NpgsqlDbType.TimestampTz, DateTime.SpecifyKind(from, DateTimeKind.Utc));
        select.Parameters.AddWithValue(NpgsqlDbType.Text, after?.FactoryId ?? (object)DBNull.Value);
        select.Parameters.AddWithValue(NpgsqlDbType.Text, after?.EngineId ?? (object)DBNull.Value);
        select.Parameters.AddWithValue(after?.IsBegun ?? false);
        select.Parameters.AddWithValue(most);
        var engines = new List<Engine>();
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            engines.Add(
                new Engine(
                    reader.GetInt32(0),
                    reader.GetString(1),
                    reader.GetString(2),
                    reader.GetDateTime(3),
                    reader.IsDBNull(4) ? null : reader.GetDateTime(4)
                )
            );
        }
        return engines;
    }
}
