using System.Data;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using FactoryStream.Signatures;
using Npgsql;

namespace FactoryStream.Audit.Evidence;

/// <summary>One time partition of <c>factory.readings</c>, as it was at one moment.</summary>
internal sealed class ReadingsPartition : IAsyncDisposable
{
    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction snapshot;
    private readonly string quotedName;

    private ReadingsPartition(NpgsqlConnection connection, NpgsqlTransaction snapshot, string quotedName) =>
        (this.connection, this.snapshot, this.quotedName) = (connection, snapshot, quotedName);

    /// <exception cref="EvidenceException">The database cannot be asked, or has no such partition.</exception>
    public static async Task<ReadingsPartition> OpenAsync(string connectionString, string name, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection();
        try
        {
            connection.ConnectionString = connectionString;
            await connection.OpenAsync(cancellationToken);
            // All that follows sees the same rows, whatever is written meanwhile.
            var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
            await using var command = new NpgsqlCommand(
                """
                SELECT relname, quote_ident(relname) FROM pg_inherits JOIN pg_class ON oid = inhrelid
                WHERE inhparent = to_regclass('factory.readings') ORDER BY relname
                """,
                connection
            );
            var names = new Dictionary<string, string>();
            await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
            {
                while (await reader.ReadAsync(cancellationToken))
                    names.Add(reader.GetString(0), reader.GetString(1));
            }
            return names.TryGetValue(name, out var quoted)
                ? new ReadingsPartition(connection, snapshot, quoted)
                : throw new EvidenceException(
                    $"There is no partition {name}. There are: {(names.Count == 0 ? "none" : string.Join(", ", names.Keys))}."
                );
        }
        catch (Exception exception)
        {
            await connection.DisposeAsync();
            // The argument that may be wrong is the connection string.
            if (exception is NpgsqlException or ArgumentException)
                throw new EvidenceException($"The database cannot be asked: {exception.Message}", exception);
            throw;
        }
    }

    /// <summary>Readings without a signature of their own: their evidence is elsewhere.</summary>
    public async Task<long> CountUnsignedAsync(CancellationToken cancellationToken)
    {
        await using var command = Command($"SELECT count(*) FROM factory.{quotedName} WHERE signature IS NULL");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task<long> CountAsync(CancellationToken cancellationToken)
    {
        await using var command = Command($"SELECT count(*) FROM factory.{quotedName}");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>
    /// Every key that any of its readings was checked with, without its times: they were checked when the verdict was given.
    /// </summary>
    public async Task<IReadOnlyList<PublicKey>> KeysAsync(CancellationToken cancellationToken)
    {
        await using var command = Command(
            "SELECT key_id, factory_id, public_key FROM factory.signing_keys WHERE key_no IN (SELECT DISTINCT key_no FROM "
                + $"factory.{quotedName})"
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var keys = new List<PublicKey>();
        while (await reader.ReadAsync(cancellationToken))
        {
            keys.Add(
                RsaPublicKey.TryParsePem(PemEncoding.WriteString("PUBLIC KEY", reader.GetFieldValue<byte[]>(2)), out var key, out var error)
                    ? new PublicKey(key, reader.GetString(0), reader.GetString(1))
                    : throw new EvidenceException($"Key {reader.GetString(0)}: {error}")
            );
        }
        return keys;
    }

    /// <summary>Its readings with their evidence, by engine and time.</summary>
    public async IAsyncEnumerable<ArchivedReading> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var rows = await connection.BeginBinaryExportAsync(
            $"""
            COPY (
                SELECT engines.factory_id, engine_id, measured_at, verdict_at, key_id, data::text, signature
                FROM factory.{quotedName} JOIN factory.engines USING (engine_no) JOIN factory.signing_keys USING (key_no)
                ORDER BY engine_no, measured_at, data_sha256
            ) TO STDOUT (FORMAT BINARY)
            """,
            cancellationToken
        );
        while (await rows.StartRowAsync(cancellationToken) != -1)
        {
            yield return new ArchivedReading(
                await rows.ReadAsync<string>(cancellationToken),
                await rows.ReadAsync<string>(cancellationToken),
                await rows.ReadAsync<DateTime>(cancellationToken),
                await rows.ReadAsync<DateTime>(cancellationToken),
                await rows.ReadAsync<string>(cancellationToken),
                await rows.ReadAsync<string>(cancellationToken),
                await rows.ReadAsync<byte[]>(cancellationToken)
            );
        }
    }

    public async ValueTask DisposeAsync()
    {
        await snapshot.DisposeAsync();
        await connection.DisposeAsync();
    }

#pragma warning disable CA2100 // The name is one of the catalogue's own, quoted by it.
    private NpgsqlCommand Command(string sql) => new(sql, connection) { CommandTimeout = 0 };
#pragma warning restore CA2100
}
