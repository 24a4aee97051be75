using System.Text;
using System.Text.Json;

namespace FactoryStream.Contracts;

/// <summary>What was found in an envelope, in words for a person: the second half of "expected ..., found ...".</summary>
internal static class FoundWords
{
    private const int ShownBytes = 40;

    /// <summary>The token that the reader stands on.</summary>
    // Samples: 'yesterday', 7, null, an object
    public static string Of(in Utf8JsonReader json) =>
        json.TokenType switch
        {
            JsonTokenType.None => "nothing",
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.String or JsonTokenType.PropertyName => $"'{Shown(json.ValueSpan)}'",
            _ => Shown(json.ValueSpan),
        };

    /// <summary>Where a line ceases to be JSON, and with what.</summary>
    public static string NotJson(ReadOnlySpan<byte> line, JsonException exception)
    {
        var at = 0;
        for (var lines = exception.LineNumber ?? 0; lines > 0; lines--)
            at += line[at..].IndexOf((byte)'\n') + 1;
        at = (int)Math.Min(at + (exception.BytePositionInLine ?? 0), line.Length);
        return at == line.Length
            ? $"envelope: expected JSON, found its end at byte {at}"
            : $"envelope: expected JSON, found '{Shown(line[at..], 10)}' at byte {at}";
    }

    private static string Shown(ReadOnlySpan<byte> raw, int most = ShownBytes)
    {
        var text = StorableText.Of(Encoding.UTF8.GetString(raw[..Math.Min(raw.Length, most)]).TrimEnd('\uFFFD'));
        return raw.Length > most ? $"{text}..." : text;
    }
}
