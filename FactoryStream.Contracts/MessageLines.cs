namespace FactoryStream.Contracts;

/// <summary>
/// The value of a message of <see cref="TopicNames.Signed"/> and <see cref="TopicNames.Verified"/>: envelopes, a line each, joined by
/// <c>\n</c>.
/// An envelope that itself contains a line break (a pretty-printed POST: its bytes are signed, so they stay) travels alone,
/// with the header <see cref="MessageHeaders.Framing"/> = <c>single</c>.
/// </summary>
public static class MessageLines
{
    /// <summary>The lines of a message's value, as slices of it.</summary>
    public static List<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> value, bool single)
    {
        var lines = new List<ReadOnlyMemory<byte>>();
        if (single)
        {
            lines.Add(value);
            return lines;
        }
        while (!value.IsEmpty)
        {
            var end = value.Span.IndexOf((byte)'\n');
            if (end < 0)
            {
                lines.Add(value);
                break;
            }
            lines.Add(value[..end]);
            value = value[(end + 1)..];
        }
        return lines;
    }

    /// <summary>How many lines <see cref="Split"/> would give.</summary>
    public static int Count(ReadOnlySpan<byte> value, bool single)
    {
        if (single)
            return 1;
        if (value.IsEmpty)
            return 0;
        var count = value.Count((byte)'\n');
        return value[^1] == '\n' ? count : count + 1;
    }
}
