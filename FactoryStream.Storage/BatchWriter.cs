using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>
/// A reading on its way into <c>factory.readings</c>, with its own <paramref name="Signature"/> or, where there is one, the signed batch
/// that is its evidence.
/// </summary>
public readonly record struct ReadingEntry(
    int EngineNo,
    int KeyNo,
    DateTime MeasuredAt,
    DateTime VerdictAt,
    ReadOnlyMemory<byte> DataSha256,
    ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Signature,
    ReadOnlyMemory<byte> BatchSha256 = default
);

/// <summary>A signed batch on its way into <c>factory.batches</c>.</summary>
/// <param name="Sha256">Of <paramref name="Data"/>.</param>
/// <param name="MeasuredUntil">Its newest reading's time.</param>
/// <param name="KeyNo">The signing key.</param>
/// <param name="VerdictAt">When it was accepted.</param>
/// <param name="Data">The array's exact bytes.</param>
/// <param name="Signature">Over them.</param>
public readonly record struct BatchEntry(
    ReadOnlyMemory<byte> Sha256,
    DateTime MeasuredUntil,
    int KeyNo,
    DateTime VerdictAt,
    ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Signature
);

/// <summary>A step of a partition: from one offset to the next, under an epoch.</summary>
public readonly record struct CheckpointStep(
    string Topic,
    int Partition,
    long Epoch,
    long ExpectedOffset,
    long NextOffset,
    string SourceTopicId,
    long SourceOffset,
    int SourceLine
);

/// <summary>What a batch adds to the books.</summary>
public readonly record struct LedgerEntry(int Partition, string FactoryId, long Accepted, long Stored, long Duplicates);

/// <summary>
/// A line that was refused or rejected, on its way into <c>factory.rejections</c>; of a rejected batch, how many readings of the
/// partition it was. One whose factory has no key keeps the name for people to read, but stands on nobody's books.
/// </summary>
public readonly record struct RejectionEntry(
    int Partition,
    DateTime RejectedAt,
    string? FactoryId,
    string Reason,
    bool Refused,
    string? Detail,
    byte[] Line,
    long? SourceOffset,
    int? SourceLine,
    int Readings = 1,
    bool IsOfUnknownFactory = false
)
{
    /// <summary>Whose books it stands on; "": nobody's.</summary>
    public string Books => IsOfUnknownFactory ? "" : FactoryId ?? "";
}

