using System.IO.Compression;
using System.Net;
using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Http;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

/// <summary>A body is taken as what it is, whatever its headers call it, and no part of it harms another.</summary>
public sealed class BodyFormTests
{
    private const string Pretty =
        "{\n  \"data\": {\n \"factory_id\": \"f1\", \"engine_id\": \"e9\", \"timestamp\": \"2026-02-25 06:13:20\"}, \"signature\": "
        + "\"c2ln\"\n}";

    private static readonly string One = Envelope(value: 1),
        Two = Envelope(value: 2);

    public static TheoryData<string, string[]> Bodies =>
        new()
        {
            { One, [One] },
            { $"\uFEFF{One}", [One] },
            { $"\uFEFF  \n{One}\n", [One] },
            { Pretty, [Pretty] },
            { $"{Pretty}\n{One}\n{Pretty}", [Pretty, One, Pretty] },
            { $"[{One}]", [One] },
            { $"\uFEFF [\n{One}\n,\r\n{Two} ]\n", [One, Two] },
            { $"[{One},{Pretty}, {Two}]", [One, Pretty, Two] },
            { $"{One}\n{Two}", [One, Two] },
            { $"{One}\r\n\r\n{Two}\r\n", [One, Two] },
            { $"{{\"data\": {{ \n{One}\n{Two}", ["{\"data\": {", One, Two] },
            { $"nonsense\n{One}", ["nonsense", One] },
            { $"[{One}, 7, \"a]\", {Two}", [One, "7", "\"a]\"", Two] },
            { $"[{One}, {{\"a\": \"]}}\\\"\"}}, {{\"b\": [1, {{}}]}}]{Two}", [One, "{\"a\": \"]}\\\"\"}", "{\"b\": [1, {}]}", Two] },
            { $"[{One}, {{\"cut\": ", [One, "{\"cut\":"] },
            { "nonsense", ["nonsense"] },
            { "[]", [] },
            { "", [] },
            { " \n ", [] },
        };

