using FactoryStream.Storage;

namespace FactoryStream.Dashboard.Windows;

/// <summary>
/// One engine's one metric in one window, start inclusive, end exclusive. The standard deviation is the population's, the root of the mean
/// squared deviation; <c>revision</c> counts how often late readings corrected the closed window; of a longer step than ten seconds it is
/// the greatest of its windows, and <c>closed</c> is false while some of them are not.
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
)
{
    public static MetricWindow Of(
        string factoryId,
        string engineId,
        (DateTime Start, DateTime End) window,
        in MetricRow row,
        int revision,
        bool closed
    ) =>
        new(
            factoryId,
            engineId,
            row.Metric,
            window.Start,
            window.End,
            row.Count,
            row.Sum,
            row.Min,
            row.Max,
            row.Sum / row.Count,
            Math.Sqrt(row.SquaredDeviation / row.Count),
            revision,
            closed
        );
}
