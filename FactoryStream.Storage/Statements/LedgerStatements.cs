using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>What a commit adds to the ledger of a factory in a partition.</summary>
/// <param name="Partition">The Kafka partition that the lines were of.</param>
/// <param name="FactoryId">The factory's id; "" for lines whose factory could not be read or has no key.</param>
/// <param name="Accepted">Readings that Ingest accepted.</param>
/// <param name="Stored">Of these, the readings that were stored.</param>
/// <param name="Duplicates">Of these, the readings that were stored before.</param>
public readonly record struct LedgerEntry(int Partition, string FactoryId, long Accepted, long Stored, long Duplicates);

/// <summary>What a commit's transaction writes into <c>factory.ledger</c>.</summary>
public static class LedgerStatements
{
    /// <summary>Adds to the ledger.</summary>
    /// <param name="entries">Each partition and factory once.</param>
    public static NpgsqlBatchCommand Add(IReadOnlyList<LedgerEntry> entries)
    {
        var command = new NpgsqlBatchCommand(
            """
            INSERT INTO factory.ledger AS l (partition, factory_id, accepted, stored, duplicates)
            SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
            ON CONFLICT (partition, factory_id) DO UPDATE SET
                accepted = l.accepted + EXCLUDED.accepted, stored = l.stored + EXCLUDED.stored,
                duplicates = l.duplicates + EXCLUDED.duplicates
            """
        );
        command.Parameters.AddArray(NpgsqlDbType.Integer, entries.Select(entry => entry.Partition));
        command.Parameters.AddArray(NpgsqlDbType.Text, entries.Select(entry => entry.FactoryId));
        command.Parameters.AddArray(NpgsqlDbType.Bigint, entries.Select(entry => entry.Accepted));
        command.Parameters.AddArray(NpgsqlDbType.Bigint, entries.Select(entry => entry.Stored));
        command.Parameters.AddArray(NpgsqlDbType.Bigint, entries.Select(entry => entry.Duplicates));
        return command;
    }
}
