using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>A reading on its way into <c>factory.readings</c>.</summary>
public readonly record struct ReadingEntry(
    int EngineNo, int KeyNo, DateTime MeasuredAt, DateTime VerdictAt, ReadOnlyMemory<byte> DataSha256, ReadOnlyMemory<byte> Data, ReadOnlyMemory<byte> Signature);

/// <summary>Totals of one metric in one window, to be merged into the closed window's row.</summary>
public readonly record struct WindowTotals(
    int EngineNo, DateTime WindowStart, DateTime WindowEnd, string Metric, long Count, double Sum, double Min, double Max, double SquaredDeviation);

/// <summary>A step of a partition: from one offset to the next, under an epoch.</summary>
public readonly record struct CheckpointStep(
    string Topic, int Partition, long Epoch, long ExpectedOffset, long NextOffset, string SourceTopicId, long SourceOffset, int SourceLine);

/// <summary>What a batch adds to the books.</summary>
public readonly record struct LedgerEntry(int Partition, string FactoryId, long Accepted, long Stored, long Duplicates);

/// <summary>A line that was refused or rejected, on its way into <c>factory.rejections</c>.</summary>
public readonly record struct RejectionEntry(
    int Partition, DateTime RejectedAt, string? FactoryId, string Reason, bool Refused, string? Detail, byte[] Line, long? SourceOffset, int? SourceLine);

/// <summary>The transaction was another owner's to make: a newer epoch or another offset stands in the checkpoint.</summary>
public sealed class FencedException(string message) : Exception(message);

/// <summary>The statements of a batch's one transaction. Each takes the transaction's connection; none commits.</summary>
public static class BatchWriter
{
    /// <summary>Rows by binary COPY: the fast path. A row that is there already fails the transaction (unique violation).</summary>
    public static async Task CopyAsync(NpgsqlConnection connection, string target, BinaryCopyBuffer rows, CancellationToken cancellation)
    {
        if (rows.RowCount == 0)
            return;
        await using var copy = await connection.BeginRawBinaryCopyAsync($"COPY {target} FROM STDIN (FORMAT BINARY)", cancellation);
        await copy.WriteAsync(rows.Complete(), cancellation);
    }

    /// <summary>The target of <see cref="CopyAsync"/> for rows written by <see cref="AppendReading"/>.</summary>
    public const string ReadingsTarget = "factory.readings (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature)";

    /// <summary>The target of <see cref="CopyAsync"/> for rows written by <see cref="AppendWindow"/>.</summary>
    public const string WindowsTarget = "factory.windows (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at, metric)";

    public static void AppendReading(BinaryCopyBuffer rows, in ReadingEntry reading)
    {
        rows.Row(7);
        rows.Int32(reading.EngineNo);
        rows.Int32(reading.KeyNo);
        rows.Timestamp(reading.MeasuredAt.Ticks);
        rows.Timestamp(reading.VerdictAt.Ticks);
        rows.Bytes(reading.DataSha256.Span);
        rows.Bytes(reading.Data.Span);
        rows.Bytes(reading.Signature.Span);
    }

    public static void AppendWindow(BinaryCopyBuffer rows, in WindowTotals window, DateTime updatedAt)
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

