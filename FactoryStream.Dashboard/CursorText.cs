using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FactoryStream.Dashboard;

/// <summary>
/// The form of every cursor: a key's parts as an array of JSON, in base64url. To clients it is an opaque text; it needs no memory here, and
/// it stays true whatever is written meanwhile.
/// </summary>
internal static partial class CursorText
{
    private const int MaxNumberLength = 64;

    public static string Of(params string[] parts) =>
        Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(parts, CursorJson.Default.StringArray));

    /// <summary>The cursor of rows in the order of their number, e.g. <c>["1234"]</c>.</summary>
    public static string OfNumber(long number) => Of(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>The number that such a cursor holds.</summary>
    public static bool TryParseNumber(string text, out long number)
    {
        number = 0;
        return TryParse(text, MaxNumberLength, out var parts)
            && parts is [{ } part]
            && long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    public static string Ticks(DateTime time) => time.Ticks.ToString(CultureInfo.InvariantCulture);

    /// <summary>The parts, any of which may be null, of a text that is no longer than allowed.</summary>
    public static bool TryParse(string text, int maxLength, [NotNullWhen(true)] out string?[]? parts)
    {
        parts = null;
        if (text.Length > maxLength || !Base64Url.IsValid(text))
            return false;
        try
        {
            parts = JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), CursorJson.Default.StringArray);
            return parts is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>A time in ticks, from the given one on, and before the last that there is.</summary>
    public static bool TryParseTime(string text, DateTime earliest, out DateTime time)
    {
        time = default;
        if (
            !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            || ticks < earliest.Ticks
            || ticks >= DateTime.MaxValue.Ticks
        )
            return false;
        time = new DateTime(ticks, DateTimeKind.Utc);
        return true;
    }

    [JsonSerializable(typeof(string[]))]
    private sealed partial class CursorJson : JsonSerializerContext;
}
