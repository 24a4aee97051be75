using System.Text;
using FactoryStream.Contracts;

namespace FactoryStream.Tests.Contracts;

public sealed class ReadingParserTests
{
    private const string Data = """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 3001}""";

    private static (Verdict Verdict, SignedReading Reading, string? Detail, Metric[] Metrics) Parse(string line) => Parse(Encoding.UTF8.GetBytes(line));

    private static (Verdict Verdict, SignedReading Reading, string? Detail, Metric[] Metrics) Parse(byte[] line)
    {
        var parser = new ReadingParser();
        var verdict = parser.TryParse(line, out var reading, out var detail);
        return (verdict, reading, detail, parser.Metrics.ToArray());
    }

    private static string Envelope(string data) => $$"""{"data": {{data}}, "signature": "QUJD"}""";

    [Fact]
    public void An_envelope_is_taken_apart_and_its_data_stays_byte_for_byte()
    {
        var (verdict, reading, detail, metrics) = Parse("  " + """{"key_id":"k1","signature":"QUJD","data":{ "factory_id":"f\u00fc","engine_id" : "e","timestamp":"2026-02-25T07:13:20.5+01:00","temp_air":-1.5e1,"rpm":3001 }}""" + "\r\n");

        Assert.Equal((Verdict.Accepted, null), (verdict, detail));
        Assert.Equal("""{ "factory_id":"f\u00fc","engine_id" : "e","timestamp":"2026-02-25T07:13:20.5+01:00","temp_air":-1.5e1,"rpm":3001 }""", Encoding.UTF8.GetString(reading.Data.Span));
        Assert.Equal("QUJD", Encoding.UTF8.GetString(reading.Signature.Span));
        Assert.Equal(("fü", "e", "k1"), (reading.FactoryId, reading.EngineId, reading.KeyId));
        Assert.Equal(new DateTime(2026, 2, 25, 6, 13, 20, 500, DateTimeKind.Utc), reading.MeasuredAt);
        Assert.Equal([new Metric("temp_air", -15), new Metric("rpm", 3001)], metrics);
    }

    [Fact]
    public void Line_breaks_inside_the_data_are_part_of_it()
    {
        var data = Data.Replace(", ", ",\r\n  ", StringComparison.Ordinal);
        Assert.Equal(data, Encoding.UTF8.GetString(Parse(Envelope(data)).Reading.Data.Span));
    }

    [Fact]
    public void Unknown_members_of_the_envelope_are_passed_over() =>
        Assert.Equal(Verdict.Accepted, Parse($$"""{"v": [1, {"data": 2}], "data": {{Data}}, "signature": "QUJD"}""").Verdict);

    [Theory]
    [InlineData("", "not JSON: byte 0")]
    [InlineData("[1]", "not an object")]
    [InlineData("{}", "no data")]
    [InlineData("""{"data": 1, "signature": "QUJD"}""", "data is not an object")]
    [InlineData("""{"data": {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}}""", "no signature")]
    [InlineData("""{"data": {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}, "signature": ""}""", "the signature is not base64")]
    [InlineData("""{"data": {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}, "signature": "QUJ"}""", "the signature is not base64")]
    [InlineData("""{"data": {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}, "signature": "QUJD", "signature": "QUJD"}""", "signature twice")]
    public void A_broken_envelope_is_malformed(string line, string detail)
    {
        var (verdict, _, actual, _) = Parse(line);
        Assert.Equal((Verdict.Malformed, detail), (verdict, actual));
    }

    [Theory]
    [InlineData("""{"engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""", "no factory_id")]
    [InlineData("""{"factory_id": "f", "timestamp": "2026-02-25 06:13:20"}""", "no engine_id")]
    [InlineData("""{"factory_id": "f", "engine_id": "e"}""", "no timestamp")]
    [InlineData("""{"factory_id": "", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""", "factory_id is no id")]
    [InlineData("""{"factory_id": 7, "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""", "factory_id is no id")]
    [InlineData("""{"factory_id": "f\u0000", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""", "factory_id is no id")]
    [InlineData("""{"factory_id": "f", "engine_id": "\ud800", "timestamp": "2026-02-25 06:13:20"}""", "engine_id is no id")]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": "yesterday"}""", "the timestamp is no time")]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25T06:13:20"}""", "an ISO 8601 timestamp needs its offset, e.g. Z or +01:00")]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": "1969-12-31 23:59:59"}""", "the timestamp is before 1970")]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": "fast"}""", "metric rpm is no number")]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": null}""", "metric rpm is no number")]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": {"a": [1]}}""", "metric rpm is no number")]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 1e999}""", "metric rpm is no number")]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 1, "r\u0070m": 1}""", "member rpm twice")]
    [InlineData("""{"factory_id": "f", "factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""", "factory_id twice")]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "": 1}""", "a member's name is none")]
    public void A_broken_reading_is_malformed(string data, string detail)
    {
        var (verdict, _, actual, _) = Parse(Envelope(data));
        Assert.Equal((Verdict.Malformed, detail), (verdict, actual));
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_malformed()
    {
        var line = Encoding.UTF8.GetBytes(Envelope(Data));
        line[Array.IndexOf(line, (byte)'f')] = 0xC3;
        Assert.Equal((Verdict.Malformed, "not UTF-8"), (Parse(line).Verdict, Parse(line).Detail));
    }

    [Fact]
    public void A_malformed_reading_still_says_whose_it_is() =>
        Assert.Equal("f", Parse(Envelope("""{"timestamp": "yesterday", "rpm": "fast", "factory_id": "f", "engine_id": "e"}""")).Reading.FactoryId);

    [Fact]
    public void Something_behind_the_envelope_is_malformed() => Assert.Equal(Verdict.Malformed, Parse(Envelope(Data) + " x").Verdict);

    [Fact]
    public void Limits_hold_at_their_edges()
    {
        string Named(int length) => Envelope($$"""{"factory_id": "{{new string('f', length)}}", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""");
        string With(int count) => Envelope($$"""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"{{string.Concat(Enumerable.Range(0, count).Select(i => $", \"m{i}\": {i}"))}}}""");

        Assert.Equal([Verdict.Accepted, Verdict.Malformed], new[] { Parse(Named(128)).Verdict, Parse(Named(129)).Verdict });
        Assert.Equal([Verdict.Accepted, Verdict.Malformed], new[] { Parse(With(256)).Verdict, Parse(With(257)).Verdict });
        Assert.Equal(256, Parse(With(256)).Metrics.Length);
    }

    [SkippableFact]
    public void Every_shared_valid_envelope_parses_and_every_malformed_one_does_not()
    {
        var folder = SharedData.Require("data/signed-readings");
        foreach (var file in (string[])["valid-max-salt.ndjson", "valid-digest-salt.ndjson"])
        {
            var lines = File.ReadAllLines(Path.Combine(folder, file));
            Assert.Equal(120, lines.Length);
            Assert.All(lines, line => Assert.Equal((Verdict.Accepted, 7), (Parse(line).Verdict, Parse(line).Metrics.Length)));
        }
        foreach (var line in File.ReadAllLines(Path.Combine(folder, "rejected.tsv")))
        {
            var tab = line.IndexOf('\t', StringComparison.Ordinal);
            var expected = line.StartsWith("malformed", StringComparison.Ordinal) ? Verdict.Malformed : Verdict.Accepted;
            Assert.Equal((line[..tab], expected), (line[..tab], Parse(line[(tab + 1)..]).Verdict));
        }
    }
}
