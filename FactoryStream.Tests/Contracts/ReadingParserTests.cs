using System.Text;
using FactoryStream.Contracts;
using static FactoryStream.Tests.Contracts.Envelopes;

namespace FactoryStream.Tests.Contracts;

public sealed class ReadingParserTests
{
    [Fact]
    public void An_envelope_is_taken_apart_and_its_data_stays_byte_for_byte()
    {
        var (verdict, reading, detail, metrics) = Parse(
            "  "
                + """{"key_id":"k1","signature":"QUJD","data":"""
                + """{ "factory_id":"f\u00fc","engine_id" : "e","timestamp":"2026-02-25T07:13:20.5+01:00","temp_air":-1.5e1,"rpm":3001 }}"""
                + "\r\n"
        );

        Assert.Equal((Verdict.Accepted, null), (verdict, detail));
        Assert.Equal(
            """{ "factory_id":"f\u00fc","engine_id" : "e","timestamp":"2026-02-25T07:13:20.5+01:00","temp_air":-1.5e1,"rpm":3001 }""",
            Encoding.UTF8.GetString(reading.Data.Span)
        );
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
    [InlineData("", "envelope: expected JSON, found its end at byte 0")]
    [InlineData("[1]", "envelope: expected an object {\"data\": ..., \"signature\": ...}, found an array")]
    [InlineData("{}", "data: missing")]
    [InlineData("""{"data": 1, "signature": "QUJD"}""", "data: expected an object, found 1")]
    [InlineData("""{"data": {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}}""", "signature: missing")]
    [InlineData(
        """{"data": {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}, "signature": ""}""",
        "signature: expected base64, found ''"
    )]
    [InlineData(
        """{"data": {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}, "signature": "QUJDR"}""",
        "signature: expected base64, found 'QUJDR'"
    )]
    [InlineData(
        """{"data": {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}, "signature": "QUJD", "signature": "QUJD"}""",
        "signature: given twice"
    )]
    public void A_broken_envelope_is_malformed(string line, string detail)
    {
        var (verdict, _, actual, _) = Parse(line);
        Assert.Equal((Verdict.Malformed, detail), (verdict, actual));
    }

    [Theory]
    [InlineData("""{"engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""", "factory_id: missing")]
    [InlineData("""{"factory_id": "f", "timestamp": "2026-02-25 06:13:20"}""", "engine_id: missing")]
    [InlineData("""{"factory_id": "f", "engine_id": "e"}""", "timestamp: missing")]
    [InlineData(
        """{"factory_id": "", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""",
        "factory_id: expected text of 1 to 128 characters without control characters, found ''"
    )]
    [InlineData(
        """{"factory_id": 7, "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""",
        "factory_id: expected text of 1 to 128 characters without control characters, found 7"
    )]
    [InlineData(
        """{"factory_id": "f\u0000", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""",
        "factory_id: expected text of 1 to 128 characters without control characters, found 'f\\u0000'"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "\ud800", "timestamp": "2026-02-25 06:13:20"}""",
        "engine_id: expected text of 1 to 128 characters without control characters, found '\\ud800'"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "yesterday"}""",
        "timestamp: expected 2026-02-25T06:13:20Z, found 'yesterday'"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "1969-12-31 23:59:59"}""",
        "timestamp: expected 1970-01-01T00:00:00Z or later, found '1969-12-31 23:59:59'"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 1e999}""",
        "rpm: expected a finite number, found 1e999; leave the member out, or send null, where there is no value"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": NaN}""",
        "rpm: expected a finite number, found NaN; leave the member out, or send null, where there is no value"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm":-Infinity}""",
        "rpm: expected a finite number, found -Infinity; leave the member out, or send null, where there is no value"
    )]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": true}""", "timestamp: expected 2026-02-25T06:13:20Z, found true")]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "25.02.2026"}""",
        "timestamp: expected 2026-02-25T06:13:20Z, found '25.02.2026'"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "\ud800"}""",
        "timestamp: expected 2026-02-25T06:13:20Z, found '\\ud800'"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "a": {"b": ["\udc00"]}}""",
        "a: expected text, found a NUL character or half a surrogate pair"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "a": "x\u0000y"}""",
        "a: expected text, found a NUL character or half a surrogate pair"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "\ud800": 1}""",
        "member '\\ud800': expected a name that is text of 1 to 128 characters without control characters"
    )]
    [InlineData("""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "a": null, "a": true}""", "a: given twice")]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 1, "r\u0070m": 1}""",
        "rpm: given twice"
    )]
    [InlineData(
        """{"factory_id": "f", "factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""",
        "factory_id: given twice"
    )]
    [InlineData(
        """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "": 1}""",
        "member '': expected a name that is text of 1 to 128 characters without control characters"
    )]
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
        Assert.Equal((Verdict.Malformed, "envelope: expected UTF-8, found other bytes"), (Parse(line).Verdict, Parse(line).Detail));
    }

    [Fact]
    public void A_malformed_reading_still_says_whose_it_is() =>
        Assert.Equal(
            "f",
            Parse(Envelope("""{"timestamp": "yesterday", "rpm": "fast", "factory_id": "f", "engine_id": "e"}""")).Reading.FactoryId
        );

    [Fact]
    public void Members_that_are_no_numbers_are_kept_in_the_bytes_and_are_no_metrics()
    {
        const string data =
            """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 1,"""
            + """ "state": "on \ud83d\ude00", "ok": true, "no": null, "at": {"x": [1, {"y": "z"}]}, "of": [[]]}""";
        var parser = new ReadingParser();

        Assert.Equal(Verdict.Accepted, parser.TryParse(Encoding.UTF8.GetBytes(Envelope(data)), out var reading, out _));

        Assert.Equal(data, Encoding.UTF8.GetString(reading.Data.Span));
        Assert.Equal([new Metric("rpm", 1)], parser.Metrics);
        Assert.Equal(["state", "ok", "no", "at", "of"], parser.Others);
    }

    [Theory]
    [InlineData("a\\u0000b")]
    [InlineData("a\\u001fb")]
    [InlineData("a\u007fb")]
    [InlineData("a\u0085b")]
    [InlineData("\\udc00")]
    [InlineData("")]
    public void An_id_that_cannot_be_stored_belongs_to_no_factory(string id)
    {
        var (verdict, reading, _, _) = Parse($$"""{"data": {"factory_id": "{{id}}", "engine_id": "e"}, "signature": "QUJD"}""");
        Assert.Equal((Verdict.Malformed, ""), (verdict, reading.FactoryId));
    }

    [Fact]
    public void A_hostile_reading_is_taken_or_refused_as_it_should_be()
    {
        foreach (
            var hostile in TestData.Hostile.Where(hostile =>
                hostile.ContentType.StartsWith("application/x-ndjson", StringComparison.Ordinal) && hostile.Stored is not null
            )
        )
        {
            var body = hostile.Body.AsSpan().StartsWith("\uFEFF"u8) ? hostile.Body[3..] : hostile.Body;
            var parser = new ReadingParser();
            var lines = MessageLines.Split(body, single: false).Where(line => !line.Span.Trim(" \t\r\n"u8).IsEmpty).ToArray();
            var accepted = lines.Count(line => parser.TryParse(line, out _, out _) == Verdict.Accepted);
            Assert.Equal((hostile.Name, hostile.Stored, hostile.Refused ?? 0), (hostile.Name, accepted, lines.Length - accepted));
        }
    }

    [Fact]
    public void Something_behind_the_envelope_is_malformed() => Assert.Equal(Verdict.Malformed, Parse(Envelope(Data) + " x").Verdict);

    [Fact]
    public void Limits_hold_at_their_edges()
    {
        string Named(int length) =>
            Envelope($$"""{"factory_id": "{{new string('f', length)}}", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}""");
        string With(int count) =>
            Envelope(
                """{"factory_id": "f", "engine_id": "e", "timestamp": """
                    + "\"2026-02-25 06:13:20\""
                    + string.Concat(Enumerable.Range(0, count).Select(i => $", \"m{i}\": {i}"))
                    + "}"
            );

        Assert.Equal([Verdict.Accepted, Verdict.Malformed], new[] { Parse(Named(128)).Verdict, Parse(Named(129)).Verdict });
        Assert.Equal([Verdict.Accepted, Verdict.Malformed], new[] { Parse(With(256)).Verdict, Parse(With(257)).Verdict });
        Assert.Equal(256, Parse(With(256)).Metrics.Length);
    }

    [Fact]
    public void Every_valid_envelope_parses_and_every_malformed_one_does_not()
    {
        var folder = TestData.File("signed-readings");
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
