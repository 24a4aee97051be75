using System.Globalization;
using FactoryStream.Dashboard.Units;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>Alerts and their rules in words, for people.</summary>
internal static class AlertText
{
    /// <summary>What a rule says, e.g. <c>mean of temp_oil above 95 °C for 30 s</c>.</summary>
    public static string Condition(AlertRuleSettings rule, MetricUnits units)
    {
        var lasting = rule.Duration > 0 ? string.Create(CultureInfo.CurrentCulture, $" for {rule.Duration} s") : "";
        return rule.Kind switch
        {
            "threshold" => $"{rule.Statistic} of {rule.Metric} {rule.Comparison} "
                + $"{OfMetric(rule.Kind, rule.Metric, rule.Limit, units)}{lasting}",
            "rate_of_change" => $"change of {rule.Metric} {rule.Comparison} "
                + $"{OfMetric(rule.Kind, rule.Metric, rule.Limit, units)}{lasting}",
            "anomaly" => $"unusual for this engine: anomaly score above {Number(rule.Limit)}{lasting}",
            "silence" => string.Create(CultureInfo.CurrentCulture, $"no window for more than {rule.Duration} s"),
            _ => string.Create(CultureInfo.CurrentCulture, $"more than {rule.Limit} lines rejected in {rule.Duration} s"),
        };
    }

    /// <summary>What a kind of rule is called where people choose it, e.g. <c>rate of change</c>.</summary>
    public static string Kind(string kind) => kind == "anomaly" ? "unusual for this engine" : kind.Replace('_', ' ');

    /// <summary>Whose engines a rule is of.</summary>
    public static string Scope(AlertRuleSettings rule) =>
        rule switch
        {
            { FactoryId: null } => "all factories",
            { EngineId: null } => rule.FactoryId,
            _ => $"{rule.EngineId} of {rule.FactoryId}",
        };

    /// <summary>What broke the limit when the alert was raised, e.g. <c>temp_oil 97.5 °C</c>.</summary>
    public static string Value(Alert alert, MetricUnits units) =>
        alert.Kind switch
        {
            "threshold" or "rate_of_change" => $"{alert.Metric} {OfMetric(alert.Kind, alert.Metric, alert.Value, units)}",
            "anomaly" => $"anomaly score {Number(alert.Value)}",
            "silence" => $"no window for {Number(alert.Value)} s",
            _ => $"{Number(alert.Value)} lines rejected",
        };

    /// <summary>A value that decided later, e.g. <c>97.5 °C</c>.</summary>
    public static string Value(Alert alert, double value, MetricUnits units) => OfMetric(alert.Kind, alert.Metric, value, units);

    /// <summary>A number, short enough to be read.</summary>
    public static string Number(double value) => value.ToString("G6", CultureInfo.CurrentCulture);

    // Silence and rejections are of no metric, so of none that has a unit.
    private static string OfMetric(string kind, string? metric, double value, MetricUnits units) =>
        kind == "rate_of_change" ? $"{Number(value)} {units.UnitOfRate(metric) ?? "a second"}"
        : units.Unit(metric) is { } unit ? $"{Number(value)} {unit}"
        : Number(value);
}