    [Theory]
    [MemberData(nameof(Bodies))]
    public void A_JSON_body_is_cut_into_what_it_holds_however_it_arrives(string body, string[] envelopes)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        foreach (var size in (int[])[1, 2, 3, 7, 50, 1_000_000])
        {
            var parser = new ReadingParser();
            var splitter = new EnvelopeSplitter(4_096, candidate => parser.TryParse(candidate, out _, out _) == Verdict.Accepted);
            Assert.Equal((size, string.Join('|', envelopes)), (size, string.Join('|', Cut(splitter, bytes, size))));
            splitter.Reset();
            Assert.Equal([Two], Cut(splitter, Encoding.UTF8.GetBytes(Two), size));
        }
    }

    [Fact]
    public void What_is_kept_of_a_long_envelope_has_no_white_space_around_it_in_any_form()
    {
        var spaces = new string(' ', 6_000);
        Assert.Equal(["{"], Cut(new EnvelopeSplitter(5_000, _ => false), Encoding.UTF8.GetBytes($"{{{spaces}"), 1_000));
        Assert.Equal(["{"], Cut(new EnvelopeSplitter(5_000, _ => false), Encoding.UTF8.GetBytes($"[{{{spaces}"), 1_000));
        var body = new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes($"{{{spaces}\n"));
        Assert.True(new LineSplitter(5_000).TryRead(ref body, out var line));
        Assert.Equal("{", Encoding.UTF8.GetString(line.Bytes.Span));
    }

    [Fact]
    public async Task A_long_element_is_refused_alone_and_a_long_envelope_is_read_no_further()
    {
        await using var app = await StartAsync(("MaxLineBytes", 2_048));
        var answer = await app.PostAsync(
            "application/json",
            Encoding.UTF8.GetBytes($"[{One}, {{\"x\": \"{new string('y', 5_000)}\"}}, {Two}]")
        );
        Assert.Equal((HttpStatusCode.Accepted, 2), (answer.Status, answer.Accepted));
        Assert.Equal(["2 too_large"], answer.Rejected);

        var alone = await app.PostAsync("application/json", Encoding.UTF8.GetBytes($"{{\"x\": \"{new string('y', 5_000)}\"}}"));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, 0), (alone.Status, alone.Accepted));
    }

    [Fact]
    public async Task A_broken_first_line_of_many_harms_none_of_the_others()
    {
        await using var app = await StartAsync(("MaxLineBytes", 2_048));
        var answer = await app.PostAsync(
            "application/json",
            Encoding.UTF8.GetBytes("{\"data\": {\n" + string.Concat(Enumerable.Range(0, 100).Select(i => Envelope(value: i) + "\n")))
        );
        Assert.Equal((HttpStatusCode.Accepted, 100), (answer.Status, answer.Accepted));
        Assert.Equal(["1 malformed"], answer.Rejected);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("identity")]
    public async Task What_a_content_encoding_is_called_does_not_matter(string encoding)
    {
        await using var app = await StartAsync();
        var body = Encoding.UTF8.GetBytes(One);
        var answer = await app.PostAsync("application/json", encoding == "identity" ? body : Gzip(body), encoding);
        Assert.Equal((HttpStatusCode.Accepted, 1), (answer.Status, answer.Accepted));
    }

    [Fact]
    public async Task A_compressed_body_may_be_as_large_as_a_plain_one()
    {
        await using var app = await StartAsync(("MaxLinesPerRequest", 1_000_000));
        // Some 41 MB: beyond what the server allows of a body by default.
        var plain = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(One + new string(' ', 60_000) + "\n", 680)));
        var answer = await app.PostAsync("application/x-ndjson", Gzip(plain), "gzip");
        Assert.Equal((HttpStatusCode.Accepted, 680), (answer.Status, answer.Accepted));
    }

    [Fact]
    public async Task Members_that_are_no_numbers_are_taken_and_the_first_ten_are_named()
    {
        await using var app = await StartAsync();
        var odd = One.Replace(
            "\"rpm\": 1",
            string.Join(", ", Enumerable.Range(0, 12).Select(i => $"\"m{i}\": null")),
            StringComparison.Ordinal
        );
        var answer = await app.PostAsync(Two, odd);
        Assert.Equal((HttpStatusCode.Accepted, 2), (answer.Status, answer.Accepted));
        Assert.Equal(
            Enumerable.Range(0, 10).Select(i => $"2 m{i}"),
            answer
                .Body.GetProperty("warnings")
                .EnumerateArray()
                .Select(warning => $"{warning.GetProperty("line")} {warning.GetProperty("member")}")
        );
    }

    [Fact]
    public async Task Every_hostile_body_gets_its_answer_and_its_neighbours_are_accepted()
    {
        await using var app = await StartAsync();
        foreach (var hostile in TestData.Hostile)
        {
            var before = app.Kafka.Lines.Count;
            var answer = await app.PostAsync(
                hostile.ContentType,
                hostile.Body,
                hostile.ContentEncoding.Length == 0 ? null : hostile.ContentEncoding
            );
            Assert.Equal((hostile.Name, (HttpStatusCode)hostile.Status), (hostile.Name, answer.Status));
            if (hostile.Stored is { } stored)
                Assert.Equal((hostile.Name, stored), (hostile.Name, answer.Accepted));
            if (hostile.Refused is { } refused)
                Assert.Equal((hostile.Name, refused), (hostile.Name, answer.RejectedCount));
            if (hostile.Outcome.TryGetValue("line", out var line))
                Assert.Equal([$"{line} malformed"], answer.Rejected);
            if (hostile.Outcome.TryGetValue("detail_names", out var member))
                Assert.StartsWith(
                    $"{member}: expected ",
                    answer.Body.GetProperty("rejected")[0].GetProperty("detail").GetString(),
                    StringComparison.Ordinal
                );
            Assert.Equal((hostile.Name, before + answer.Accepted), (hostile.Name, app.Kafka.Lines.Count));
        }
    }

    private static List<string> Cut(EnvelopeSplitter splitter, byte[] body, int size)
    {
        var envelopes = new List<string>();
        foreach (var piece in body.Chunk(size))
        {
            ReadOnlyMemory<byte> rest = piece;
            while (splitter.TryRead(ref rest, out var line))
                envelopes.Add(Encoding.UTF8.GetString(line.Bytes.Span));
        }
        while (splitter.TryFinish(out var last))
            envelopes.Add(Encoding.UTF8.GetString(last.Bytes.Span));
        return envelopes;
    }

    private static byte[] Gzip(byte[] body)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(body);
        return compressed.ToArray();
    }
}
