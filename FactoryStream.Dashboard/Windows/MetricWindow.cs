namespace FactoryStream.Dashboard.Windows;

/// <summary>
/// One engine's one metric in one window, start inclusive, end exclusive. The standard deviation is the population's, the root of the mean
/// squared deviation; <c>revision</c> counts how often late readings corrected the closed window.
/// </summary>
internal sealed record MetricWindow(
    string FactoryId,
    string EngineId,
    string Metric,
    DateTime WindowStart,
    DateTime WindowEnd,
    long Count,
    double Sum,
    double Min,
    double Max,
    double Mean,
    double StandardDeviation,
    int Revision,
    bool Closed
);
