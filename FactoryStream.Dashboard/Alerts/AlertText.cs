using System.Globalization;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>Alerts and their rules in words, for people.</summary>
internal static class AlertText
{
    /// <summary>What a rule says, e.g. <c>mean of temp_oil above 95 for 30 s</c>.</summary>
    public static string Condition(AlertRuleSettings rule)
    {
        var lasting = rule.Duration > 0 ? string.Create(CultureInfo.InvariantCulture, $" for {rule.Duration} s") : "";
        return rule.Kind switch
        {
            "threshold" => $"{rule.Statistic} of {rule.Metric} {rule.Comparison} {Number(rule.Limit)}{lasting}",
            "rate_of_change" => $"change of {rule.Metric} {rule.Comparison} {Number(rule.Limit)} a second{lasting}",
            "anomaly" => $"unusual for this engine: anomaly score above {Number(rule.Limit)}{lasting}",
            "silence" => string.Create(CultureInfo.InvariantCulture, $"no window for more than {rule.Duration} s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"more than {rule.Limit} lines rejected in {rule.Duration} s"),
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

    /// <summary>What broke the limit when the alert was raised, e.g. <c>temp_oil 97.5</c>.</summary>
    public static string Value(Alert alert) =>
        alert.Kind switch
        {
            "threshold" => $"{alert.Metric} {Number(alert.Value)}",
            "rate_of_change" => $"{alert.Metric} {Number(alert.Value)} a second",
            "anomaly" => $"anomaly score {Number(alert.Value)}",
            "silence" => $"no window for {Number(alert.Value)} s",
            _ => $"{Number(alert.Value)} lines rejected",
        };

    /// <summary>A number, short enough to be read.</summary>
    public static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);
}
