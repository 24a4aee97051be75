namespace FactoryStream.Contracts;

/// <summary>Reads envelopes as they are kept in files, a line each: exact bytes, lines of any length up to a bound.</summary>
/// <param name="stream">Read from where it stands; the caller closes it.</param>
public sealed class LineReader(Stream stream)
{
    /// <summary>Bytes that a line may have, its end included.</summary>
    public const int MaxLineBytes = 1 << 20;

    private byte[] buffer = new byte[256 * 1024];
    private int start,
        end;
    private bool isAtEnd;

    /// <summary>The number of the line that was read last, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>Whether a line holds nothing but white space.</summary>
    public static bool IsBlank(ReadOnlyMemory<byte> line) => line.Span.Trim(" \t\r\n"u8).IsEmpty;

    /// <summary>
    /// The next line, blank ones included, with its <c>\n</c>, which the last one gets if it has none; null: there is none.
    /// </summary>
    /// <exception cref="InvalidDataException">The line after <see cref="Number"/> is longer than <see cref="MaxLineBytes"/>.</exception>
    public byte[]? Read()
    {
        while (true)
        {
            var length = buffer.AsSpan(start, end - start).IndexOf((byte)'\n') + 1;
            if (length > 0 || (isAtEnd && start < end))
            {
                var line = buffer.AsSpan(start, length == 0 ? end - start : length);
                start += line.Length;
                Number++;
                return line[^1] == '\n' ? line.ToArray() : [.. line, (byte)'\n'];
            }
            if (isAtEnd)
                return null;
            Fill();
        }
    }

    private void Fill()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        if (end == buffer.Length)
        {
            if (buffer.Length >= MaxLineBytes)
                throw new InvalidDataException($"line {Number + 1}: expected at most {MaxLineBytes} bytes, found more");
            Array.Resize(ref buffer, buffer.Length * 2);
        }
        var count = stream.Read(buffer, end, buffer.Length - end);
        isAtEnd = count == 0;
        end += count;
    }
}