    /// <summary>Readings that may be there already; which of them were not, by their index. The same reading twice in the list is inserted once, as the first.</summary>
    public static async Task<List<int>> InsertNewAsync(NpgsqlConnection connection, IReadOnlyList<ReadingEntry> readings, CancellationToken cancellation)
    {
        var inserted = new List<int>();
        if (readings.Count == 0)
            return inserted;
        await using var command = new NpgsqlCommand("""
            INSERT INTO factory.readings (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature)
            SELECT engine_no, key_no, measured_at, verdict_at, data_sha256, convert_from(data, 'UTF8')::json, signature
            FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[], $5::bytea[], $6::bytea[], $7::bytea[])
                AS entry (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature)
            ON CONFLICT DO NOTHING
            RETURNING engine_no, measured_at, data_sha256
            """, connection);
        Add(command.Parameters, NpgsqlDbType.Integer, readings.Select(reading => reading.EngineNo));
        Add(command.Parameters, NpgsqlDbType.Integer, readings.Select(reading => reading.KeyNo));
        Add(command.Parameters, NpgsqlDbType.TimestampTz, readings.Select(reading => reading.MeasuredAt));
        Add(command.Parameters, NpgsqlDbType.TimestampTz, readings.Select(reading => reading.VerdictAt));
        Add(command.Parameters, NpgsqlDbType.Bytea, readings.Select(reading => reading.DataSha256.ToArray()));
        Add(command.Parameters, NpgsqlDbType.Bytea, readings.Select(reading => reading.Data.ToArray()));
        Add(command.Parameters, NpgsqlDbType.Bytea, readings.Select(reading => reading.Signature.ToArray()));

        var indexes = new Dictionary<(int, DateTime, UInt128, UInt128), int>(readings.Count);
        for (var i = 0; i < readings.Count; i++)
            indexes.TryAdd(Key(readings[i].EngineNo, readings[i].MeasuredAt, readings[i].DataSha256.Span), i);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            inserted.Add(indexes[Key(reader.GetInt32(0), reader.GetDateTime(1), reader.GetFieldValue<byte[]>(2))]);
        return inserted;

        static (int, DateTime, UInt128, UInt128) Key(int engineNo, DateTime measuredAt, ReadOnlySpan<byte> sha256) =>
            (engineNo, measuredAt, MemoryMarshal.Read<UInt128>(sha256), MemoryMarshal.Read<UInt128>(sha256[16..]));
    }

