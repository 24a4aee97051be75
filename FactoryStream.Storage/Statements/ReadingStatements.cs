using System.Runtime.InteropServices;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>
/// A reading on its way into <c>factory.readings</c>, with its own <paramref name="Signature"/> or, where there is one, the signed batch
/// that is its evidence.
/// </summary>
/// <param name="EngineNo">The number that <c>factory.engines</c> gave the engine.</param>
/// <param name="KeyNo">The number that <c>factory.signing_keys</c> gave the key that signed.</param>
/// <param name="MeasuredAt">Event time, UTC, in whole microseconds.</param>
/// <param name="VerdictAt">When the Verifier accepted it, UTC.</param>
/// <param name="DataSha256">The SHA-256 of <paramref name="Data"/>, 32 bytes.</param>
/// <param name="Data">The exact bytes that were signed, UTF-8.</param>
/// <param name="Signature">The raw signature over <paramref name="Data"/>; empty where a batch was signed.</param>
/// <param name="BatchSha256">The SHA-256 of the batch that holds <paramref name="Data"/>, 32 bytes; empty where there is none.</param>
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

/// <summary>What a commit's transaction writes into <c>factory.readings</c>.</summary>
public static class ReadingStatements
{
    /// <summary>The target of <see cref="BinaryCopyBuffer.CopyToAsync"/> for rows written by <see cref="Append"/>.</summary>
    public const string CopyTarget =
        "factory.readings (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature, batch_sha256)";

    /// <summary>Appends a reading that is not stored yet.</summary>
    /// <param name="rows">The rows for <see cref="CopyTarget"/>; one is added.</param>
    /// <param name="reading">The reading, with a signature of its own or the hash of its batch.</param>
    public static void Append(BinaryCopyBuffer rows, in ReadingEntry reading)
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

    /// <summary>
    /// Inserts readings some of which may be stored already. The same reading twice in the list is inserted once, as the first.
    /// </summary>
    /// <param name="connection">The connection of the transaction under way.</param>
    /// <param name="readings">Any number, in any order.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>The indexes of those that were not stored before, in no order.</returns>
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
            SELECT engine_no, key_no, measured_at, verdict_at, data_sha256, convert_from(data, 'UTF8')::json,
                CASE WHEN batch_sha256 = '' THEN signature END, nullif(batch_sha256, '')
            FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[])
                AS entry (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature, batch_sha256)
            ON CONFLICT DO NOTHING
            RETURNING engine_no, measured_at, data_sha256
            """,
            connection
        );
        command.Parameters.AddArray(NpgsqlDbType.Integer, readings.Select(reading => reading.EngineNo));
        command.Parameters.AddArray(NpgsqlDbType.Integer, readings.Select(reading => reading.KeyNo));
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, readings.Select(reading => reading.MeasuredAt));
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, readings.Select(reading => reading.VerdictAt));
        command.Parameters.AddArray(NpgsqlDbType.Bytea, readings.Select(reading => reading.DataSha256.ToArray()));
        command.Parameters.AddArray(NpgsqlDbType.Bytea, readings.Select(reading => reading.Data.ToArray()));
        command.Parameters.AddArray(NpgsqlDbType.Bytea, readings.Select(reading => reading.Signature.ToArray()));
        command.Parameters.AddArray(NpgsqlDbType.Bytea, readings.Select(reading => reading.BatchSha256.ToArray()));

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
}
