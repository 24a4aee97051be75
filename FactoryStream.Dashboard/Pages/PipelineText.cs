using System.Globalization;
using FactoryStream.Dashboard.Locales;
using FactoryStream.Dashboard.Pipeline;

namespace FactoryStream.Dashboard.Pages;

/// <summary>Numbers of the pipeline as people read them; – is what is not known.</summary>
internal static class PipelineText
{
    private static readonly string[] Units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string Number(long? value) => value is { } known ? BrowserLocale.Number(known) : "–";

    public static string Rate(double? perSecond, string what) =>
        $"{(perSecond is { } known ? BrowserLocale.Number(known, "#,0.#") : "–")} {what}/s";

    public static string Seconds(double? seconds) =>
        seconds < 3_600
            ? string.Create(CultureInfo.CurrentCulture, $"{seconds:#,0.0} s")
            : string.Create(CultureInfo.CurrentCulture, $"{seconds / 3_600:#,0.0} h");

    public static string Bytes(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1_024 && unit < Units.Length - 1; unit++)
            value /= 1_024;
        return string.Create(CultureInfo.CurrentCulture, $"{value:#,0.#} {Units[unit]}");
    }

    public static string Assigned(GroupMember member) =>
        member.Assigned.Count == 0
            ? "none"
            : string.Join("; ", member.Assigned.Select(one => $"{one.Topic} {string.Join(", ", one.Partitions)}"));
}
