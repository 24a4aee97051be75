using System.Globalization;
using System.Text;

namespace FactoryStream.Contracts;

/// <summary>Where a line stands in a partition of <see cref="TopicNames.Signed"/>. Ordered as the log is.</summary>
/// <param name="Offset">The offset of the message that the line is in; -1: before the first message.</param>
/// <param name="Line">The line's place in that message, from 0.</param>
public readonly record struct SourcePosition(long Offset, int Line) : IComparable<SourcePosition>
{
    /// <summary>The position before the first line of the log.</summary>
    public static SourcePosition None { get; } = new(-1, 0);

    /// <inheritdoc/>
    public int CompareTo(SourcePosition other) => Offset != other.Offset ? Offset.CompareTo(other.Offset) : Line.CompareTo(other.Line);

    /// <summary>Whether the left position is earlier in the log.</summary>
    public static bool operator <(SourcePosition left, SourcePosition right) => left.CompareTo(right) < 0;

    /// <summary>Whether the left position is later in the log.</summary>
    public static bool operator >(SourcePosition left, SourcePosition right) => left.CompareTo(right) > 0;

    /// <summary>Whether the left position is earlier in the log or the same.</summary>
    public static bool operator <=(SourcePosition left, SourcePosition right) => left.CompareTo(right) <= 0;

    /// <summary>Whether the left position is later in the log or the same.</summary>
    public static bool operator >=(SourcePosition left, SourcePosition right) => left.CompareTo(right) >= 0;

    /// <summary>As the header <see cref="MessageHeaders.Source"/> of a rejection has it: <c>1042:17</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Offset}:{Line}");

    /// <summary>Parses what <see cref="ToString"/> gave.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out SourcePosition position)
    {
        position = default;
        var colon = text.IndexOf(':');
        if (
            colon < 0
            || !long.TryParse(text[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            || !int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var line)
        )
            return false;
        position = new(offset, line);
        return true;
    }
}

/// <summary>
/// What became of one message of <see cref="TopicNames.Signed"/>: how many lines it had, which of them were rejected and whose those were.
/// </summary>
/// <param name="Offset">The offset of the message in its partition.</param>
/// <param name="LineCount">How many lines it had, as counted before any was looked at.</param>
/// <param name="Rejected">The rejected lines, ascending. All others were accepted.</param>
public readonly record struct SourceMessage(long Offset, int LineCount, IReadOnlyList<SourceRejection> Rejected);

/// <summary>A rejected line of a <see cref="SourceMessage"/>.</summary>
/// <param name="Line">The line's place in the message, from 0.</param>
/// <param name="FactoryId">The factory in whose ledger it is counted; "" where that could not be read or no such factory has a key.</param>
/// <param name="Readings">How many readings of the partition it held: more than one when it was a batch.</param>
public readonly record struct SourceRejection(int Line, string FactoryId, int Readings = 1);

/// <summary>
/// The header <see cref="MessageHeaders.Source"/> of a verified message: the source messages it is for, in log order; its own lines are
/// their accepted lines, in order. A source message of which nothing was accepted is named as well (with no line), so that the verified
/// log tells the outcome of every line. Sample: <c>1041:20;1042:18!3=factory_003!9=factory%3B004;1043:1</c> is messages 1041 to 1043 with
/// 20, 18 and 1 lines, lines 3 and 9 of 1042 rejected; <c>!3*100=factory_003</c> is a line that was a batch of 100 readings.
/// </summary>
public static class SourcePositions
{
    /// <summary>Most lines of a message: no broker takes one of more.</summary>
    public const int MaxLines = 1 << 24;

    /// <summary>Writes the header's text.</summary>
    /// <param name="messages">In the log's order, each with its rejected lines in ascending order.</param>
    public static string Format(IReadOnlyList<SourceMessage> messages)
    {
        var text = new StringBuilder();
        foreach (var message in messages)
        {
            if (text.Length > 0)
                text.Append(';');
            text.Append(CultureInfo.InvariantCulture, $"{message.Offset}:{message.LineCount}");
            foreach (var (line, factoryId, readings) in message.Rejected)
            {
                text.Append(CultureInfo.InvariantCulture, $"!{line}");
                if (readings != 1)
                    text.Append(CultureInfo.InvariantCulture, $"*{readings}");
                text.Append('=').Append(Uri.EscapeDataString(factoryId));
            }
        }
        return text.ToString();
    }

    /// <summary>Parses what <see cref="Format"/> gave, offsets and lines ascending; false for anything else.</summary>
    public static bool TryParse(string text, out List<SourceMessage> messages)
    {
        messages = [];
        foreach (var part in text.Split(';'))
        {
            var fields = part.Split('!');
            if (!SourcePosition.TryParse(fields[0], out var head))
                return false;
            // A header of another hand may say anything: what is taken here is what Format could have written.
            if (head.Line > MaxLines || (messages.Count > 0 && head.Offset <= messages[^1].Offset))
                return false;
            SourceRejection[] rejected = fields.Length == 1 ? [] : new SourceRejection[fields.Length - 1];
            for (var i = 1; i < fields.Length; i++)
            {
                var equals = fields[i].IndexOf('=', StringComparison.Ordinal);
                if (equals < 0)
                    return false;
                var number = fields[i].AsSpan(0, equals);
                var star = number.IndexOf('*');
                var readings = 1;
                if (star >= 0 && !int.TryParse(number[(star + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out readings))
                    return false;
                if (readings is < 1 or > ReadingParser.MaxBatchReadings)
                    return false;
                if (
                    !int.TryParse(star < 0 ? number : number[..star], NumberStyles.None, CultureInfo.InvariantCulture, out var line)
                    || line >= head.Line
                    || (i > 1 && line <= rejected[i - 2].Line)
                )
                    return false;
                rejected[i - 1] = new(line, Uri.UnescapeDataString(fields[i][(equals + 1)..]), readings);
            }
            messages.Add(new(head.Offset, head.Line, rejected));
        }
        return true;
    }
}
