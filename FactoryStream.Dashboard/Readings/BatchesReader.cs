using Npgsql;

namespace FactoryStream.Dashboard.Readings;

/// <summary>Reads batches by the SHA-256 of their bytes.</summary>
internal sealed class BatchesReader(TimedSearch search)
{
    /// <summary>The batch; null: there is none.</summary>
    /// <param name="sha256">32 bytes.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <exception cref="SearchTooLongException">The database takes too long.</exception>
    public Task<SignedBatch?> FindAsync(byte[] sha256, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                // The hash is the first part of each table partition's key, and of the same bytes there is one time.
                await using var command = new NpgsqlCommand(
                    """
                    SELECT factory_id, key_id, measured_until, verdict_at, data, signature
                    FROM factory.batches JOIN factory.signing_keys USING (key_no)
                    WHERE sha256 = $1
                    LIMIT 1
                    """,
                    connection
                );
                command.Parameters.AddWithValue(sha256);
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                return await reader.ReadAsync(cancellation) ? Of(Convert.ToHexStringLower(sha256), reader) : null;
            },
            "Try again later.",
            cancellation
        );

    private static SignedBatch Of(string sha256, NpgsqlDataReader reader) =>
        new(
            sha256,
            reader.GetString(0),
            reader.GetString(1),
            reader.GetDateTime(2),
            reader.GetDateTime(3),
            Convert.ToBase64String(reader.GetFieldValue<byte[]>(4)),
            Convert.ToBase64String(reader.GetFieldValue<byte[]>(5))
        );
}
