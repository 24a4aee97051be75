using System.Security.Cryptography;
using System.Text;
using FactoryStream.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Storage;

/// <summary>
/// A line that was refused or rejected, on its way into <c>factory.rejections</c>; of a rejected batch, how many readings of the
/// partition it was. One whose factory has no key keeps the name for people to read, but is in no factory's ledger.
/// </summary>
/// <param name="Partition">The Kafka partition that the line was of.</param>
/// <param name="RejectedAt">When it was refused or rejected, UTC.</param>
/// <param name="FactoryId">The factory that it names; null where that could not be read.</param>
/// <param name="Reason">A verdict's name, e.g. <c>bad_signature</c>.</param>
/// <param name="Refused">True: refused by Ingest. False: accepted by Ingest, rejected later.</param>
/// <param name="Detail">What is wrong, in words; null: the reason says all.</param>
/// <param name="Line">The line's bytes as they came; of one that was too large its beginning.</param>
/// <param name="SourceOffset">The offset of its message on <c>readings.signed</c>; null where that is not known.</param>
/// <param name="SourceLine">The line in that message, from 0; null where that is not known.</param>
/// <param name="Readings">How many readings it counts in the ledger, at least 1.</param>
/// <param name="IsOfUnknownFactory">True: its factory has no key.</param>
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
    /// <summary>The factory in whose ledger it is counted; "" where there is none.</summary>
    public string LedgerFactoryId => IsOfUnknownFactory ? "" : FactoryId ?? "";
}

/// <summary>
/// Keeps refused and rejected lines, and counts them in the ledger. What stands in them comes from anybody, so nothing in one of them may
/// stop the others or the readings beside them.
/// </summary>
public static class RejectionWriter
{
    private const string DataException = "22";

