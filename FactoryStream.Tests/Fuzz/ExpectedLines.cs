namespace FactoryStream.Tests.Fuzz;

/// <summary>A line that must be refused.</summary>
/// <param name="Reason">By name.</param>
/// <param name="Kept">What is kept of it, as evidence.</param>
internal sealed record ExpectedRefusal(string Reason, byte[] Kept);

/// <summary>What must become of a body's lines: each is either accepted or refused, whatever its neighbours are.</summary>
/// <param name="Accepted">How many readings are accepted.</param>
/// <param name="Refused">The refused lines by number, from 1.</param>
internal sealed record ExpectedLines(long Accepted, IReadOnlyDictionary<int, ExpectedRefusal> Refused)
{
    /// <summary>Ingest's own default; of a longer line so much is kept.</summary>
    private const int MaxLineBytes = 64 << 10,
        KeptOfTooLong = 4_096;

    private static readonly byte[] WhiteSpace = " \t\r\n"u8.ToArray();

    /// <summary>Of lines, as <c>application/x-ndjson</c> and sources send them.</summary>
    /// <param name="body">All of it.</param>
    /// <param name="isSource">Envelopes may be wrapped in server-sent events, and lines that are no event's data say nothing.</param>
    public static ExpectedLines OfLines(byte[] body, bool isSource = false)
    {
        var lines = new List<(int Number, byte[] Line, bool IsTooLong)>();
        var number = 0;
        var start = 0;
        while (start < body.Length)
        {
            var length = body.AsSpan(start).IndexOf((byte)'\n');
            length = length < 0 ? body.Length - start : length;
            var line = body.AsSpan(start, length);
            start += length + 1;
            number++;
            var isTooLong = line.Length > MaxLineBytes;
            if (isTooLong)
                line = line[..KeptOfTooLong];
            if (number == 1 && line.StartsWith("\uFEFF"u8))
                line = line[3..];
            line = line.Trim(WhiteSpace);
            if (isSource && line.StartsWith("data:"u8))
                line = line[(line.Length > 5 && line[5] == ' ' ? 6 : 5)..];
            else if (
                isSource
                && (line.StartsWith(":"u8) || line.StartsWith("event:"u8) || line.StartsWith("id:"u8) || line.StartsWith("retry:"u8))
            )
                continue;
            if (!line.IsEmpty || (isTooLong && !isSource))
                lines.Add((number, line.ToArray(), isTooLong));
        }
        return Of(lines);
    }

    /// <summary>Of the elements of an array, or of one envelope; without white space around them.</summary>
    public static ExpectedLines OfElements(IEnumerable<byte[]> elements) =>
        Of(
            elements.Select(
                (element, index) =>
                    (
                        index + 1,
                        element.Length > MaxLineBytes ? element.AsSpan(0, KeptOfTooLong).Trim(WhiteSpace).ToArray() : element,
                        element.Length > MaxLineBytes
                    )
            )
        );

    private static ExpectedLines Of(IEnumerable<(int Number, byte[] Line, bool IsTooLong)> lines)
    {
        var accepted = 0L;
        var refused = new Dictionary<int, ExpectedRefusal>();
        foreach (var (number, line, isTooLong) in lines)
        {
            if (!isTooLong && EnvelopeOracle.Parse(line) is { } envelope)
                accepted += envelope.Readings.Count;
            else
                refused.Add(number, new(isTooLong ? "too_large" : "malformed", line));
        }
        return new(accepted, refused);
    }
}
