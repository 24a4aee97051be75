using System.IO.Compression;

namespace FactoryStream.Tests.Fuzz;

/// <summary>What mutants are made of: every envelope of the vectors, whatever was right for it, each alone.</summary>
internal static class Vectors
{
    public static IReadOnlyList<byte[]> Envelopes { get; } = [.. Read()];

    private static IEnumerable<byte[]> Read()
    {
        var utf8 = new System.Text.UTF8Encoding(false);
        foreach (var file in (string[])["valid-max-salt.ndjson", "valid-digest-salt.ndjson"])
        {
            foreach (var line in File.ReadLines(TestData.File($"signed-readings/{file}")))
                yield return utf8.GetBytes(line);
        }
        foreach (var line in File.ReadLines(TestData.File("signed-readings/rejected.tsv")))
            yield return utf8.GetBytes(line[(line.IndexOf('\t', StringComparison.Ordinal) + 1)..]);
        foreach (var hostile in TestData.Hostile)
        {
            var body = hostile.ContentEncoding.Contains("gzip", StringComparison.Ordinal) ? Decompress(hostile.Body) : hostile.Body;
            // A pretty-printed one stays whole.
            foreach (var line in hostile.Name.StartsWith("pretty", StringComparison.Ordinal) ? [body] : Lines(body))
            {
                if (line.Length > 0)
                    yield return line;
            }
        }
    }

    private static List<byte[]> Lines(byte[] body)
    {
        var lines = new List<byte[]>();
        var start = 0;
        while (start < body.Length)
        {
            var length = body.AsSpan(start).IndexOf((byte)'\n');
            length = length < 0 ? body.Length - start : length;
            lines.Add(body.AsSpan(start, length).ToArray());
            start += length + 1;
        }
        return lines;
    }

    /// <summary>As much as there is of it: one of them is cut off on purpose.</summary>
    private static byte[] Decompress(byte[] body)
    {
        using var gzip = new GZipStream(new MemoryStream(body), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        try
        {
            gzip.CopyTo(plain);
        }
        catch (InvalidDataException)
        {
            // What came before the cut is as good a seed.
        }
        return plain.ToArray();
    }
}
