using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace FactoryStream.Contracts;

/// <summary>The values of an envelope's members, each read from the token that the reader stands on.</summary>
internal static class MemberValues
{
    /// <summary>The text of a name or an id; false for what is none (<see cref="StorableText.IsName"/>).</summary>
    public static bool TryText(in Utf8JsonReader json, Utf8StringPool names, [NotNullWhen(true)] out string? text)
    {
        text = null;
        // A character is at most six bytes, as an escape.
        const int maxBytes = ReadingParser.MaxNameLength * 6;
        if (json.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || json.ValueSpan.Length is 0 or > maxBytes)
            return false;
        Span<byte> unescaped = stackalloc byte[maxBytes];
        if (json.ValueIsEscaped && StorableText.IsBroken(json.ValueSpan))
            return false;
        var read = names.Get(json.ValueIsEscaped ? unescaped[..json.CopyString(unescaped)] : json.ValueSpan);
        if (StorableText.IsName(read))
            text = read;
        return text is not null;
    }

    /// <summary>A reading's time, of text or of a number; false for what is none.</summary>
    public static bool TryTime(in Utf8JsonReader json, out DateTime time, out string expected)
    {
        (time, expected) = (default, Timestamps.Expected);
        if (json.ValueSpan.Length > ReadingParser.MaxTimestampLength)
            return false;
        if (json.TokenType == JsonTokenType.Number)
            return Timestamps.TryParseNumber(json.ValueSpan, out time, out expected);
        if (json.TokenType != JsonTokenType.String || (json.ValueIsEscaped && StorableText.IsBroken(json.ValueSpan)))
            return false;
        Span<byte> unescaped = stackalloc byte[ReadingParser.MaxTimestampLength];
        return Timestamps.TryParse(json.ValueIsEscaped ? unescaped[..json.CopyString(unescaped)] : json.ValueSpan, out time, out expected);
    }

    /// <summary>A signature in the one form that goes onward: a slice of the line where it came so; false for what is no base64.</summary>
    public static bool TrySignature(in Utf8JsonReader json, ReadOnlyMemory<byte> line, out ReadOnlyMemory<byte> signature)
    {
        signature = default;
        if (json.TokenType != JsonTokenType.String || (json.ValueIsEscaped && StorableText.IsBroken(json.ValueSpan)))
            return false;
        if (!json.ValueIsEscaped && SignatureText.IsCanonical(json.ValueSpan))
        {
            signature = line.Slice((int)json.TokenStartIndex + 1, json.ValueSpan.Length);
            return true;
        }
        // Samples: "J5Bz\nk5ti", "J5Bz\/5ti", "J5Bz_5ti", "J5A"
        var unescaped = new byte[json.ValueSpan.Length];
        signature = SignatureText.Canonical(unescaped.AsSpan(0, json.CopyString(unescaped)));
        return !signature.IsEmpty;
    }

    /// <summary>
    /// Passes a value over; false when a string in it stands for a text that PostgreSQL does not hold: every query that looks into the
    /// reading would fail.
    /// </summary>
    public static bool TrySkipText(ref Utf8JsonReader json)
    {
        var isText = true;
        var depth = json.CurrentDepth;
        do
        {
            if (json.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && json.ValueIsEscaped)
                isText &= !StorableText.IsBroken(json.ValueSpan);
        } while ((json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray || json.CurrentDepth > depth) && json.Read());
        return isText;
    }

    /// <summary>What languages write for a number that is none, and JSON does not know.</summary>
    public static string? NoNumber(ReadOnlySpan<byte> rest)
    {
        var value = rest.TrimStart(" \t\r\n"u8);
        return value switch
        {
            [(byte)'N' or (byte)'n', (byte)'a', ..] => "NaN",
            [(byte)'I' or (byte)'i', (byte)'n', ..] or [(byte)'+', (byte)'I' or (byte)'i', ..] => "Infinity",
            [(byte)'-', (byte)'I' or (byte)'i', ..] => "-Infinity",
            _ => null,
        };
    }
}
