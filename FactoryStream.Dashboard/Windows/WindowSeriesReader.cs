using FactoryStream.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace FactoryStream.Dashboard.Windows;

/// <summary>Reads one engine's metrics over any time, merged into a bounded number of points.</summary>
internal sealed class WindowSeriesReader(TimedSearch search)
{
    private const string Advice = "Choose a shorter time, or fewer metrics.";

    // Merged here, where what overflows stays a number; in PostgreSQL a sum that overflows ends the query. The bounds are parameters, so
    // that the planner leaves out all other table partitions.
    private const string Windows = """
        SELECT metric, window_start, count, sum, min, max, squared_deviation, revision
        FROM factory.windows
        WHERE engine_no = $1 AND window_start >= $2 AND window_start < $3 AND ($4::text[] IS NULL OR metric = ANY ($4))
        """;

    /// <summary>
    /// The engine's windows that begin in a time, in the smallest step with at most <see cref="SeriesStep.MaxPoints"/> points of a metric.
    /// </summary>
    /// <param name="factoryId">The engine's factory.</param>
    /// <param name="engineId">The engine; one that there is not has no points.</param>
    /// <param name="range">From, inclusive, to, exclusive; points are steps cut off by it.</param>
    /// <param name="metrics">Which metrics; null: all of them.</param>
    /// <param name="cancellation">Ends the wait for the database.</param>
    /// <exception cref="SearchTooLongException">The database takes too long.</exception>
    public Task<WindowSeries> ReadAsync(
        string factoryId,
        string engineId,
        (DateTime From, DateTime To) range,
        IReadOnlyList<string>? metrics,
        CancellationToken cancellation
    ) =>
        search.RunAsync(
            async connection =>
            {
                var step = SeriesStep.For(range.To - range.From);
                var points = new SortedDictionary<string, SortedDictionary<DateTime, StepPoint>>(StringComparer.Ordinal);
                if (await EngineNumber.FindAsync(connection, factoryId, engineId, cancellation) is not { } engineNo)
                    return new WindowSeries(step, []);
                await using var command = new NpgsqlCommand(Windows, connection);
                command.Parameters.AddWithValue(engineNo);
                command.Parameters.AddWithValue(range.From);
                command.Parameters.AddWithValue(range.To);
                command.Parameters.AddWithValue(NpgsqlDbType.Array | NpgsqlDbType.Text, metrics?.ToArray() ?? (object)DBNull.Value);
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                while (await reader.ReadAsync(cancellation))
                {
                    var totals = new MetricTotals(
                        reader.GetString(0),
                        reader.GetInt64(2),
                        reader.GetDouble(3),
                        reader.GetDouble(4),
                        reader.GetDouble(5),
                        reader.GetDouble(6)
                    );
                    var revision = reader.GetInt32(7);
                    if (!points.TryGetValue(totals.Metric, out var ofMetric))
                        points[totals.Metric] = ofMetric = [];
                    var start = SeriesStep.Floor(reader.GetDateTime(1), step);
                    ofMetric[start] = ofMetric.TryGetValue(start, out var point)
                        ? point.With(totals, revision)
                        : new StepPoint(start, start + step, totals, revision);
                }
                return new WindowSeries(step, [.. points.Select(metric => new MetricSeries(metric.Key, [.. metric.Value.Values]))]);
            },
            Advice,
            cancellation
        );
}
