using FactoryStream.Contracts;

namespace FactoryStream.Simulator.Replay;

/// <summary>
/// A file of signed readings, an envelope a line, be it of one or of a batch, as <c>--save</c> writes it: sent again, it is the same to the
/// last byte.
/// </summary>
internal sealed class SignedFile(string path)
{
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
    internal static IEnumerable<(ReadOnlyMemory<byte> Line, int Number)> Lines(string path)
    {
        using var file = Open(path);
        var reader = new LineReader(file);
        while (Read(reader, path) is { } line)
        {
            if (!LineReader.IsBlank(line))
                yield return (line, reader.Number);
        }
    }

    private static byte[]? Read(LineReader reader, string path)
    {
        try
        {
            return reader.Read();
        }
        catch (InvalidDataException exception)
        {
            throw new UsageException($"{path}, {exception.Message}.", exception);
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
