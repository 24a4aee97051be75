using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Alerts;

/// <summary>The value of a window that a rule compares with its limit.</summary>
internal static class AlertValues
{
    /// <summary>The value; null: the window has none for the rule.</summary>
    /// <param name="rule">A rule that windows decide.</param>
    /// <param name="window">The window.</param>
    /// <param name="before">The window that it follows without a gap; null: there is none.</param>
    public static double? Of(AlertRule rule, in AlertWindow window, in AlertWindow? before) =>
        rule.Kind switch
        {
            AlertKind.Threshold => Statistic(rule.Statistic, window),
            AlertKind.RateOfChange => before is { } previous
                ? Finite((window.Mean - previous.Mean) / (window.Start - previous.Start).TotalSeconds)
                : null,
            AlertKind.Anomaly => window.Mean,
            _ => throw new ArgumentOutOfRangeException(nameof(rule), rule.Kind, "a kind that windows do not decide"),
        };

    private static double Statistic(AlertStatistic statistic, in AlertWindow window) =>
        statistic switch
        {
            AlertStatistic.Mean => window.Mean,
            AlertStatistic.Min => window.Min,
            AlertStatistic.Max => window.Max,
            _ => throw new ArgumentOutOfRangeException(nameof(statistic), statistic, "a statistic without a value"),
        };

    /// <summary>Between means of opposite sign the difference may overflow.</summary>
    private static double Finite(double value) => double.Clamp(value, double.MinValue, double.MaxValue);
}
