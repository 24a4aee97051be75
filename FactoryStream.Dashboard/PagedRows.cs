using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard;

/// <summary>A page of rows: its query asks for one row more than the page holds, which tells whether there are more.</summary>
internal static class PagedRows
{
    /// <summary>Reads a page.</summary>
    /// <param name="command">Gives at most <paramref name="limit"/> + 1 rows, in the page's order.</param>
    /// <param name="limit">Most rows of the page, at least 1.</param>
    /// <param name="of">A row as it is shown.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <returns>The rows, and whether the page's last is not the last there is.</returns>
    public static async Task<(List<T> Rows, bool IsMore)> ReadPageAsync<T>(
        this NpgsqlCommand command,
        int limit,
        Func<NpgsqlDataReader, T> of,
        CancellationToken cancellation
    )
    {
        var rows = new List<T>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            if (rows.Count == limit)
                return (rows, true);
            rows.Add(of(reader));
        }
        return (rows, false);
    }

    /// <summary>A parameter that may be null, of which PostgreSQL is told the type.</summary>
    public static NpgsqlParameter Nullable(NpgsqlDbType type, object? value) =>
        new() { NpgsqlDbType = type, Value = value ?? DBNull.Value };
}
