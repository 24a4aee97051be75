using System.Text;
using FactoryStream.Ingest.Http;

namespace FactoryStream.Tests.Ingest;

public sealed class LineSplitterTests
{
    [Fact]
    public void Lines_are_the_same_wherever_the_body_is_cut()
    {
        const string body = "one\r\n\n  two \n\tthree\n" + "much-too-long-for-a-line\n" + "four";
        string[] expected = ["1 one", "3 two", "4 three", "5 too long", "6 four"];
        for (var piece = 1; piece <= body.Length; piece++)
            Assert.Equal(expected, Split(body, piece, 20));
    }

    [Fact]
    public void A_splitter_can_be_used_again()
    {
        var splitter = new LineSplitter(10);
        splitter.Keep("left over from the last"u8);
        splitter.Reset();
        ReadOnlyMemory<byte> piece = Encoding.UTF8.GetBytes("new\n");
        Assert.True(splitter.TryRead(ref piece, out var line));
        Assert.Equal(("new", 1, false), (Encoding.UTF8.GetString(line.Bytes.Span), line.Number, line.IsTooLong));
    }

    private static List<string> Split(string body, int pieceLength, int maxLine)
    {
        var splitter = new LineSplitter(maxLine);
        var lines = new List<string>();
        foreach (var chunk in Encoding.UTF8.GetBytes(body).Chunk(pieceLength))
        {
            ReadOnlyMemory<byte> piece = chunk;
            while (splitter.TryRead(ref piece, out var line))
                lines.Add(Text(line));
        }
        if (splitter.TryFinish(out var last))
            lines.Add(Text(last));
        return lines;
    }

    private static string Text(Line line) => $"{line.Number} {(line.IsTooLong ? "too long" : Encoding.UTF8.GetString(line.Bytes.Span))}";
}
