using System.Text.Json;
using FactoryStream.Contracts;

namespace FactoryStream.Audit.Evidence;

/// <summary>
/// Puts envelopes together again whose signed bytes have line breaks, for those are what was signed and so are exported as they are.
/// Sample:
/// <code>
/// {"data" : {
///   "factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 1
/// }, "signature" : "J5Bz…", "key_id" : "5f2c…"}
/// </code>
/// A line that is cut off spoils no other: what does not go on as JSON, or is an envelope by itself, begins anew.
/// </summary>
internal static class EnvelopeLines
{
    /// <summary>The envelopes with the number of their first line; what is none is a line as before, for the parser to say why.</summary>
    public static IEnumerable<(ReadOnlyMemory<byte> Envelope, int Number)> Join(IEnumerable<(ReadOnlyMemory<byte> Line, int Number)> lines)
    {
        var open = new List<byte>();
        var first = 0;
        var json = default(Tokens);
        foreach (var (line, number) in lines)
        {
            if (open.Count > 0)
            {
                var progress = IsEnvelope(line.Span) ? Progress.Broken : json.Read(line.Span);
                if (progress != Progress.Broken && open.Count + line.Length <= LineReader.MaxLineBytes)
                {
                    open.AddRange(line.Span);
                    if (progress == Progress.Open)
                        continue;
                    yield return (open.ToArray(), first);
                    open.Clear();
                    continue;
                }
                yield return (open.ToArray(), first);
                open.Clear();
            }
            if (LineReader.IsBlank(line))
                continue;
            json = default;
            if (json.Read(line.Span) == Progress.Open)
            {
                first = number;
                open.AddRange(line.Span);
            }
            else
            {
                yield return (line, number);
            }
        }
        if (open.Count > 0)
            yield return (open.ToArray(), first);
    }

    private enum Progress
    {
        /// <summary>The object is not at its end.</summary>
        Open,

        Whole,

        /// <summary>That is no JSON, or something follows the object.</summary>
        Broken,
    }

    // Within a pretty-printed reading no line looks like this; behind one that was cut off it is the next reading.
    private static bool IsEnvelope(ReadOnlySpan<byte> line)
    {
        var json = default(Tokens);
        return line.TrimStart(" \t"u8) is [(byte)'{', ..]
            && (line.IndexOf("\"signature\""u8) >= 0 || line.IndexOf("\"batch_sha256\""u8) >= 0)
            && json.Read(line) == Progress.Whole;
    }

    /// <summary>How far an object has been read, line by line; each line is read once, for no token of JSON goes over its end.</summary>
    private struct Tokens
    {
        private JsonReaderState state;

        // A comma, or a name without its colon, waits for what follows.
        private byte[]? pending;

        public Progress Read(ReadOnlySpan<byte> line)
        {
            ReadOnlySpan<byte> text = pending is { Length: > 0 } ? [.. pending, .. line] : line;
            try
            {
                var json = new Utf8JsonReader(text, isFinalBlock: false, state);
                var isWhole = false;
                while (!isWhole && json.Read())
                    isWhole = json.CurrentDepth == 0 && json.TokenType is not JsonTokenType.StartObject and not JsonTokenType.StartArray;
                state = json.CurrentState;
                var rest = text[(int)json.BytesConsumed..].Trim(" \t\r\n"u8);
                if (isWhole)
                    return rest.IsEmpty ? Progress.Whole : Progress.Broken;
                // With its line's end, so that a text that was cut off is not continued.
                pending = rest.IsEmpty ? null : [.. rest, (byte)'\n'];
                return Progress.Open;
            }
            catch (JsonException)
            {
                return Progress.Broken;
            }
        }
    }
}
