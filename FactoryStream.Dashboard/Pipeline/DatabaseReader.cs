using Npgsql;

namespace FactoryStream.Dashboard.Pipeline;

/// <summary>How large the database and its tables are.</summary>
internal sealed class DatabaseReader(TimedSearch search)
{
    /// <summary>Asking for sizes looks at every file of the database, so it is not done at every look.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    // A month's table partition, readings_202602, is earlier than a day's of it, readings_20260225: so it is by name alone.
    private const string Tables = """
        SELECT coalesce(parent.relname, one.relname), coalesce(sum(pg_total_relation_size(one.oid)), 0)::bigint AS bytes,
            count(parent.oid),
            min(one.relname::text) FILTER (WHERE parent.oid IS NOT NULL), max(one.relname::text) FILTER (WHERE parent.oid IS NOT NULL)
        FROM pg_class AS one
            LEFT JOIN pg_inherits ON inhrelid = one.oid
            LEFT JOIN pg_class AS parent ON parent.oid = inhparent
        WHERE one.relnamespace = 'factory'::regnamespace AND one.relkind = 'r'
        GROUP BY 1
        ORDER BY bytes DESC, 1
        LIMIT 10
        """;

    public Task<DatabaseState> ReadAsync(CancellationToken cancellation) =>
        search.RunAsync(connection => ReadAsync(connection, cancellation), "Try again later.", cancellation);

    private static async Task<DatabaseState> ReadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new("SELECT current_setting('server_version'), pg_database_size(current_database())"), new(Tables) },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        var (version, bytes) = (reader.GetString(0), reader.GetInt64(1));
        await reader.NextResultAsync(cancellation);
        var tables = new List<TableSize>();
        while (await reader.ReadAsync(cancellation))
            tables.Add(new(reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), Text(3), Text(4)));
        return new(version, bytes, tables);

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
    }
}
