using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>A signed batch on its way into <c>factory.batches</c>.</summary>
/// <param name="Sha256">The SHA-256 of <paramref name="Data"/>, 32 bytes.</param>
/// <param name="MeasuredUntil">The event time of its newest reading, UTC.</param>
/// <param name="KeyNo">The number of the key that signed.</param>
/// <param name="VerdictAt">When the Verifier accepted it, UTC.</param>
/// <param name="Data">The exact bytes that were signed, from <c>[</c> to <c>]</c>.</param>
/// <param name="Signature">The raw signature over <paramref name="Data"/>.</param>
public readonly record struct BatchEntry(
    ReadOnlyMemory<byte> Sha256,
    DateTime MeasuredUntil,
    int KeyNo,
    DateTime VerdictAt,
    ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Signature
);

/// <summary>What a commit's transaction writes into <c>factory.batches</c>.</summary>
public static class BatchStatements
{
    /// <summary>
    /// Signed batches, each of them stored once: another transaction may have brought one before, with the readings of another partition.
    /// </summary>
    /// <param name="batches">Each once; sorted in place. Inserted in the order of their hashes, so that two transactions with the same
    /// batches never wait for each other.</param>
    public static NpgsqlBatchCommand Insert(List<BatchEntry> batches)
    {
        batches.Sort(static (left, right) => left.Sha256.Span.SequenceCompareTo(right.Sha256.Span));
        var command = new NpgsqlBatchCommand(
            """
            INSERT INTO factory.batches (sha256, measured_until, key_no, verdict_at, data, signature)
            SELECT * FROM unnest($1::bytea[], $2::timestamptz[], $3::int[], $4::timestamptz[], $5::bytea[], $6::bytea[])
            ON CONFLICT DO NOTHING
            """
        );
        command.Parameters.AddArray(NpgsqlDbType.Bytea, batches.Select(batch => batch.Sha256.ToArray()));
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, batches.Select(batch => batch.MeasuredUntil));
        command.Parameters.AddArray(NpgsqlDbType.Integer, batches.Select(batch => batch.KeyNo));
        command.Parameters.AddArray(NpgsqlDbType.TimestampTz, batches.Select(batch => batch.VerdictAt));
        command.Parameters.AddArray(NpgsqlDbType.Bytea, batches.Select(batch => batch.Data.ToArray()));
        command.Parameters.AddArray(NpgsqlDbType.Bytea, batches.Select(batch => batch.Signature.ToArray()));
        return command;
    }
}
