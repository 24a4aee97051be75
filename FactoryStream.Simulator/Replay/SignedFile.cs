using FactoryStream.Contracts;

namespace FactoryStream.Simulator.Replay;

/// <summary>
/// A file of signed readings, an envelope a line, be it of one or of a batch, as <c>--save</c> writes it: sent again, it is the same to the
/// last byte.
/// </summary>
internal sealed class SignedFile(string path)
{
    internal const int MaxLineBytes = 1 << 20;

    /// <summary>Its lines, with their times; envelopes only, anything else is a <see cref="UsageException"/> that says where.</summary>
    public IEnumerable<SignedLine> Read() =>
        Envelopes().Select(line => new SignedLine(line.Reading.MeasuredAt, line.Line, line.Reading.Count));

    /// <summary>The factories whose readings it holds.</summary>
    public IReadOnlyCollection<string> Factories() => Envelopes().Select(line => line.Reading.FactoryId).ToHashSet();

    private IEnumerable<(SignedReading Reading, ReadOnlyMemory<byte> Line)> Envelopes()
    {
        var parser = new ReadingParser();
        foreach (var (line, number) in Lines(path))
        {
            if (parser.TryParse(line, out var reading, out var detail) != Verdict.Accepted)
                throw new UsageException($"{path}, line {number}: {detail}.");
            yield return (reading, line);
        }
    }

    /// <summary>The file's lines that are not empty, each with its end, and their numbers.</summary>
    internal static IEnumerable<(ReadOnlyMemory<byte> Line, int Number)> Lines(string path) =>
        AllLines(path).Where(line => !IsBlank(line.Line));

    /// <summary>Whether a line holds nothing.</summary>
    internal static bool IsBlank(ReadOnlyMemory<byte> line) => line.Span.Trim(" \t\r\n"u8).IsEmpty;

    /// <summary>All of the file's lines, each with its end.</summary>
    internal static IEnumerable<(ReadOnlyMemory<byte> Line, int Number)> AllLines(string path)
    {
        using var file = Open(path);
        var buffer = new byte[256 * 1024];
        int start = 0,
            end = 0,
            number = 0;
        var isLast = false;
        while (!isLast)
        {
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }
            if (end == buffer.Length)
                throw new UsageException($"{path}, line {number + 1}: longer than {MaxLineBytes} bytes.");
            var count = file.Read(buffer, end, buffer.Length - end);
            isLast = count == 0;
            end += count;
            while (start < end)
            {
                var length = buffer.AsSpan(start, end - start).IndexOf((byte)'\n') + 1;
                if (length == 0 && !isLast)
                    break;
                var line = buffer.AsSpan(start, length == 0 ? end - start : length);
                start += line.Length;
                number++;
                yield return (line[^1] == '\n' ? line.ToArray() : [.. line, (byte)'\n'], number);
            }
            if (start == 0 && end == buffer.Length && buffer.Length < MaxLineBytes)
                Array.Resize(ref buffer, buffer.Length * 2);
        }
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be read: {exception.Message}", exception);
        }
    }
}
