using System.Data;
using FactoryStream.Storage;

namespace FactoryStream.Dashboard.Windows;

/// <summary>Reads one engine's metrics over any time, merged into a bounded number of points.</summary>
internal sealed class WindowSeriesReader(TimedSearch search)
{
    private const string Advice = "Choose a shorter time, or fewer metrics.";

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
                await using var state = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
                var step = SeriesStep.For(range.To - range.From);
                if (await EngineNumber.FindAsync(connection, factoryId, engineId, cancellation) is not { } engineNo)
                    return new WindowSeries(step, []);
                var rolled = await RollupStatements.ReadRolledUntilAsync(connection, [engineNo], cancellation);
                var windows = await SteppedWindows.ReadAsync(
                    connection,
                    step,
                    [(new EngineSpan(engineNo, range.From, range.To), rolled.TryGetValue(engineNo, out var until) ? until : null)],
                    metrics,
                    null,
                    cancellation
                );
                return new WindowSeries(
                    step,
                    [
                        .. from window in windows
                        from metric in window.Window.Metrics
                        where metrics is null || metrics.Contains(metric.Metric)
                        group new StepPoint(
                            window.Window.WindowStart,
                            window.Window.WindowEnd,
                            metric,
                            window.Revision
                        ) by metric.Metric into points
                        orderby points.Key
                        select new MetricSeries(points.Key, [.. points]),
                    ]
                );
            },
            Advice,
            cancellation
        );
}
