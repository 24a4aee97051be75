using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>What a commit's transaction reads of <c>factory.engine_windows</c>, writes into it and tells of it.</summary>
public static class WindowStatements
{
    /// <summary>The partitioned table of windows, for <see cref="TablePartitions"/>.</summary>
    public const string Table = "engine_windows";

    /// <summary>The target of <see cref="BinaryCopyBuffer.CopyToAsync"/> for rows written by <see cref="Append"/>.</summary>
    public const string CopyTarget =
        "factory.engine_windows (engine_no, revision, window_start, window_end, updated_at, metrics, counts, sums, mins, maxs, "
        + "squared_deviations)";

    /// <summary>
    /// Windows to insert, of metrics that come as rows: unnest takes arrays of arrays apart to the last element, so they are put together
    /// here.
    /// </summary>
    internal const string MergedWindows = """
        (SELECT engine_no, window_start, window_end, array_agg(metric) AS metrics, array_agg(count) AS counts, array_agg(sum) AS sums,
            array_agg(min) AS mins, array_agg(max) AS maxs, array_agg(squared_deviation) AS squared_deviations
        FROM (
            SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::bigint[], $6::float8[],
                    $7::float8[], $8::float8[], $9::float8[]) WITH ORDINALITY
                AS rows (engine_no, window_start, window_end, metric, count, sum, min, max, squared_deviation, place)
            ORDER BY engine_no, window_start, window_end, place) AS ordered
        GROUP BY engine_no, window_start, window_end) AS merged
        """;

    /// <summary>The channel of <see cref="Notify"/>.</summary>
    public const string Channel = "factory_windows";

    /// <summary>Appends a window that is closed for the first time, as revision 0.</summary>
    /// <param name="rows">The rows for <see cref="CopyTarget"/>; one is added.</param>
    /// <param name="window">The totals of one engine and window.</param>
    /// <param name="updatedAt">The time to state in the row, UTC.</param>
    public static void Append(BinaryCopyBuffer rows, in WindowTotals window, DateTime updatedAt)
    {
        rows.Row(11);
        rows.Int32(window.EngineNo);
        rows.Int32(0);
        rows.Timestamp(window.WindowStart.Ticks);
        rows.Timestamp(window.WindowEnd.Ticks);
        rows.Timestamp(updatedAt.Ticks);
        rows.TextArray(window.Metrics, metric => metric.Metric);
        rows.Int64Array(window.Metrics, metric => metric.Count);
        rows.Float8Array(window.Metrics, metric => metric.Sum);
        rows.Float8Array(window.Metrics, metric => metric.Min);
        rows.Float8Array(window.Metrics, metric => metric.Max);
        rows.Float8Array(window.Metrics, metric => metric.SquaredDeviation);
    }

