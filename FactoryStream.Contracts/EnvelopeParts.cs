using System.Text;
using System.Text.Json;

namespace FactoryStream.Contracts;

/// <summary>
/// What stands in an envelope, whatever else is wrong with it: for those who ask afterwards what became of a line. Whether the line is a
/// signed reading, only <see cref="ReadingParser"/> says.
/// </summary>
/// <param name="Data">The exact bytes of the first <c>data</c> that is an object or <c>batch</c> that is an array; empty where neither is
/// whole. A slice of the line.</param>
/// <param name="Signature">The bytes of <c>signature</c>; null where there is none, or where it is no base64.</param>
/// <param name="KeyId">The signing key that the sender names; null where there is none.</param>
public readonly record struct EnvelopeParts(ReadOnlyMemory<byte> Data, byte[]? Signature, string? KeyId)
{
    /// <summary>Finds them in a line, as far as it is JSON.</summary>
    /// <param name="line">A line as it came, or the beginning of one.</param>
    public static EnvelopeParts Find(ReadOnlyMemory<byte> line)
    {
        var found = new EnvelopeParts();
        try
        {
            var json = new Utf8JsonReader(line.Span);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                return found;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isData = json.ValueTextEquals("data"u8);
                var isBatch = json.ValueTextEquals("batch"u8);
                var isSignature = json.ValueTextEquals("signature"u8);
                var isKeyId = json.ValueTextEquals("key_id"u8);
                json.Read();
                var (start, kind) = ((int)json.TokenStartIndex, json.TokenType);
                if (kind == JsonTokenType.String && isSignature)
                    found = found with { Signature = Decode(json.GetString()!) };
                if (kind == JsonTokenType.String && isKeyId)
                    found = found with { KeyId = json.GetString() };
                json.Skip();
                var isSigned = (isData && kind == JsonTokenType.StartObject) || (isBatch && kind == JsonTokenType.StartArray);
                if (isSigned && found.Data.IsEmpty)
                    found = found with { Data = line[start..(int)json.BytesConsumed] };
            }
        }
        catch (JsonException)
        {
            // No JSON from here on, or a line cut off: what stands before counts.
        }
        catch (InvalidOperationException)
        {
            // The reader's word for half a surrogate pair in a text.
        }
        return found;
    }

    private static byte[]? Decode(string text) =>
        SignatureText.Canonical(Encoding.UTF8.GetBytes(text)) is { } canonical
            ? Convert.FromBase64String(Encoding.ASCII.GetString(canonical))
            : null;
}