    /// <summary>
    /// Stores rejections. One that the database will not take (class 22, data exceptions) is stored without its words, as malformed: the
    /// line and its place stay.
    /// </summary>
    /// <param name="connection">The transaction's connection; what the transaction did before stays whatever happens here.</param>
    /// <param name="entries">What to store and count; may be empty.</param>
    /// <param name="onBared">Called with each that was stored without its words, and with what the database said.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public static async Task StoreAsync(
        NpgsqlConnection connection,
        IReadOnlyList<RejectionEntry> entries,
        Action<RejectionEntry, string> onBared,
        CancellationToken cancellation
    )
    {
        if (entries.Count == 0)
            return;
        var storable = entries.Select(Storable).ToArray();
        if (await TryStoreAsync(connection, storable, cancellation) is null)
            return;
        foreach (var entry in storable)
        {
            if (await TryStoreAsync(connection, [entry], cancellation) is not { } reason)
                continue;
            onBared(entry, reason);
            var bare = entry with { FactoryId = null, Detail = null, Reason = Verdict.Malformed.ToName(), RejectedAt = DateTime.UnixEpoch };
            if (await TryStoreAsync(connection, [bare], cancellation) is { } still)
                throw new InvalidOperationException($"A rejection cannot be stored even without its detail and its line: {still}");
        }
    }

    private static RejectionEntry Storable(RejectionEntry entry) =>
        entry with
        {
            FactoryId = StorableText.IsName(entry.FactoryId) ? entry.FactoryId : null,
            Detail = StorableText.Of(entry.Detail),
        };

    /// <returns>What the database has against it; null when it is stored.</returns>
    private static async Task<string?> TryStoreAsync(
        NpgsqlConnection connection,
        IReadOnlyList<RejectionEntry> entries,
        CancellationToken cancellation
    )
    {
        await using var statements = new NpgsqlBatch(connection);
        statements.BatchCommands.Add(new("SAVEPOINT rejections"));
        foreach (var statement in Statements(entries))
            statements.BatchCommands.Add(statement);
        statements.BatchCommands.Add(new("RELEASE SAVEPOINT rejections"));
        try
        {
            await statements.ExecuteNonQueryAsync(cancellation);
            return null;
        }
        catch (PostgresException exception) when (exception.SqlState.StartsWith(DataException, StringComparison.Ordinal))
        {
            await using var rollback = new NpgsqlCommand("ROLLBACK TO SAVEPOINT rejections", connection);
            await rollback.ExecuteNonQueryAsync(cancellation);
            return exception.MessageText;
        }
    }

    private static NpgsqlBatchCommand[] Statements(IReadOnlyList<RejectionEntry> entries)
    {
        var lines = new NpgsqlBatchCommand(
            """
            INSERT INTO factory.rejections (rejected_at, factory_id, reason, refused, detail, line, source_partition, source_offset,
                source_line, readings, unknown_factory, data_sha256)
            SELECT rejected_at, factory_id, reason, refused, detail, line, CASE WHEN source_offset IS NOT NULL THEN partition END,
                source_offset, source_line, readings, unknown_factory, data_sha256
            FROM unnest($1::int[], $2::timestamptz[], $3::text[], $4::text[], $5::bool[], $6::text[], $7::bytea[], $8::bigint[], $9::int[],
                    $10::int[], $11::bool[], $12::bytea[])
                AS entry (partition, rejected_at, factory_id, reason, refused, detail, line, source_offset, source_line, readings,
                    unknown_factory, data_sha256)
            """
        );
        lines.Parameters.AddArray(NpgsqlDbType.Integer, entries.Select(entry => entry.Partition));
        lines.Parameters.AddArray(NpgsqlDbType.TimestampTz, entries.Select(entry => entry.RejectedAt));
        lines.Parameters.AddArray(NpgsqlDbType.Text, entries.Select(entry => entry.FactoryId));
        lines.Parameters.AddArray(NpgsqlDbType.Text, entries.Select(entry => entry.Reason));
        lines.Parameters.AddArray(NpgsqlDbType.Boolean, entries.Select(entry => entry.Refused));
        lines.Parameters.AddArray(NpgsqlDbType.Text, entries.Select(entry => entry.Detail));
        lines.Parameters.AddArray(NpgsqlDbType.Bytea, entries.Select(entry => entry.Line));
        lines.Parameters.AddArray(NpgsqlDbType.Bigint, entries.Select(entry => entry.SourceOffset));
        lines.Parameters.AddArray(NpgsqlDbType.Integer, entries.Select(entry => entry.SourceLine));
        lines.Parameters.AddArray(NpgsqlDbType.Integer, entries.Select(entry => entry.Readings));
        lines.Parameters.AddArray(NpgsqlDbType.Boolean, entries.Select(entry => entry.IsOfUnknownFactory));
        lines.Parameters.AddArray(NpgsqlDbType.Bytea, entries.Select(entry => DataSha256(entry.Line)));

        var groups = entries
            .GroupBy(entry => (entry.Partition, FactoryId: entry.LedgerFactoryId, entry.Reason, entry.Refused))
            .Select(group => (group.Key, Count: group.Sum(entry => (long)entry.Readings), Bytes: group.Sum(Bytes)))
            // Two owners may count in one partition, of verified and of rejected: in the same order, so that neither waits for the other
            // for ever.
            .OrderBy(group => group.Key.Partition)
            .ThenBy(group => group.Key.FactoryId, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Reason, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Refused)
            .ToArray();
        var counts = new NpgsqlBatchCommand(
            """
            INSERT INTO factory.rejection_counts AS c (partition, factory_id, reason, refused, count, bytes)
            SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bool[], $5::bigint[], $6::bigint[])
            ON CONFLICT (partition, factory_id, reason, refused) DO UPDATE SET
                count = c.count + EXCLUDED.count, bytes = c.bytes + EXCLUDED.bytes
            """
        );
        counts.Parameters.AddArray(NpgsqlDbType.Integer, groups.Select(group => group.Key.Partition));
        counts.Parameters.AddArray(NpgsqlDbType.Text, groups.Select(group => group.Key.FactoryId));
        counts.Parameters.AddArray(NpgsqlDbType.Text, groups.Select(group => group.Key.Reason));
        counts.Parameters.AddArray(NpgsqlDbType.Boolean, groups.Select(group => group.Key.Refused));
        counts.Parameters.AddArray(NpgsqlDbType.Bigint, groups.Select(group => group.Count));
        counts.Parameters.AddArray(NpgsqlDbType.Bigint, groups.Select(group => group.Bytes));
        return [lines, counts];

        static byte[]? DataSha256(byte[] line) =>
            EnvelopeParts.Find(line).Data is { IsEmpty: false } data ? SHA256.HashData(data.Span) : null;

        static long Bytes(RejectionEntry entry) =>
            entry.Line.Length + (entry.Detail is null ? 0 : Encoding.UTF8.GetByteCount(entry.Detail)) + RejectionRetention.Overhead;
    }
}
