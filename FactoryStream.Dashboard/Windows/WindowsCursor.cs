using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FactoryStream.Dashboard.Windows;

/// <summary>
/// Where a page ended: the key of its last window. To clients it is an opaque text, base64url of e.g.
/// <c>["factory_001","engine_2","638000000000000000","638000000100000000","rpm"]</c>; it needs no
/// memory here, and it stays true whatever is written meanwhile.
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
        if (text.Length > MaxLength || !Base64Url.IsValid(text))
            return false;
        try
        {
            if (
                JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), CursorJson.Default.StringArray)
                    is not [{ } factoryId, { } engineId, { } start, { } end, { } metric]
                || !TryParseTime(start, out var windowStart)
                || !TryParseTime(end, out var windowEnd)
                || factoryId.Contains('\0')
                || engineId.Contains('\0')
                || metric.Contains('\0')
            )
                return false;
            cursor = new(factoryId, engineId, windowStart, windowEnd, metric);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    public override string ToString() =>
        Base64Url.EncodeToString(
            JsonSerializer.SerializeToUtf8Bytes(
                [FactoryId, EngineId, Ticks(WindowStart), Ticks(WindowEnd), Metric],
                CursorJson.Default.StringArray
            )
        );

    private static string Ticks(DateTime time) => time.Ticks.ToString(CultureInfo.InvariantCulture);

    private static bool TryParseTime(string text, out DateTime time)
    {
        time = default;
        if (
            !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            || ticks < DateTime.UnixEpoch.Ticks
            || ticks >= DateTime.MaxValue.Ticks
        )
            return false;
        time = new DateTime(ticks, DateTimeKind.Utc);
        return true;
    }
}

[JsonSerializable(typeof(string[]))]
internal sealed partial class CursorJson : JsonSerializerContext;
