using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>What a commit's transaction reads of <c>factory.windows</c>, writes into it and tells of it.</summary>
public static class WindowStatements
{
    /// <summary>The target of <see cref="BinaryCopyBuffer.CopyToAsync"/> for rows written by <see cref="Append"/>.</summary>
    public const string CopyTarget =
        "factory.windows (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at, metric)";

    /// <summary>The channel of <see cref="Notify"/>.</summary>
    public const string Channel = "factory_windows";

    /// <summary>Appends a window that is closed for the first time, as revision 0.</summary>
    /// <param name="rows">The rows for <see cref="CopyTarget"/>; one is added.</param>
    /// <param name="window">The totals of one engine, window and metric.</param>
    /// <param name="updatedAt">The time to state in the row, UTC.</param>
    public static void Append(BinaryCopyBuffer rows, in WindowTotals window, DateTime updatedAt)
    {
        rows.Row(11);
        rows.Int32(window.EngineNo);
        rows.Int32(0);
        rows.Timestamp(window.WindowStart.Ticks);
        rows.Timestamp(window.WindowEnd.Ticks);
        rows.Int64(window.Count);
        rows.Float8(window.Sum);
        rows.Float8(window.Min);
        rows.Float8(window.Max);
        rows.Float8(window.SquaredDeviation);
        rows.Timestamp(updatedAt.Ticks);
        rows.Text(window.Metric);
    }

    /// <summary>The closed windows that are stored, of those named; in the transaction that is to write them again.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="windows">The windows that are wanted; only engine, start, end and metric are looked at.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task<List<WindowTotals>> ReadAsync(
        NpgsqlConnection connection,
        IReadOnlyList<WindowTotals> windows,
        CancellationToken cancellation
    )
    {
        await using var select = new NpgsqlCommand(
            """
            SELECT w.engine_no, w.window_start, w.window_end, w.metric, w.count, w.sum, w.min, w.max, w.squared_deviation
            FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::text[]) AS named (engine_no, window_start, window_end, metric)
            CROSS JOIN LATERAL (
                SELECT * FROM factory.windows
                WHERE windows.engine_no = named.engine_no AND windows.window_start = named.window_start
                    AND windows.window_end = named.window_end AND windows.metric = named.metric
                OFFSET 0) AS w
            """,
            connection
        );
        select.Parameters.AddArray(NpgsqlDbType.Integer, windows.Select(window => window.EngineNo));
        select.Parameters.AddArray(NpgsqlDbType.TimestampTz, windows.Select(window => window.WindowStart));
        select.Parameters.AddArray(NpgsqlDbType.TimestampTz, windows.Select(window => window.WindowEnd));
        select.Parameters.AddArray(NpgsqlDbType.Text, windows.Select(window => window.Metric));
        var stored = new List<WindowTotals>();
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            stored.Add(
                new WindowTotals(
                    reader.GetInt32(0),
                    reader.GetDateTime(1),
                    reader.GetDateTime(2),
                    reader.GetString(3),
                    reader.GetInt64(4),
                    reader.GetDouble(5),
                    reader.GetDouble(6),
                    reader.GetDouble(7),
                    reader.GetDouble(8)
                )
            );
        }
        return stored;
    }

    /// <summary>Writes closed windows over those that are there.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="rows">The new totals, each engine, window and metric once.</param>
    /// <param name="newRevision">The revision of a row that is not there yet; that of a row that is there goes up by one.</param>
    /// <param name="updatedAt">The time to state in the rows, UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task UpsertAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<WindowTotals> rows,
        int newRevision,
        DateTime updatedAt,
        CancellationToken cancellation
    )
    {
        await using var upsert = new NpgsqlCommand(
            """
            INSERT INTO factory.windows AS w (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation,
                updated_at, metric)
            SELECT engine_no, $11, window_start, window_end, count, sum, min, max, squared_deviation, $10, metric
            FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::bigint[], $6::float8[], $7::float8[],
                    $8::float8[], $9::float8[])
                AS merged (engine_no, window_start, window_end, metric, count, sum, min, max, squared_deviation)
            ON CONFLICT (engine_no, window_start, window_end, metric) DO UPDATE SET
                revision = w.revision + 1, count = EXCLUDED.count, sum = EXCLUDED.sum, min = EXCLUDED.min, max = EXCLUDED.max,
                squared_deviation = EXCLUDED.squared_deviation, updated_at = EXCLUDED.updated_at
            """,
            connection
        );
        upsert.Parameters.AddArray(NpgsqlDbType.Integer, rows.Select(window => window.EngineNo));
        upsert.Parameters.AddArray(NpgsqlDbType.TimestampTz, rows.Select(window => window.WindowStart));
        upsert.Parameters.AddArray(NpgsqlDbType.TimestampTz, rows.Select(window => window.WindowEnd));
        upsert.Parameters.AddArray(NpgsqlDbType.Text, rows.Select(window => window.Metric));
        upsert.Parameters.AddArray(NpgsqlDbType.Bigint, rows.Select(window => window.Count));
        upsert.Parameters.AddArray(NpgsqlDbType.Double, rows.Select(window => window.Sum));
        upsert.Parameters.AddArray(NpgsqlDbType.Double, rows.Select(window => window.Min));
        upsert.Parameters.AddArray(NpgsqlDbType.Double, rows.Select(window => window.Max));
        upsert.Parameters.AddArray(NpgsqlDbType.Double, rows.Select(window => window.SquaredDeviation));
        upsert.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = updatedAt });
        upsert.Parameters.Add(new NpgsqlParameter<int> { TypedValue = newRevision });
        await upsert.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>
    /// Tells whoever listens on <see cref="Channel"/> which engines' windows changed, when the transaction commits.
    /// </summary>
    /// <param name="engineNos">e.g. <c>[1,5,7]</c>; too many for a notification (8,000 bytes) become <c>"*"</c>.</param>
    public static NpgsqlBatchCommand Notify(IReadOnlyCollection<int> engineNos)
    {
        var payload = $"[{string.Join(',', engineNos)}]";
        var command = new NpgsqlBatchCommand("SELECT pg_notify($1, $2)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Channel });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = payload.Length <= 7000 ? payload : "\"*\"" });
        return command;
    }
}
