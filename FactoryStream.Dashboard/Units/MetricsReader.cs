using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Units;

/// <summary>Metrics by their names, and where the next page begins; null: there are no more.</summary>
internal sealed record MetricsPage(List<DescribedMetric> Metrics, MetricsCursor? Next);

/// <summary>Reads the names of metrics that engines have sent or people have described, with what is said of them.</summary>
internal sealed class MetricsReader(TimedSearch search)
{
    /// <summary>Metrics of a page when nobody says how many.</summary>
    public const int DefaultLimit = 100;

    internal const string Columns = "name, unit, description, coalesce(version, 0), updated_by, updated_at";

    private const string Advice = "Try again later.";

    // Byte for byte, so that pages are the same whatever the database's language.
    private const string Page = $"""
        SELECT {Columns}, is_measured
        FROM (
            SELECT name, bool_or(is_measured) AS is_measured
            FROM (
                SELECT DISTINCT metric AS name, true AS is_measured FROM factory.engine_metrics
                UNION ALL
                SELECT name, false FROM factory.metrics
            ) AS known
            WHERE $1::text IS NULL OR name COLLATE "C" > $1
            GROUP BY name
        ) AS named
        LEFT JOIN factory.metrics USING (name)
        WHERE $2::text IS NULL OR strpos(lower(concat_ws(' ', name, unit, description)), lower($2)) > 0
        ORDER BY name COLLATE "C"
        LIMIT $3
        """;

    /// <summary>The metrics, at most as many as allowed.</summary>
    /// <param name="text">What name, unit or description must have in them, in small or capital letters; null: anything.</param>
    /// <param name="after">Only those behind it; null: all.</param>
    /// <param name="limit">Most metrics of the page.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <exception cref="SearchTooLongException">The database takes too long.</exception>
    public Task<MetricsPage> ReadAsync(string? text, MetricsCursor? after, int limit, CancellationToken cancellation) =>
        search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(Page, connection);
                command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Text, after?.Name));
                command.Parameters.Add(PagedRows.Nullable(NpgsqlDbType.Text, text));
                // One more tells whether there are more.
                command.Parameters.AddWithValue(limit + 1L);
                var (metrics, isMore) = await command.ReadPageAsync(limit, Of, cancellation);
                return new MetricsPage(metrics, isMore ? new MetricsCursor(metrics[^1].Name) : null);
            },
            Advice,
            cancellation
        );

    internal static DescribedMetric Of(NpgsqlDataReader reader) =>
        new(
            reader.GetString(0),
            reader.IsDBNull(1) ? null : reader.GetString(1),
            reader.IsDBNull(2) ? null : reader.GetString(2),
            reader.GetInt32(3),
            reader.IsDBNull(4) ? null : reader.GetString(4),
            reader.IsDBNull(5) ? null : reader.GetDateTime(5),
            reader.GetBoolean(6)
        );
}
