using System.Diagnostics.CodeAnalysis;

namespace FactoryStream.Dashboard.Windows;

/// <summary>
/// Where a page ended: the key of its last window, e.g.
/// <c>["factory_001","engine_2","638000000000000000","638000000100000000","rpm"]</c> as a <see cref="CursorText"/>.
/// </summary>
internal sealed record WindowsCursor(string FactoryId, string EngineId, DateTime WindowStart, DateTime WindowEnd, string Metric)
{
    // Three names of 128 characters, which JSON may escape by six each and base64 makes a third longer.
    private const int MaxLength = 4_096;

    public static WindowsCursor Behind(MetricWindow window) =>
        new(window.FactoryId, window.EngineId, window.WindowStart, window.WindowEnd, window.Metric);

    public static bool TryParse(string text, [NotNullWhen(true)] out WindowsCursor? cursor)
    {
        cursor = null;
        if (
            !CursorText.TryParse(text, MaxLength, out var parts)
            || parts is not [{ } factoryId, { } engineId, { } start, { } end, { } metric]
            || !CursorText.TryParseTime(start, DateTime.UnixEpoch, out var windowStart)
            || !CursorText.TryParseTime(end, DateTime.UnixEpoch, out var windowEnd)
            || factoryId.Contains('\0')
            || engineId.Contains('\0')
            || metric.Contains('\0')
        )
            return false;
        cursor = new(factoryId, engineId, windowStart, windowEnd, metric);
        return true;
    }

    public override string ToString() =>
        CursorText.Of(FactoryId, EngineId, CursorText.Ticks(WindowStart), CursorText.Ticks(WindowEnd), Metric);
}
