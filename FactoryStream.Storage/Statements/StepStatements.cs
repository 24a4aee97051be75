using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>What is read of the tables of windows, whatever their step, and what is written into those of coarser steps.</summary>
public static class StepStatements
{
    /// <summary>Windows that begin in times of engines.</summary>
    /// <param name="connection">A connection, in a transaction or not.</param>
    /// <param name="step">Whose table is read.</param>
    /// <param name="spans">Which times of which engines; none overlaps another of the same engine.</param>
    /// <param name="metrics">Only windows with one of these; null: all.</param>
    /// <param name="most">How many of each span, the oldest; null: all.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>In the order of the spans, each one's by their start.</returns>
    public static async Task<List<StoredWindow>> ReadAsync(
        NpgsqlConnection connection,
        WindowStep step,
        IReadOnlyList<EngineSpan> spans,
        IReadOnlyList<string>? metrics,
        int? most,
        CancellationToken cancellation
    )
    {
        var stored = new List<StoredWindow>();
        if (spans.Count == 0)
            return stored;
        // $4 and $5 bound all spans together: by them the planner leaves out table partitions.
#pragma warning disable CA2100 // The table's name is one of WindowStep's.
        await using var select = new NpgsqlCommand(
            $"""
            SELECT w.engine_no, w.window_start, w.window_end, w.revision, w.metrics, w.counts, w.sums, w.mins, w.maxs,
                w.squared_deviations
            FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS span (engine_no, since, until, place)
            CROSS JOIN LATERAL (
                SELECT * FROM factory.{step.Table} AS stored
                WHERE stored.engine_no = span.engine_no AND stored.window_start >= span.since AND stored.window_start < span.until
                    AND stored.window_start >= $4 AND stored.window_start < $5 AND ($6::text[] IS NULL OR stored.metrics && $6)
                ORDER BY stored.window_start, stored.window_end
                LIMIT $7) AS w
            ORDER BY span.place, w.window_start, w.window_end
            """,
            connection
        );
#pragma warning restore CA2100
        select.Parameters.AddArray(NpgsqlDbType.Integer, spans.Select(span => span.EngineNo));
        select.Parameters.AddArray(NpgsqlDbType.TimestampTz, spans.Select(span => span.From));
        select.Parameters.AddArray(NpgsqlDbType.TimestampTz, spans.Select(span => span.To));
        select.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = spans.Min(span => span.From) });
        select.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = spans.Max(span => span.To) });
        select.Parameters.AddWithValue(NpgsqlDbType.Array | NpgsqlDbType.Text, metrics?.ToArray() ?? (object)DBNull.Value);
        select.Parameters.AddWithValue(NpgsqlDbType.Bigint, most ?? (object)DBNull.Value);
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            stored.Add(
                new StoredWindow(
                    new(reader.GetInt32(0), reader.GetDateTime(1), reader.GetDateTime(2), WindowStatements.Metrics(reader, 4)),
                    reader.GetInt32(3)
                )
            );
        }
        return stored;
    }

    /// <summary>Writes windows of a coarser step over those that are there.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="step">Whose table is written; its table partitions are there.</param>
    /// <param name="windows">Each engine and start once.</param>
    /// <param name="updatedAt">The time to state in the rows, UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task UpsertAsync(
        NpgsqlConnection connection,
        WindowStep step,
        IReadOnlyList<StoredWindow> windows,
        DateTime updatedAt,
        CancellationToken cancellation
    )
    {
        if (windows.Count == 0)
            return;
#pragma warning disable CA2100 // The table's name is one of WindowStep's.
        await using var upsert = new NpgsqlCommand(
            $"""
            INSERT INTO factory.{step.Table} (engine_no, revision, window_start, window_end, updated_at, metrics, counts, sums, mins, maxs,
                squared_deviations)
            SELECT engine_no, revision, window_start, window_end, $10, metrics, counts, sums, mins, maxs, squared_deviations
            FROM {WindowStatements.MergedWindows}
            JOIN unnest($11::int[], $12::timestamptz[], $13::int[]) AS revised (engine_no, window_start, revision)
                USING (engine_no, window_start)
            ON CONFLICT (engine_no, window_start, window_end) DO UPDATE SET
                revision = EXCLUDED.revision, updated_at = EXCLUDED.updated_at, metrics = EXCLUDED.metrics, counts = EXCLUDED.counts,
                sums = EXCLUDED.sums, mins = EXCLUDED.mins, maxs = EXCLUDED.maxs, squared_deviations = EXCLUDED.squared_deviations
            """,
            connection
        );
#pragma warning restore CA2100
        WindowStatements.AddMetrics(upsert.Parameters, windows.Select(window => window.Window));
        upsert.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = updatedAt });
        upsert.Parameters.AddArray(NpgsqlDbType.Integer, windows.Select(window => window.Window.EngineNo));
        upsert.Parameters.AddArray(NpgsqlDbType.TimestampTz, windows.Select(window => window.Window.WindowStart));
        upsert.Parameters.AddArray(NpgsqlDbType.Integer, windows.Select(window => window.Revision));
        await upsert.ExecuteNonQueryAsync(cancellation);
    }
}