/// <summary>Messages of a partition that retention took before they were taken in.</summary>
public readonly record struct LossEntry(string Topic, int Partition, long Messages);

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
    public const string ReadingsTarget =
        "factory.readings (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature, batch_sha256)";

    /// <summary>The target of <see cref="CopyAsync"/> for rows written by <see cref="AppendWindow"/>.</summary>
    public const string WindowsTarget =
        "factory.windows (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at, metric)";

    public static void AppendReading(BinaryCopyBuffer rows, in ReadingEntry reading)
    {
        rows.Row(8);
        rows.Int32(reading.EngineNo);
        rows.Int32(reading.KeyNo);
        rows.Timestamp(reading.MeasuredAt.Ticks);
        rows.Timestamp(reading.VerdictAt.Ticks);
        rows.Bytes(reading.DataSha256.Span);
        rows.Bytes(reading.Data.Span);
        if (reading.BatchSha256.IsEmpty)
        {
            rows.Bytes(reading.Signature.Span);
            rows.Null();
        }
        else
        {
            rows.Null();
            rows.Bytes(reading.BatchSha256.Span);
        }
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

    /// <summary>
    /// Readings that may be there already; which of them were not, by their index. The same reading twice in the list is inserted once, as
    /// the first.
    /// </summary>
    public static async Task<List<int>> InsertNewAsync(
        NpgsqlConnection connection,
        IReadOnlyList<ReadingEntry> readings,
        CancellationToken cancellation
    )
    {
        var inserted = new List<int>();
        if (readings.Count == 0)
            return inserted;
        await using var command = new NpgsqlCommand(
            """
            INSERT INTO factory.readings (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature, batch_sha256)
            SELECT engine_no, key_no, measured_at, verdict_at, data_sha256, convert_from(data, 'UTF8')::json, CASE WHEN batch_sha256 = '' THEN signature END, nullif(batch_sha256, '')
            FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[])
                AS entry (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature, batch_sha256)
            ON CONFLICT DO NOTHING
            RETURNING engine_no, measured_at, data_sha256
            """,
            connection
        );
        Add(command.Parameters, NpgsqlDbType.Integer, readings.Select(reading => reading.EngineNo));
        Add(command.Parameters, NpgsqlDbType.Integer, readings.Select(reading => reading.KeyNo));
        Add(command.Parameters, NpgsqlDbType.TimestampTz, readings.Select(reading => reading.MeasuredAt));
        Add(command.Parameters, NpgsqlDbType.TimestampTz, readings.Select(reading => reading.VerdictAt));
        Add(command.Parameters, NpgsqlDbType.Bytea, readings.Select(reading => reading.DataSha256.ToArray()));
        Add(command.Parameters, NpgsqlDbType.Bytea, readings.Select(reading => reading.Data.ToArray()));
        Add(command.Parameters, NpgsqlDbType.Bytea, readings.Select(reading => reading.Signature.ToArray()));
        Add(command.Parameters, NpgsqlDbType.Bytea, readings.Select(reading => reading.BatchSha256.ToArray()));

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
    /// Signed batches, each of them stored once: another transaction may have brought one before, with the readings of another partition.
    /// </summary>
    /// <param name="batches">Each once. Inserted in the order of their hashes, so that two transactions with the same batches never wait
    /// for each other.</param>
    public static NpgsqlBatchCommand AddBatches(List<BatchEntry> batches)
    {
        batches.Sort(static (left, right) => left.Sha256.Span.SequenceCompareTo(right.Sha256.Span));
        var command = new NpgsqlBatchCommand(
            """
            INSERT INTO factory.batches (sha256, measured_until, key_no, verdict_at, data, signature)
            SELECT * FROM unnest($1::bytea[], $2::timestamptz[], $3::int[], $4::timestamptz[], $5::bytea[], $6::bytea[])
            ON CONFLICT DO NOTHING
            """
        );
        Add(command.Parameters, NpgsqlDbType.Bytea, batches.Select(batch => batch.Sha256.ToArray()));
        Add(command.Parameters, NpgsqlDbType.TimestampTz, batches.Select(batch => batch.MeasuredUntil));
        Add(command.Parameters, NpgsqlDbType.Integer, batches.Select(batch => batch.KeyNo));
        Add(command.Parameters, NpgsqlDbType.TimestampTz, batches.Select(batch => batch.VerdictAt));
        Add(command.Parameters, NpgsqlDbType.Bytea, batches.Select(batch => batch.Data.ToArray()));
        Add(command.Parameters, NpgsqlDbType.Bytea, batches.Select(batch => batch.Signature.ToArray()));
        return command;
    }

    /// <summary>The closed windows that are stored, of those named; in the transaction that is to write them again.</summary>
    /// <param name="connection">In the transaction.</param>
    /// <param name="windows">Which: engine, start, end and metric.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task<List<WindowTotals>> ReadWindowsAsync(
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
        Add(select.Parameters, NpgsqlDbType.Integer, windows.Select(window => window.EngineNo));
        Add(select.Parameters, NpgsqlDbType.TimestampTz, windows.Select(window => window.WindowStart));
        Add(select.Parameters, NpgsqlDbType.TimestampTz, windows.Select(window => window.WindowEnd));
        Add(select.Parameters, NpgsqlDbType.Text, windows.Select(window => window.Metric));
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
    /// <param name="connection">In the transaction.</param>
    /// <param name="rows">Each engine, window and metric once.</param>
    /// <param name="newRevision">Of a row that is not there yet. A row that is there goes up by one.</param>
    /// <param name="updatedAt">UTC.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task UpsertWindowsAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<WindowTotals> rows,
        int newRevision,
        DateTime updatedAt,
        CancellationToken cancellation
    )
    {
        await using var upsert = new NpgsqlCommand(
            """
            INSERT INTO factory.windows AS w (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at, metric)
            SELECT engine_no, $11, window_start, window_end, count, sum, min, max, squared_deviation, $10, metric
            FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::bigint[], $6::float8[], $7::float8[], $8::float8[], $9::float8[])
                AS merged (engine_no, window_start, window_end, metric, count, sum, min, max, squared_deviation)
            ON CONFLICT (engine_no, window_start, window_end, metric) DO UPDATE SET
                revision = w.revision + 1, count = EXCLUDED.count, sum = EXCLUDED.sum, min = EXCLUDED.min, max = EXCLUDED.max,
                squared_deviation = EXCLUDED.squared_deviation, updated_at = EXCLUDED.updated_at
            """,
            connection
        );
        Add(upsert.Parameters, NpgsqlDbType.Integer, rows.Select(window => window.EngineNo));
        Add(upsert.Parameters, NpgsqlDbType.TimestampTz, rows.Select(window => window.WindowStart));
        Add(upsert.Parameters, NpgsqlDbType.TimestampTz, rows.Select(window => window.WindowEnd));
        Add(upsert.Parameters, NpgsqlDbType.Text, rows.Select(window => window.Metric));
        Add(upsert.Parameters, NpgsqlDbType.Bigint, rows.Select(window => window.Count));
        Add(upsert.Parameters, NpgsqlDbType.Double, rows.Select(window => window.Sum));
        Add(upsert.Parameters, NpgsqlDbType.Double, rows.Select(window => window.Min));
        Add(upsert.Parameters, NpgsqlDbType.Double, rows.Select(window => window.Max));
        Add(upsert.Parameters, NpgsqlDbType.Double, rows.Select(window => window.SquaredDeviation));
        upsert.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = updatedAt });
        upsert.Parameters.Add(new NpgsqlParameter<int> { TypedValue = newRevision });
        await upsert.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>How far engines' windows are closed.</summary>
    public static NpgsqlBatchCommand CloseUntil(IReadOnlyList<(int EngineNo, DateTime ClosedUntil)> engines)
    {
        var command = new NpgsqlBatchCommand(
            """
            UPDATE factory.engines SET closed_until = greatest(engines.closed_until, closed.closed_until)
            FROM unnest($1::int[], $2::timestamptz[]) AS closed (engine_no, closed_until)
            WHERE engines.engine_no = closed.engine_no
            """
        );
        Add(command.Parameters, NpgsqlDbType.Integer, engines.Select(engine => engine.EngineNo));
        Add(command.Parameters, NpgsqlDbType.TimestampTz, engines.Select(engine => engine.ClosedUntil));
        return command;
    }

    /// <summary>
    /// Takes the partitions a step on, each only from the offset and under the epoch that are its own. To be the transaction's first
    /// statement: it also locks them.
    /// </summary>
    /// <exception cref="FencedException">One of them is another owner's by now.</exception>
    public static async Task AdvanceAsync(NpgsqlConnection connection, IReadOnlyList<CheckpointStep> steps, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            UPDATE factory.checkpoints SET
                next_offset = step.next_offset, source_topic_id = step.source_topic_id, source_offset = step.source_offset, source_line = step.source_line
            FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::int[])
                AS step (topic, partition, epoch, expected, next_offset, source_topic_id, source_offset, source_line)
            WHERE checkpoints.topic = step.topic AND checkpoints.partition = step.partition
                AND checkpoints.epoch = step.epoch AND checkpoints.next_offset = step.expected
            """,
            connection
        );
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
        var command = new NpgsqlBatchCommand(
            """
            INSERT INTO factory.ledger AS l (partition, factory_id, accepted, stored, duplicates)
            SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
            ON CONFLICT (partition, factory_id) DO UPDATE SET
                accepted = l.accepted + EXCLUDED.accepted, stored = l.stored + EXCLUDED.stored, duplicates = l.duplicates + EXCLUDED.duplicates
            """
        );
        Add(command.Parameters, NpgsqlDbType.Integer, entries.Select(entry => entry.Partition));
        Add(command.Parameters, NpgsqlDbType.Text, entries.Select(entry => entry.FactoryId));
        Add(command.Parameters, NpgsqlDbType.Bigint, entries.Select(entry => entry.Accepted));
        Add(command.Parameters, NpgsqlDbType.Bigint, entries.Select(entry => entry.Stored));
        Add(command.Parameters, NpgsqlDbType.Bigint, entries.Select(entry => entry.Duplicates));
        return command;
    }

    /// <summary>What retention took before it was taken in: on no factory's books, for nobody knows whose it was.</summary>
    public static NpgsqlBatchCommand AddLosses(IReadOnlyList<LossEntry> losses)
    {
        var command = new NpgsqlBatchCommand(
            """
            INSERT INTO factory.losses AS l (topic, partition, messages)
            SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[])
            ON CONFLICT (topic, partition) DO UPDATE SET messages = l.messages + EXCLUDED.messages
            """
        );
        Add(command.Parameters, NpgsqlDbType.Text, losses.Select(loss => loss.Topic));
        Add(command.Parameters, NpgsqlDbType.Integer, losses.Select(loss => loss.Partition));
        Add(command.Parameters, NpgsqlDbType.Bigint, losses.Select(loss => loss.Messages));
        return command;
    }

    /// <summary>Names of metrics that engines have brought for the first time.</summary>
    public static NpgsqlBatchCommand AddMetrics(IReadOnlyList<(int EngineNo, string Metric)> metrics)
    {
        var command = new NpgsqlBatchCommand(
            "INSERT INTO factory.engine_metrics (engine_no, metric) SELECT * FROM unnest($1::int[], $2::text[]) ON CONFLICT DO NOTHING"
        );
        Add(command.Parameters, NpgsqlDbType.Integer, metrics.Select(entry => entry.EngineNo));
        Add(command.Parameters, NpgsqlDbType.Text, metrics.Select(entry => entry.Metric));
        return command;
    }

    /// <summary>
    /// Tells whoever listens on <see cref="WindowsChannel"/> which engines' windows changed, when the transaction commits.
    /// </summary>
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

    internal static void Add<T>(NpgsqlParameterCollection parameters, NpgsqlDbType type, IEnumerable<T> values) =>
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values.ToArray() });
}