    /// <summary>The closed windows that are stored, of those named; in the transaction that is to write them again.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="windows">The windows that are wanted; only engine, start and end are looked at.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task<List<WindowTotals>> ReadAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<WindowTotals> windows,
        CancellationToken cancellation
    )
    {
        await using var select = new NpgsqlCommand(
            """
            SELECT w.engine_no, w.window_start, w.window_end, w.metrics, w.counts, w.sums, w.mins, w.maxs, w.squared_deviations
            FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS named (engine_no, window_start, window_end)
            CROSS JOIN LATERAL (
                SELECT * FROM factory.engine_windows AS stored
                WHERE stored.engine_no = named.engine_no AND stored.window_start = named.window_start
                    AND stored.window_end = named.window_end
                OFFSET 0) AS w
            """,
            connection
        );
        select.Parameters.AddArray(NpgsqlDbType.Integer, windows.Select(window => window.EngineNo));
        select.Parameters.AddArray(NpgsqlDbType.TimestampTz, windows.Select(window => window.WindowStart));
        select.Parameters.AddArray(NpgsqlDbType.TimestampTz, windows.Select(window => window.WindowEnd));
        var stored = new List<WindowTotals>();
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            stored.Add(Totals(reader));
        return stored;
    }

    /// <summary>Closed windows of engines from some time on, those of each engine in the order of their time.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="engines">Each engine's number once, and the time (UTC) from which its windows start.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async IAsyncEnumerable<WindowTotals> ReadFromAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<(int EngineNo, DateTime Since)> engines,
        [EnumeratorCancellation] CancellationToken cancellation
    )
    {
        // $3 bounds all together: by it the planner leaves out all table partitions but the last few.
        await using var select = new NpgsqlCommand(
            """
            SELECT w.engine_no, w.window_start, w.window_end, w.metrics, w.counts, w.sums, w.mins, w.maxs, w.squared_deviations
            FROM unnest($1::int[], $2::timestamptz[]) AS named (engine_no, since)
            CROSS JOIN LATERAL (
                SELECT * FROM factory.engine_windows AS stored
                WHERE stored.engine_no = named.engine_no AND window_start >= since AND window_start >= $3
                ORDER BY window_start, window_end
                OFFSET 0) AS w
            """,
            connection
        );
        select.Parameters.AddArray(NpgsqlDbType.Integer, engines.Select(engine => engine.EngineNo));
        select.Parameters.AddArray(NpgsqlDbType.TimestampTz, engines.Select(engine => engine.Since));
        select.Parameters.AddWithValue(engines.Min(engine => engine.Since));
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            yield return Totals(reader);
    }

    /// <summary>Writes closed windows over those that are there.</summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="windows">The new totals, each engine and window once.</param>
    /// <param name="newRevision">The revision of a row that is not there yet; that of a row that is there goes up by one.</param>
    /// <param name="updatedAt">The time to state in the rows, UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task UpsertAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<WindowTotals> windows,
        int newRevision,
        DateTime updatedAt,
        CancellationToken cancellation
    )
    {
        await using var upsert = new NpgsqlCommand(
            $"""
            INSERT INTO factory.engine_windows AS w (engine_no, revision, window_start, window_end, updated_at, metrics, counts, sums,
                mins, maxs, squared_deviations)
            SELECT engine_no, $11, window_start, window_end, $10, metrics, counts, sums, mins, maxs, squared_deviations
            FROM {MergedWindows}
            ON CONFLICT (engine_no, window_start, window_end) DO UPDATE SET
                revision = w.revision + 1, updated_at = EXCLUDED.updated_at, metrics = EXCLUDED.metrics, counts = EXCLUDED.counts,
                sums = EXCLUDED.sums, mins = EXCLUDED.mins, maxs = EXCLUDED.maxs, squared_deviations = EXCLUDED.squared_deviations
            """,
            connection
        );
        AddMetrics(upsert.Parameters, windows);
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

    /// <summary>Adds the parameters that <see cref="MergedWindows"/> needs, the statement's first nine.</summary>
    internal static void AddMetrics(NpgsqlParameterCollection parameters, IEnumerable<WindowTotals> windows)
    {
        var rows = windows.SelectMany(window => window.Metrics.Select(metric => (Window: window, Metric: metric))).ToArray();
        parameters.AddArray(NpgsqlDbType.Integer, rows.Select(row => row.Window.EngineNo));
        parameters.AddArray(NpgsqlDbType.TimestampTz, rows.Select(row => row.Window.WindowStart));
        parameters.AddArray(NpgsqlDbType.TimestampTz, rows.Select(row => row.Window.WindowEnd));
        parameters.AddArray(NpgsqlDbType.Text, rows.Select(row => row.Metric.Metric));
        parameters.AddArray(NpgsqlDbType.Bigint, rows.Select(row => row.Metric.Count));
        parameters.AddArray(NpgsqlDbType.Double, rows.Select(row => row.Metric.Sum));
        parameters.AddArray(NpgsqlDbType.Double, rows.Select(row => row.Metric.Min));
        parameters.AddArray(NpgsqlDbType.Double, rows.Select(row => row.Metric.Max));
        parameters.AddArray(NpgsqlDbType.Double, rows.Select(row => row.Metric.SquaredDeviation));
    }

    private static WindowTotals Totals(NpgsqlDataReader reader) =>
        new(reader.GetInt32(0), reader.GetDateTime(1), reader.GetDateTime(2), Metrics(reader, 3));

    /// <summary>The six arrays of a row.</summary>
    /// <param name="reader">At the row.</param>
    /// <param name="first">The column <c>metrics</c>; the other five follow it.</param>
    internal static MetricRow[] Metrics(NpgsqlDataReader reader, int first)
    {
        var counts = reader.GetFieldValue<long[]>(first + 1);
        var sums = reader.GetFieldValue<double[]>(first + 2);
        var mins = reader.GetFieldValue<double[]>(first + 3);
        var maxs = reader.GetFieldValue<double[]>(first + 4);
        var deviations = reader.GetFieldValue<double[]>(first + 5);
        return
        [
            .. reader
                .GetFieldValue<string[]>(first)
                .Select((name, i) => new MetricRow(name, counts[i], sums[i], mins[i], maxs[i], deviations[i])),
        ];
    }
}
