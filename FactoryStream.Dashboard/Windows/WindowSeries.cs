using FactoryStream.Storage;

namespace FactoryStream.Dashboard.Windows;

/// <summary>One engine's metrics over a time, in points of one step.</summary>
/// <param name="Step">How much time a point stands for.</param>
/// <param name="Metrics">By name; a metric without any window in this time is not among them.</param>
public sealed record WindowSeries(TimeSpan Step, IReadOnlyList<MetricSeries> Metrics);

/// <summary>One metric's points, the oldest first. Where no window is stored there is no point.</summary>
public sealed record MetricSeries(string Metric, IReadOnlyList<StepPoint> Points);

/// <summary>All windows of one metric that begin in one step, merged.</summary>
/// <param name="Start">When the step begins.</param>
/// <param name="End">When it ends, exclusive.</param>
/// <param name="Totals">What the windows hold together.</param>
/// <param name="Revision">The greatest of their revisions: above 0, a closed window was corrected by late readings.</param>
public sealed record StepPoint(DateTime Start, DateTime End, MetricRow Totals, int Revision)
{
    public double Mean => Totals.Sum / Totals.Count;

    public double Min => Totals.Min;

    public double Max => Totals.Max;

    /// <summary>The population's, the root of the mean squared deviation.</summary>
    public double StandardDeviation => Math.Sqrt(Totals.SquaredDeviation / Totals.Count);
}