    /// <summary>
    /// Totals of late readings, one for each engine, window and metric, merged into the closed rows (Chan, Golub and LeVeque's pairwise update of the squared deviation);
    /// a window that had no such row gets one. Either way <c>revision</c> goes up.
    /// </summary>
    public static NpgsqlBatchCommand MergeLate(IReadOnlyList<WindowTotals> windows, DateTime updatedAt)
    {
        var command = new NpgsqlBatchCommand("""
            INSERT INTO factory.windows AS w (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at, metric)
            SELECT engine_no, 1, window_start, window_end, count, sum, min, max, squared_deviation, $10, metric
            FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::bigint[], $6::float8[], $7::float8[], $8::float8[], $9::float8[])
                AS late (engine_no, window_start, window_end, metric, count, sum, min, max, squared_deviation)
            ON CONFLICT (engine_no, window_start, window_end, metric) DO UPDATE SET
                revision = w.revision + 1,
                count = w.count + EXCLUDED.count,
                sum = w.sum + EXCLUDED.sum,
                min = least(w.min, EXCLUDED.min),
                max = greatest(w.max, EXCLUDED.max),
                squared_deviation = w.squared_deviation + EXCLUDED.squared_deviation
                    + (EXCLUDED.sum / EXCLUDED.count - w.sum / w.count) ^ 2 * w.count * EXCLUDED.count / (w.count + EXCLUDED.count),
                updated_at = EXCLUDED.updated_at
            """);
        Add(command.Parameters, NpgsqlDbType.Integer, windows.Select(window => window.EngineNo));
        Add(command.Parameters, NpgsqlDbType.TimestampTz, windows.Select(window => window.WindowStart));
        Add(command.Parameters, NpgsqlDbType.TimestampTz, windows.Select(window => window.WindowEnd));
        Add(command.Parameters, NpgsqlDbType.Text, windows.Select(window => window.Metric));
        Add(command.Parameters, NpgsqlDbType.Bigint, windows.Select(window => window.Count));
        Add(command.Parameters, NpgsqlDbType.Double, windows.Select(window => window.Sum));
        Add(command.Parameters, NpgsqlDbType.Double, windows.Select(window => window.Min));
        Add(command.Parameters, NpgsqlDbType.Double, windows.Select(window => window.Max));
        Add(command.Parameters, NpgsqlDbType.Double, windows.Select(window => window.SquaredDeviation));
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = updatedAt });
        return command;
    }

    /// <summary>How far engines' windows are closed.</summary>
    public static NpgsqlBatchCommand CloseUntil(IReadOnlyList<(int EngineNo, DateTime ClosedUntil)> engines)
    {
        var command = new NpgsqlBatchCommand("""
            UPDATE factory.engines SET closed_until = greatest(engines.closed_until, closed.closed_until)
            FROM unnest($1::int[], $2::timestamptz[]) AS closed (engine_no, closed_until)
            WHERE engines.engine_no = closed.engine_no
            """);
        Add(command.Parameters, NpgsqlDbType.Integer, engines.Select(engine => engine.EngineNo));
        Add(command.Parameters, NpgsqlDbType.TimestampTz, engines.Select(engine => engine.ClosedUntil));
        return command;
    }

    /// <summary>Takes the partitions a step on, each only from the offset and under the epoch that are its own. To be the transaction's first statement: it also locks them.</summary>
    /// <exception cref="FencedException">One of them is another owner's by now.</exception>
    public static async Task AdvanceAsync(NpgsqlConnection connection, IReadOnlyList<CheckpointStep> steps, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            UPDATE factory.checkpoints SET
                next_offset = step.next_offset, source_topic_id = step.source_topic_id, source_offset = step.source_offset, source_line = step.source_line
            FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::int[])
                AS step (topic, partition, epoch, expected, next_offset, source_topic_id, source_offset, source_line)
            WHERE checkpoints.topic = step.topic AND checkpoints.partition = step.partition
                AND checkpoints.epoch = step.epoch AND checkpoints.next_offset = step.expected
            """, connection);
        Add(command.Parameters, NpgsqlDbType.Text, steps.Select(step => step.Topic));
        Add(command.Parameters, NpgsqlDbType.Integer, steps.Select(step => step.Partition));
        Add(command.Parameters, NpgsqlDbType.Bigint, steps.Select(step => step.Epoch));
        Add(command.Parameters, NpgsqlDbType.Bigint, steps.Select(step => step.ExpectedOffset));
        Add(command.Parameters, NpgsqlDbType.Bigint, steps.Select(step => step.NextOffset));
        Add(command.Parameters, NpgsqlDbType.Text, steps.Select(step => step.SourceTopicId));
        Add(command.Parameters, NpgsqlDbType.Bigint, steps.Select(step => step.SourceOffset));
        Add(command.Parameters, NpgsqlDbType.Integer, steps.Select(step => step.SourceLine));
        var advanced = await command.ExecuteNonQueryAsync(cancellation);
        if (advanced != steps.Count)
            throw new FencedException($"{steps.Count - advanced} of {steps.Count} partitions have another owner by now.");
    }

    /// <summary>Adds to the books.</summary>
    public static NpgsqlBatchCommand AddToLedger(IReadOnlyList<LedgerEntry> entries)
    {
        var command = new NpgsqlBatchCommand("""
            INSERT INTO factory.ledger AS l (partition, factory_id, accepted, stored, duplicates)
            SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
            ON CONFLICT (partition, factory_id) DO UPDATE SET
                accepted = l.accepted + EXCLUDED.accepted, stored = l.stored + EXCLUDED.stored, duplicates = l.duplicates + EXCLUDED.duplicates
            """);
        Add(command.Parameters, NpgsqlDbType.Integer, entries.Select(entry => entry.Partition));
        Add(command.Parameters, NpgsqlDbType.Text, entries.Select(entry => entry.FactoryId));
        Add(command.Parameters, NpgsqlDbType.Bigint, entries.Select(entry => entry.Accepted));
        Add(command.Parameters, NpgsqlDbType.Bigint, entries.Select(entry => entry.Stored));
        Add(command.Parameters, NpgsqlDbType.Bigint, entries.Select(entry => entry.Duplicates));
        return command;
    }

    /// <summary>Keeps refused and rejected lines, and counts them on the books.</summary>
    public static NpgsqlBatchCommand[] AddRejections(IReadOnlyList<RejectionEntry> entries)
    {
        var lines = new NpgsqlBatchCommand("""
            INSERT INTO factory.rejections (rejected_at, factory_id, reason, refused, detail, line, source_partition, source_offset, source_line)
            SELECT rejected_at, factory_id, reason, refused, detail, line, CASE WHEN source_offset IS NOT NULL THEN partition END, source_offset, source_line
            FROM unnest($1::int[], $2::timestamptz[], $3::text[], $4::text[], $5::bool[], $6::text[], $7::bytea[], $8::bigint[], $9::int[])
                AS entry (partition, rejected_at, factory_id, reason, refused, detail, line, source_offset, source_line)
            """);
        Add(lines.Parameters, NpgsqlDbType.Integer, entries.Select(entry => entry.Partition));
        Add(lines.Parameters, NpgsqlDbType.TimestampTz, entries.Select(entry => entry.RejectedAt));
        Add(lines.Parameters, NpgsqlDbType.Text, entries.Select(entry => entry.FactoryId));
        Add(lines.Parameters, NpgsqlDbType.Text, entries.Select(entry => entry.Reason));
        Add(lines.Parameters, NpgsqlDbType.Boolean, entries.Select(entry => entry.Refused));
        Add(lines.Parameters, NpgsqlDbType.Text, entries.Select(entry => entry.Detail));
        Add(lines.Parameters, NpgsqlDbType.Bytea, entries.Select(entry => entry.Line));
        Add(lines.Parameters, NpgsqlDbType.Bigint, entries.Select(entry => entry.SourceOffset));
        Add(lines.Parameters, NpgsqlDbType.Integer, entries.Select(entry => entry.SourceLine));

        var groups = entries.GroupBy(entry => (entry.Partition, FactoryId: entry.FactoryId ?? "", entry.Reason, entry.Refused)).Select(group => (group.Key, Count: group.LongCount())).ToArray();
        var counts = new NpgsqlBatchCommand("""
            INSERT INTO factory.rejection_counts AS c (partition, factory_id, reason, refused, count)
            SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bool[], $5::bigint[])
            ON CONFLICT (partition, factory_id, reason, refused) DO UPDATE SET count = c.count + EXCLUDED.count
            """);
        Add(counts.Parameters, NpgsqlDbType.Integer, groups.Select(group => group.Key.Partition));
        Add(counts.Parameters, NpgsqlDbType.Text, groups.Select(group => group.Key.FactoryId));
        Add(counts.Parameters, NpgsqlDbType.Text, groups.Select(group => group.Key.Reason));
        Add(counts.Parameters, NpgsqlDbType.Boolean, groups.Select(group => group.Key.Refused));
        Add(counts.Parameters, NpgsqlDbType.Bigint, groups.Select(group => group.Count));
        return [lines, counts];
    }

    /// <summary>Tells whoever listens on <see cref="WindowsChannel"/> which engines' windows changed, when the transaction commits.</summary>
    /// <param name="engineNos">e.g. <c>[1,5,7]</c>; too many for a notification (8,000 bytes) become <c>"*"</c>.</param>
    public static NpgsqlBatchCommand Notify(IReadOnlyCollection<int> engineNos)
    {
        var payload = $"[{string.Join(',', engineNos)}]";
        var command = new NpgsqlBatchCommand("SELECT pg_notify($1, $2)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = WindowsChannel });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = payload.Length <= 7000 ? payload : "\"*\"" });
        return command;
    }

    /// <summary>The channel of <see cref="Notify"/>.</summary>
    public const string WindowsChannel = "factory_windows";

    private static void Add<T>(NpgsqlParameterCollection parameters, NpgsqlDbType type, IEnumerable<T> values) =>
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values.ToArray() });
}
