using FactoryStream.Dashboard.Windows;

namespace FactoryStream.Dashboard.Engines;

/// <summary>What is drawn of one metric.</summary>
/// <param name="Metric">Its name.</param>
/// <param name="Range">The time that is shown.</param>
/// <param name="Points">All points, the oldest first.</param>
/// <param name="Runs">The points in unbroken runs.</param>
/// <param name="Corrected">The points in which a closed window was corrected.</param>
/// <param name="ComparedRuns">What they are compared with, moved to the time that is shown.</param>
public sealed record MetricLines(
    string Metric,
    (DateTime From, DateTime To) Range,
    IReadOnlyList<StepPoint> Points,
    IReadOnlyList<IReadOnlyList<StepPoint>> Runs,
    IReadOnlyList<StepPoint> Corrected,
    IReadOnlyList<IReadOnlyList<StepPoint>> ComparedRuns
)
{
    /// <summary>Times between the first and the last point of which nothing is known.</summary>
    public int Gaps => Math.Max(0, Runs.Count - 1);

    public static MetricLines Of(
        string metric,
        (DateTime From, DateTime To) range,
        WindowSeries series,
        WindowSeries? compared,
        TimeSpan before
    )
    {
        var points = PointsOf(series, metric);
        var earlier = compared is null
            ? []
            : PointsOf(compared, metric).Select(point => point with { Start = point.Start + before, End = point.End + before });
        return new(metric, range, points, RunsOf(points), [.. points.Where(point => point.Revision > 0)], RunsOf(earlier));
    }

    private static IReadOnlyList<StepPoint> PointsOf(WindowSeries series, string metric) =>
        series.Metrics.FirstOrDefault(one => one.Metric == metric)?.Points ?? [];

    private static List<IReadOnlyList<StepPoint>> RunsOf(IEnumerable<StepPoint> points) =>
        SeriesRuns.Of(points, point => (point.Start, point.End), TimeSpan.Zero);
}
