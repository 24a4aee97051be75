namespace FactoryStream.Dashboard.Alerts;

/// <summary>An alert rule as it is given and shown.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Kind"><c>threshold</c>, <c>rate_of_change</c>, <c>silence</c>, <c>rejections</c> or <c>anomaly</c>.</param>
/// <param name="FactoryId">Whose engines; null: every factory's.</param>
/// <param name="EngineId">Which engine of the factory; null: all.</param>
/// <param name="Metric">Of a threshold or a rate of change.</param>
/// <param name="Comparison"><c>above</c> or <c>below</c>.</param>
/// <param name="Statistic">Of a threshold: <c>mean</c>, <c>min</c> or <c>max</c>.</param>
/// <param name="Limit">
/// In the metric's unit, by the second for a rate of change; a number of lines for rejections; an anomaly score.
/// </param>
/// <param name="Duration">Seconds that the limit must be broken or silence last; over which rejections are counted.</param>
/// <param name="Severity"><c>warning</c> or <c>alarm</c>.</param>
/// <param name="IsEnabled">False: nothing is raised by it.</param>
public sealed record AlertRuleSettings(
    string Name,
    string Kind,
    string? FactoryId,
    string? EngineId,
    string? Metric,
    string Comparison,
    string Statistic,
    double Limit,
    int Duration,
    string Severity,
    bool IsEnabled
);

/// <summary>An alert rule that is stored.</summary>
/// <param name="RuleNo">Given by the database.</param>
/// <param name="Version">1, and one more with each change.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="UpdatedAt">When it was last changed, UTC.</param>
/// <param name="Settings">What it says.</param>
public sealed record StoredAlertRule(int RuleNo, int Version, DateTime CreatedAt, DateTime UpdatedAt, AlertRuleSettings Settings);

/// <summary>The answer of <c>GET /api/alert-rules</c>.</summary>
/// <param name="Rules">By their number.</param>
internal sealed record AlertRulesResponse(IReadOnlyList<StoredAlertRule> Rules);
