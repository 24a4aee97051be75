using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FactoryStream.Contracts;
using FactoryStream.Storage;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>
/// The body that makes or changes an alert rule, before it is validated; its members are those of <see cref="AlertRuleSettings"/>, and
/// the version that is changed (null: whichever).
/// </summary>
internal sealed record AlertRuleRequest(
    string? Name,
    string? Kind,
    string? FactoryId,
    string? EngineId,
    string? Metric,
    string? Comparison,
    string? Statistic,
    double? Limit,
    int? Duration,
    string? Severity,
    bool? IsEnabled,
    int? Version = null
)
{
    // Windows are read back for so long whenever one of an engine breaks the limit.
    private const int MaxWindowsDuration = 3_600;
    private const int MaxSilence = 86_400;

    // So many are counted for each factory every few seconds.
    private const int MaxRejections = 100_000;

    // A score is at most 1e6 spreads by 3.5 of them.
    private const int MaxAnomalyLimit = 100_000;

    /// <summary>Whether it is a rule.</summary>
    /// <param name="settings">The rule, with what was left out.</param>
    /// <param name="error">The member that is wrong, what was expected and what was found.</param>
    public bool TryValidate([NotNullWhen(true)] out AlertRuleSettings? settings, [NotNullWhen(false)] out string? error)
    {
        settings = null;
        error = Error(out var kind);
        if (error is not null)
            return false;
        settings = new(
            Name!,
            AlertNames.ToName(kind),
            FactoryId,
            EngineId,
            Metric,
            Comparison ?? AlertNames.ToName(AlertComparison.Above),
            Statistic ?? AlertNames.ToName(AlertStatistic.Mean),
            Limit ?? (kind == AlertKind.Anomaly ? 1 : 0),
            Duration ?? 0,
            Severity!,
            IsEnabled ?? true
        );
        return true;
    }

    private string? Error(out AlertKind kind)
    {
        kind = default;
        if (!StorableText.IsName(Name))
            return ExpectedName("name", Name);
        if (!AlertNames.TryParse(Kind, out kind))
            return Expected<AlertKind>("kind", Kind);
        if (!AlertNames.TryParse<AlertSeverity>(Severity, out _))
            return Expected<AlertSeverity>("severity", Severity);
        if (FactoryId is not null && !StorableText.IsName(FactoryId))
            return ExpectedName("factory_id", FactoryId);
        if (EngineId is not null && !StorableText.IsName(EngineId))
            return ExpectedName("engine_id", EngineId);
        if (EngineId is not null && FactoryId is null)
            return "factory_id: expected the factory of engine_id, found null";
        return kind switch
        {
            AlertKind.Threshold => WindowsError() ?? StatisticError(),
            AlertKind.RateOfChange => WindowsError() ?? Unused("statistic", Statistic, kind),
            AlertKind.Anomaly => WithoutMetricError(kind) ?? AnomalyError(),
            AlertKind.Silence => WithoutMetricError(kind) ?? Unused("limit", Limit, kind) ?? DurationError(1, MaxSilence),
            _ => WithoutMetricError(kind) ?? RejectionsError(kind),
        };
    }

    private string? WindowsError()
    {
        if (!StorableText.IsName(Metric))
            return ExpectedName("metric", Metric);
        if (!AlertNames.TryParse<AlertComparison>(Comparison, out _))
            return Expected<AlertComparison>("comparison", Comparison);
        if (Limit is not { } limit || !double.IsFinite(limit))
            return $"limit: expected a number, found {Found(Limit)}";
        return WindowsDurationError();
    }

    // Null is 1: the limit of what is normal.
    private string? AnomalyError() =>
        Limit is null or (> 0 and <= MaxAnomalyLimit)
            ? WindowsDurationError()
            : $"limit: expected a number above 0, at most {MaxAnomalyLimit}, found {Found(Limit)}";

    private string? WindowsDurationError() => Duration is null ? null : DurationError(0, MaxWindowsDuration);

    private string? StatisticError() =>
        Statistic is null || AlertNames.TryParse<AlertStatistic>(Statistic, out _)
            ? null
            : Expected<AlertStatistic>("statistic", Statistic);

    private string? WithoutMetricError(AlertKind kind) =>
        Unused("metric", Metric, kind) ?? Unused("comparison", Comparison, kind) ?? Unused("statistic", Statistic, kind);

    private string? RejectionsError(AlertKind kind) =>
        Unused("engine_id", EngineId, kind)
        ?? (
            Limit is >= 0 and <= MaxRejections && double.IsInteger(Limit.Value)
                ? DurationError(1, MaxWindowsDuration)
                : $"limit: expected a whole number from 0 to {MaxRejections}, found {Found(Limit)}"
        );

    private string? DurationError(int least, int most) =>
        Duration >= least && Duration <= most ? null : $"duration: expected seconds from {least} to {most}, found {Found(Duration)}";

    private static string? Unused(string member, object? value, AlertKind kind) =>
        value is null ? null : $"{member}: expected none in a rule of the kind {AlertNames.ToName(kind)}, found '{value}'";

    private static string Expected<T>(string member, string? found)
        where T : struct, Enum => $"{member}: expected {string.Join(", ", AlertNames.All<T>())}, found {Found(found)}";

    private static string ExpectedName(string member, string? found) =>
        $"{member}: expected text of 1 to 128 characters without control characters, found {Found(found)}";

    private static string Found<T>(T? number)
        where T : struct, IFormattable => number?.ToString(null, CultureInfo.InvariantCulture) ?? "null";

    private static string Found(string? text) => text is null ? "null" : $"'{text[..Math.Min(text.Length, 100)]}'";
}
