using System.Buffers;

namespace FactoryStream.Ingest.Http;

/// <summary>A line as it came, without white space around it. Valid until the next is read.</summary>
/// <param name="Bytes">Of a line that is too long: its beginning.</param>
/// <param name="Number">From 1; empty lines count.</param>
/// <param name="IsTooLong">Longer than allowed.</param>
internal readonly record struct Line(ReadOnlyMemory<byte> Bytes, int Number, bool IsTooLong);

/// <summary>
/// Cuts a body that comes in pieces into lines. A line within a piece is a slice of it; one that spans pieces is put together here.
/// Of a line that is too long only the beginning is kept, so memory is bounded whatever comes.
/// </summary>
internal sealed class LineSplitter(int maxLineBytes)
{
    /// <summary>How much of a line that is too long is kept as evidence.</summary>
    public const int KeptOfTooLong = 4_096;

    private readonly int keptOfTooLong = Math.Min(KeptOfTooLong, maxLineBytes);
    private byte[]? carry;
    private int carried;
    private bool isTooLong;
    private int number;

    /// <summary>Takes the next line off a piece; false when the piece is used up. Empty lines are passed over.</summary>
    public bool TryRead(ref ReadOnlyMemory<byte> piece, out Line line)
    {
        while (!piece.IsEmpty)
        {
            var end = piece.Span.IndexOf((byte)'\n');
            if (end < 0)
            {
                Keep(piece.Span);
                piece = default;
                break;
            }
            var part = piece[..end];
            piece = piece[(end + 1)..];
            if (End(part, out line))
                return true;
        }
        line = default;
        return false;
    }

    /// <summary>Keeps a piece of the line under way, line breaks and all.</summary>
    public void Keep(ReadOnlySpan<byte> part)
    {
        if (isTooLong || part.IsEmpty)
            return;
        if (carried + part.Length > maxLineBytes)
        {
            carried = Math.Min(carried, keptOfTooLong);
            part = part[..Math.Min(part.Length, keptOfTooLong - carried)];
            isTooLong = true;
        }
        if (carry is null || carry.Length < carried + part.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Min(maxLineBytes, Math.Max(carried + part.Length, 4_096) * 2));
            if (carry is not null)
            {
                carry.AsSpan(0, carried).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(carry);
            }
            carry = larger;
        }
        part.CopyTo(carry.AsSpan(carried));
        carried += part.Length;
    }

    /// <summary>The number of the line given last, from 1; empty ones count.</summary>
    public int Number => number;

    /// <summary>The line under way is longer than allowed.</summary>
    public bool IsTooLong => isTooLong;

    /// <summary>The last line, of a body that does not end with a line break; false when there is none.</summary>
    public bool TryFinish(out Line line) => End(default, out line);

    private bool End(ReadOnlyMemory<byte> part, out Line line)
    {
        number++;
        if (carried > 0 || isTooLong)
        {
            Keep(part.Span);
            part = carry.AsMemory(0, carried);
        }
        else if (part.Length > maxLineBytes)
        {
            part = part[..keptOfTooLong];
            isTooLong = true;
        }
        // A byte order mark before the body is an editor's, and none of its first line's.
        if (number == 1 && part.Span.StartsWith("\uFEFF"u8))
            part = part[3..];
        line = new Line(Trim(part), number, isTooLong);
        carried = 0;
        isTooLong = false;
        return !line.Bytes.IsEmpty || line.IsTooLong;
    }

    /// <summary>Ready for another body.</summary>
    public void Reset()
    {
        carried = 0;
        isTooLong = false;
        number = 0;
        if (carry is null)
            return;
        ArrayPool<byte>.Shared.Return(carry);
        carry = null;
    }

    // JSON's own white space, no more.
    internal static ReadOnlyMemory<byte> Trim(ReadOnlyMemory<byte> bytes)
    {
        var span = bytes.Span;
        int start = 0,
            end = span.Length;
        while (end > 0 && span[end - 1] is ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
            end--;
        while (start < end && span[start] is ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
            start++;
        return bytes[start..end];
    }
}
