using System.Text;
using FactoryStream.Contracts;

namespace FactoryStream.Tests.Contracts;

public sealed class LineReaderTests
{
    [Fact]
    public void Every_line_is_given_with_its_end_and_its_number()
    {
        var longest = new string('x', LineReader.MaxLineBytes - 1);
        var reader = new LineReader(new MemoryStream(Encoding.UTF8.GetBytes($"a\n\n{longest}\n b\r")));

        var read = new List<(int, string)>();
        while (reader.Read() is { } line)
            read.Add((reader.Number, Encoding.UTF8.GetString(line)));

        Assert.Equal([(1, "a\n"), (2, "\n"), (3, longest + "\n"), (4, " b\r\n")], read);
    }

    [Fact]
    public void A_line_beyond_the_bound_is_refused_with_its_number()
    {
        var reader = new LineReader(new MemoryStream(Encoding.UTF8.GetBytes("a\n" + new string('x', LineReader.MaxLineBytes + 1) + "\n")));
        Assert.Equal("a\n"u8.ToArray(), reader.Read());

        Assert.Equal(
            "line 2: expected at most 1048576 bytes, found more",
            Assert.Throws<InvalidDataException>(() => reader.Read()).Message
        );
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(" \t\r\n", true)]
    [InlineData(" x\n", false)]
    public void A_line_of_white_space_is_blank(string line, bool expected) =>
        Assert.Equal(expected, LineReader.IsBlank(Encoding.UTF8.GetBytes(line)));
}
