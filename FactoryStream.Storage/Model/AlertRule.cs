using System.Text.Json;

namespace FactoryStream.Storage;

/// <summary>What an alert rule looks at.</summary>
public enum AlertKind
{
    /// <summary>A metric's mean, least or greatest value in a window.</summary>
    Threshold,

    /// <summary>How fast a metric's mean changes from one window to the next, in its unit a second.</summary>
    RateOfChange,

    /// <summary>That no window of an engine is written any more.</summary>
    Silence,

    /// <summary>How many lines of a factory were refused or rejected of late.</summary>
    Rejections,

    /// <summary>By how many times its limit an engine is away from what its own windows of the last hour were.</summary>
    Anomaly,
}

/// <summary>On which side of its limit a value breaks it.</summary>
public enum AlertComparison
{
    /// <summary>The value is greater than the limit.</summary>
    Above,

    /// <summary>The value is less than the limit.</summary>
    Below,
}

/// <summary>Which value of a metric's window a threshold is compared with.</summary>
public enum AlertStatistic
{
    /// <summary>The mean of its readings.</summary>
    Mean,

    /// <summary>Its least value.</summary>
    Min,

    /// <summary>Its greatest value.</summary>
    Max,
}

/// <summary>How bad an alert is; what is worse stands later.</summary>
public enum AlertSeverity
{
    /// <summary>To be looked at.</summary>
    Warning,

    /// <summary>To be acted on.</summary>
    Alarm,
}

/// <summary>A rule by which alerts are raised.</summary>
/// <param name="RuleNo">Given by the database.</param>
/// <param name="Kind">What it looks at.</param>
/// <param name="FactoryId">Whose engines; null: every factory's.</param>
/// <param name="EngineId">Which engine of the factory; null: all.</param>
/// <param name="Metric">The metric of a threshold or a rate of change; null for the other kinds.</param>
/// <param name="Comparison">On which side of the limit is too far; <see cref="AlertComparison.Above"/> for the other kinds.</param>
/// <param name="Statistic">Which value of a window a threshold is compared with.</param>
/// <param name="Limit">
/// In the metric's unit, by the second for a rate of change; a number of lines for rejections; an anomaly score, where 1 is the limit of
/// what is normal; of no meaning for silence.
/// </param>
/// <param name="Duration">
/// For how long a limit must be broken, and silence last; the time over which rejections are counted.
/// </param>
/// <param name="Severity">How bad its alerts are.</param>
public sealed record AlertRule(
    int RuleNo,
    AlertKind Kind,
    string? FactoryId,
    string? EngineId,
    string? Metric,
    AlertComparison Comparison,
    AlertStatistic Statistic,
    double Limit,
    TimeSpan Duration,
    AlertSeverity Severity
)
{
    /// <summary>Whether closed windows decide; else the clock does.</summary>
    public bool IsOfWindows => Kind is AlertKind.Threshold or AlertKind.RateOfChange or AlertKind.Anomaly;

    /// <summary>Whether a value is too far.</summary>
    public bool IsBrokenBy(double value) => Comparison == AlertComparison.Above ? value > Limit : value < Limit;

    /// <summary>Whether it is a rule of this engine.</summary>
    /// <param name="factoryId">The engine's factory.</param>
    /// <param name="engineId">The engine's id within its factory.</param>
    public bool AppliesTo(string factoryId, string engineId) =>
        (FactoryId is null || FactoryId == factoryId) && (EngineId is null || EngineId == engineId);
}

/// <summary>The words of alerts as they stand in the database and in the API: snake_case.</summary>
public static class AlertNames
{
    /// <summary>A value's name, e.g. <c>rate_of_change</c>.</summary>
    public static string ToName<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>All names of a kind of word, in their order.</summary>
    public static IReadOnlyList<string> All<T>()
        where T : struct, Enum => [.. Enum.GetValues<T>().Select(ToName)];

    /// <summary>The value of a name, or false for a name that is none.</summary>
    public static bool TryParse<T>(string? name, out T value)
        where T : struct, Enum
    {
        var place = All<T>().ToList().IndexOf(name ?? "");
        value = place < 0 ? default : Enum.GetValues<T>()[place];
        return place >= 0;
    }

    /// <summary>The value of a name that the database holds.</summary>
    public static T Parse<T>(string name)
        where T : struct, Enum =>
        TryParse<T>(name, out var value)
            ? value
            : throw new InvalidOperationException($"expected one of {string.Join(", ", All<T>())}, found '{name}'");
}
