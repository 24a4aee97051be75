using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using FactoryStream.Contracts;

namespace FactoryStream.Audit.Evidence;

/// <summary>A reading to be checked.</summary>
/// <param name="Line">Its envelope.</param>
/// <param name="Number">Of its first line, or its row, from 1.</param>
/// <param name="Columns">What an archive says of it beside the signed bytes; null: nothing does.</param>
internal readonly record struct EvidenceLine(ReadOnlyMemory<byte> Line, int Number, ArchivedReading? Columns);

/// <summary>Readings with their evidence out of a file: envelopes, each of a line or, where the signed bytes have line breaks, of several;
/// or an archive.</summary>
internal static class EvidenceFile
{
    /// <summary>What a Parquet file begins and ends with.</summary>
    private static ReadOnlySpan<byte> ParquetMagic => "PAR1"u8;

    public static async IAsyncEnumerable<EvidenceLine> ReadAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (IsParquet(path))
        {
            var number = 0;
            await foreach (var reading in EvidenceArchive.ReadAsync(path, cancellationToken))
                yield return new EvidenceLine(Envelope(reading), ++number, reading);
            yield break;
        }
        foreach (var (envelope, number) in EnvelopeLines.Join(Lines(path)))
            yield return new EvidenceLine(envelope, number, null);
    }

    private static IEnumerable<(ReadOnlyMemory<byte> Line, int Number)> Lines(string path)
    {
        using var file = Open(path);
        var reader = new LineReader(file);
        while (ReadLine(reader, path) is { } line)
            yield return (line, reader.Number);
    }

    private static byte[]? ReadLine(LineReader reader, string path)
    {
        try
        {
            return reader.Read();
        }
        catch (InvalidDataException exception)
        {
            throw new EvidenceException($"{path}, {exception.Message}.", exception);
        }
    }

    private static bool IsParquet(string path)
    {
        using var file = Open(path);
        Span<byte> begin = stackalloc byte[4];
        return file.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false) == begin.Length && begin.SequenceEqual(ParquetMagic);
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new EvidenceException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    // {"data": …, "signature": "J5Bz…", "key_id": "5f2c…"}
    private static byte[] Envelope(ArchivedReading reading) =>
        Encoding.UTF8.GetBytes(
            $$"""{"data": {{reading.Data}}, "signature": "{{Convert.ToBase64String(reading.Signature)}}","""
                + $$""" "key_id": "{{JsonEncodedText.Encode(reading.KeyId)}}"}"""
                + "\n"
        );
}
