using Npgsql;

namespace FactoryStream.Storage;

/// <summary>Signed bytes are stored as text and must come back byte for byte: that holds in a database of UTF-8 alone.</summary>
public static class DatabaseEncoding
{
    /// <summary>Refuses a database of another encoding.</summary>
    /// <param name="connection">An open connection to the database.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <exception cref="InvalidOperationException">The database has another encoding; says what to do.</exception>
    public static async Task RequireUtf8Async(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT current_setting('server_encoding'), current_database()", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        if (reader.GetString(0) is var encoding and not "UTF8")
        {
            throw new InvalidOperationException(
                $"The database {reader.GetString(1)}: expected the encoding UTF8, found {encoding}. "
                    + $"Create it again: CREATE DATABASE {reader.GetString(1)} ENCODING 'UTF8' TEMPLATE template0."
            );
        }
    }
}
