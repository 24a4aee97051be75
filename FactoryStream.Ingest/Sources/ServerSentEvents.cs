namespace FactoryStream.Ingest.Sources;

/// <summary>Server-sent events, as far as a source may wrap its envelopes in them: an envelope in one <c>data</c> line.</summary>
internal static class ServerSentEvents
{
    /// <summary>
    /// The envelope of a line; false for a line that has none: a comment, or another field of an event.
    /// Samples: <c>data: {"data": ...}</c>, <c>: keep-alive</c>, <c>event: reading</c>; a bare <c>{"data": ...}</c> stays as it is.
    /// </summary>
    public static bool TryUnwrap(ReadOnlyMemory<byte> line, out ReadOnlyMemory<byte> envelope)
    {
        envelope = line;
        var span = line.Span;
        if (span.StartsWith("data:"u8))
        {
            envelope = line[(span.Length > 5 && span[5] == ' ' ? 6 : 5)..];
            return !envelope.IsEmpty;
        }
        return !(span.StartsWith(":"u8) || span.StartsWith("event:"u8) || span.StartsWith("id:"u8) || span.StartsWith("retry:"u8));
    }
}
