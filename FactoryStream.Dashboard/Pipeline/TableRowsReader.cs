using System.Collections;
using System.Globalization;
using System.Text;
using Npgsql;

namespace FactoryStream.Dashboard.Pipeline;

/// <summary>Rows of a table as text; null is SQL's.</summary>
internal sealed record TableRows(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string?>> Rows);

/// <summary>Reads the last rows of a table out of a fixed list.</summary>
internal sealed class TableRowsReader(TimedSearch search)
{
    private const int MaxHexBytes = 64;

    // Readings and windows have no index by time alone: the last ones are those of the engines whose windows closed last.
    private static readonly Dictionary<string, string> Queries = new()
    {
        ["readings"] = LastOfEngines("readings", "measured_at"),
        ["engine_windows"] = LastOfEngines("engine_windows", "window_start"),
        ["rejections"] = "SELECT * FROM factory.rejections ORDER BY rejection_no DESC LIMIT $1",
        ["checkpoints"] = "SELECT * FROM factory.checkpoints ORDER BY topic, partition LIMIT $1",
        ["engines"] = "SELECT * FROM factory.engines ORDER BY engine_no DESC LIMIT $1",
        ["ledger"] = "SELECT * FROM factory.ledger ORDER BY factory_id, partition LIMIT $1",
        ["rejection_counts"] = "SELECT * FROM factory.rejection_counts ORDER BY count DESC, reason LIMIT $1",
        ["signing_keys"] = "SELECT * FROM factory.signing_keys ORDER BY key_no DESC LIMIT $1",
        ["losses"] = "SELECT * FROM factory.losses ORDER BY topic, partition LIMIT $1",
        ["topics"] = "SELECT * FROM factory.topics ORDER BY topic LIMIT $1",
    };

    /// <summary>The tables that there are to choose from.</summary>
    public static IReadOnlyList<string> Tables { get; } = [.. Queries.Keys];

    /// <summary>The rows, at most <see cref="NewestMessagesReader.MaxCount"/>.</summary>
    /// <exception cref="SearchTooLongException">It took too long.</exception>
    public Task<TableRows> ReadAsync(string table, int count, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(Queries[table], connection);
                command.Parameters.AddWithValue(Math.Clamp(count, 1, NewestMessagesReader.MaxCount));
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                List<string> columns = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
                var rows = new List<IReadOnlyList<string?>>();
                while (await reader.ReadAsync(cancellation))
                    rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(column => Text(reader.GetValue(column)))]);
                return new TableRows(columns, rows);
            },
            "Ask for fewer rows.",
            cancellation
        );

    private static string LastOfEngines(string table, string time) =>
        $"""
            SELECT newest.* FROM (SELECT engine_no FROM factory.engines ORDER BY closed_until DESC NULLS LAST LIMIT $1) AS engine
            CROSS JOIN LATERAL (
                SELECT * FROM factory.{table} AS one WHERE one.engine_no = engine.engine_no ORDER BY one.{time} DESC LIMIT $1
            ) AS newest
            ORDER BY newest.{time} DESC
            LIMIT $1
            """;

    private static string? Text(object value) =>
        value switch
        {
            DBNull => null,
            byte[] bytes => bytes.Length <= MaxHexBytes
                ? Convert.ToHexStringLower(bytes)
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Convert.ToHexStringLower(bytes.AsSpan(0, MaxHexBytes))}… ({bytes.Length:N0} bytes)"
                ),
            DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
            string text => BoundedText.Of(Encoding.UTF8.GetBytes(text)).ToString(),
            IEnumerable many => BoundedText.Of(Encoding.UTF8.GetBytes(string.Join(", ", many.Cast<object>()))).ToString(),
            _ => Convert.ToString(value, CultureInfo.InvariantCulture),
        };
}
