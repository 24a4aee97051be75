using FactoryStream.Storage;

namespace FactoryStream.Dashboard.Windows;

/// <summary>How much time one point of a series stands for. Steps are aligned to the Unix epoch, as windows are.</summary>
internal static class SeriesStep
{
    /// <summary>Most points of one metric: 30 days by the hour.</summary>
    public const int MaxPoints = 720;

    private static readonly TimeSpan[] Steps =
    [
        TimeSpan.FromSeconds(10),
        TimeSpan.FromMinutes(1),
        TimeSpan.FromMinutes(10),
        TimeSpan.FromHours(1),
        TimeSpan.FromDays(1),
    ];

    /// <summary>The smallest step, that of the windows themselves.</summary>
    public static TimeSpan Smallest => Steps[0];

    /// <summary>Longest span that one series may have.</summary>
    public static TimeSpan MaxSpan => Steps[^1] * MaxPoints;

    /// <summary>The smallest step that gives a span no more than <see cref="MaxPoints"/>; the greatest there is for a longer one.</summary>
    public static TimeSpan For(TimeSpan span) =>
        Array.Find(Steps, step => span <= step * MaxPoints) is { Ticks: > 0 } step ? step : Steps[^1];

    /// <summary>The start of the step that holds a time.</summary>
    public static DateTime Floor(DateTime time, TimeSpan step) => WindowStep.Floor(time, step);

    /// <summary>The step as a person reads it, e.g. <c>10 min</c>.</summary>
    public static string Text(TimeSpan step) =>
        step switch
        {
            { TotalDays: >= 1 } => $"{step.Days} d",
            { TotalHours: >= 1 } => $"{step.Hours} h",
            { TotalMinutes: >= 1 } => $"{step.Minutes} min",
            _ => $"{step.Seconds} s",
        };
}
