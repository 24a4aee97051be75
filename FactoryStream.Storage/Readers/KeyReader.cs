using Npgsql;

namespace FactoryStream.Storage;

/// <summary>What a commit's transaction has to know of <c>factory.signing_keys</c>.</summary>
/// <param name="database">The database with the schema <c>factory</c>.</param>
public sealed class KeyReader(NpgsqlDataSource database)
{
    /// <summary>The numbers of all signing keys, by the keys' ids.</summary>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<Dictionary<string, int>> KeysAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("SELECT key_id, key_no FROM factory.signing_keys");
        var keys = new Dictionary<string, int>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            keys[reader.GetString(0)] = reader.GetInt32(1);
        return keys;
    }

    /// <summary>Which of these factories have a key, even one that is revoked or expired.</summary>
    /// <param name="factoryIds">The ids of factories, whether there are such or not.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public async Task<List<string>> EnrolledAsync(IReadOnlyCollection<string> factoryIds, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            "SELECT DISTINCT factory_id FROM factory.signing_keys WHERE factory_id = ANY ($1)"
        );
        command.Parameters.AddWithValue(factoryIds.ToArray());
        var enrolled = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            enrolled.Add(reader.GetString(0));
        return enrolled;
    }
}
