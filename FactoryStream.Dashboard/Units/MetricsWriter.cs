using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Units;

/// <summary>Describes metrics, each time with its audit event; all pages of this Dashboard know of it before the answer is given.</summary>
internal sealed class MetricsWriter(TimedSearch search, LatestUnits units)
{
    /// <summary>Most metrics that are described: each Dashboard has them in memory.</summary>
    public const int MaxMetrics = 10_000;

    private const string Advice = "Try again later.";

    // Both statements write the audit event with what they do, in the one role that it takes.
    private const string AuditEvent = "INSERT INTO factory.audit_events (who, role, action, subject, detail)";

    private const string Done = $"SELECT {MetricsReader.Columns}, EXISTS (SELECT FROM factory.engine_metrics WHERE metric = $1) FROM done";

    /// <summary>What is said where nothing was written.</summary>
    public static string NotWritten(string name) =>
        $"Somebody else has described {name} meanwhile, or deleted what was said of it; read it again. Or {MaxMetrics} metrics are "
        + "described, the most there may be.";

    /// <summary>Says what a metric is; null: the version is not the one that is there, or there are too many.</summary>
    /// <param name="name">The metric's name.</param>
    /// <param name="what">What is said, validated. Version 0: only if nobody has described it.</param>
    /// <param name="who">Who says it, as in audit events.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    public Task<DescribedMetric?> DescribeAsync(string name, MetricRequest what, string who, CancellationToken cancellation) =>
        WriteAsync(
            $"""
            WITH changed AS (
                UPDATE factory.metrics SET unit = $2, description = $3, version = version + 1, updated_by = $4, updated_at = now()
                WHERE name = $1 AND version = $5
                RETURNING *),
            added AS (
                INSERT INTO factory.metrics (name, unit, description, updated_by)
                SELECT $1, $2, $3, $4
                WHERE $5 = 0 AND (SELECT count(*) FROM factory.metrics) < {MaxMetrics}
                ON CONFLICT DO NOTHING
                RETURNING *),
            done AS (SELECT * FROM changed UNION ALL SELECT * FROM added),
            told AS (
                {AuditEvent}
                SELECT $4, 'operator', 'metric_described', name, concat_ws('; ', 'unit ' || unit, description) FROM done)
            {Done}
            """,
            [
                new NpgsqlParameter<string> { TypedValue = name },
                PagedRows.Nullable(NpgsqlDbType.Text, what.Unit),
                PagedRows.Nullable(NpgsqlDbType.Text, what.Description),
                new NpgsqlParameter<string> { TypedValue = who },
                new NpgsqlParameter<int> { TypedValue = what.Version ?? 0 },
            ],
            cancellation
        );

    /// <summary>Deletes what is said of a metric. False: the version is not the one that is there.</summary>
    public async Task<bool> DeleteAsync(string name, int version, string who, CancellationToken cancellation) =>
        await WriteAsync(
            $"""
            WITH done AS (
                DELETE FROM factory.metrics WHERE name = $1 AND version = $2
                RETURNING *),
            told AS (
                {AuditEvent}
                SELECT $3, 'operator', 'metric_description_deleted', name, concat_ws('; ', 'unit ' || unit, description) FROM done)
            {Done}
            """,
            [
                new NpgsqlParameter<string> { TypedValue = name },
                new NpgsqlParameter<int> { TypedValue = version },
                new NpgsqlParameter<string> { TypedValue = who },
            ],
            cancellation
        )
            is not null;

    private async Task<DescribedMetric?> WriteAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellation)
    {
        var written = await search.RunAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                command.Parameters.AddRange(parameters);
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                return await reader.ReadAsync(cancellation) ? MetricsReader.Of(reader) : null;
            },
            Advice,
            cancellation
        );
        // Also where nothing was written: then another has written.
        await units.ReadAsync(cancellation);
        return written;
    }
}
