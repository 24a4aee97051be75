namespace FactoryStream.Storage;

/// <summary>Totals of all metrics of one engine in one window: one row of <c>factory.engine_windows</c>.</summary>
/// <param name="EngineNo">The number that <c>factory.engines</c> gave the engine.</param>
/// <param name="WindowStart">The first moment of the window, UTC.</param>
/// <param name="WindowEnd">The first moment behind the window, UTC.</param>
/// <param name="Metrics">Each metric once, in any order; at least one.</param>
public readonly record struct WindowTotals(int EngineNo, DateTime WindowStart, DateTime WindowEnd, IReadOnlyList<MetricRow> Metrics);

/// <summary>A window as it is stored.</summary>
/// <param name="Window">Engine, time and totals.</param>
/// <param name="Revision">How often late readings corrected it; of a coarser step, the greatest of its parts.</param>
public readonly record struct StoredWindow(WindowTotals Window, int Revision);

/// <summary>Totals of one metric of one engine in one window.</summary>
/// <param name="Metric">The metric's name, 1 to 128 characters.</param>
/// <param name="Count">How many readings have the metric, at least 1.</param>
/// <param name="Sum">The sum of the values, in the metric's own unit.</param>
/// <param name="Min">The least value, in the metric's own unit.</param>
/// <param name="Max">The greatest value, in the metric's own unit.</param>
/// <param name="SquaredDeviation">Sum of (value - mean)^2; two of them merge by Chan's formula.</param>
public readonly record struct MetricRow(string Metric, long Count, double Sum, double Min, double Max, double SquaredDeviation);
