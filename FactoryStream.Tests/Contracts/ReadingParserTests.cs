using System.Text;
using FactoryStream.Contracts;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FactoryStream.Tests.Contracts;

public sealed class ReadingParserTests
{
    private const string Data = """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 3001}""";

    private static (Verdict Verdict, SignedReading Reading, string? Detail, Metric[] Metrics) Parse(string line) =>
        Parse(Encoding.UTF8.GetBytes(line));

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
        var (verdict, reading, detail, metrics) = Parse(
            "  "
                + """{"key_id":"k1","signature":"QUJD","data":{ "factory_id":"f\u00fc","engine_id" : "e","timestamp":"2026-02-25T07:13:20.5+01:00","temp_air":-1.5e1,"rpm":3001 }}"""
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
        const string data = """
            {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 1, "state": "on \ud83d\ude00", "ok": true, "no": null, "at": {"x": [1, {"y": "z"}]}, "of": [[]]}
            """;
        var parser = new ReadingParser();

        Assert.Equal(Verdict.Accepted, parser.TryParse(Encoding.UTF8.GetBytes(Envelope(data.Trim())), out var reading, out _));

        Assert.Equal(data.Trim(), Encoding.UTF8.GetString(reading.Data.Span));
        Assert.Equal([new Metric("rpm", 1)], parser.Metrics);
        Assert.Equal(["state", "ok", "no", "at", "of"], parser.Others);
    }

    [Theory]
    [InlineData("QUJD", "QUJD")]
    [InlineData("QU\\nJD", "QUJD")]
    [InlineData("QUJD\\r\\n", "QUJD")]
    [InlineData(" Q U\\tJ D", "QUJD")]
    [InlineData("QQ==", "QQ==")]
    [InlineData("QQ", "QQ==")]
    [InlineData("QQ=", "QQ==")]
    [InlineData("_-8=", "/+8=")]
    [InlineData("_-8", "/+8=")]
    [InlineData("\\/+8=", "/+8=")]
    [InlineData("\\u0051UJD", "QUJD")]
    public void A_signature_is_its_bytes_and_goes_onward_in_one_form(string text, string canonical)
    {
        var (verdict, reading, _, _) = Parse($$"""{"data": {{Data}}, "signature": "{{text}}"}""");
        Assert.Equal((Verdict.Accepted, canonical), (verdict, Encoding.UTF8.GetString(reading.Signature.Span)));
    }

    [Theory]
    [InlineData("Q")]
    [InlineData("Q===")]
    [InlineData("QQ=Q")]
    [InlineData("QUJD=")]
    [InlineData("QUJD====")]
    [InlineData("=")]
    [InlineData(" ")]
    [InlineData("QR==")]
    [InlineData("QUJ==")]
    [InlineData("QU*D")]
    [InlineData("QU\\u0000D")]
    [InlineData("QU\\ud800D")]
    public void What_is_no_base64_is_no_signature(string text)
    {
        var (verdict, _, detail, _) = Parse($$"""{"data": {{Data}}, "signature": "{{text}}"}""");
        Assert.Equal((Verdict.Malformed, $"signature: expected base64, found '{text}'"), (verdict, detail));
    }

    [Theory]
    [InlineData("a\\u0000b")]
    [InlineData("a\\u001fb")]
    [InlineData("a\u007fb")]
    [InlineData("a\u0085b")]
    [InlineData("\\udc00")]
    [InlineData("")]
    public void An_id_that_cannot_be_stored_is_nobodys(string id)
    {
        var (verdict, reading, _, _) = Parse($$"""{"data": {"factory_id": "{{id}}", "engine_id": "e"}, "signature": "QUJD"}""");
        Assert.Equal((Verdict.Malformed, ""), (verdict, reading.FactoryId));
    }

    [Fact]
    public void Names_that_are_invented_without_end_are_not_kept_without_end()
    {
        var names = new Utf8StringPool(capacity: 1_000, maxBytes: 4_000);
        for (var i = 0; i < 100_000; i++)
            Assert.Equal($"n{i}", names.Get(Encoding.UTF8.GetBytes($"n{i}")));
        Assert.InRange(names.Count, 1, 1_000);
        Assert.Same(names.Get("n99999"u8), names.Get("n99999"u8));
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
                $$"""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"{{string.Concat(Enumerable.Range(0, count).Select(i => $", \"m{i}\": {i}"))}}}"""
            );

        Assert.Equal([Verdict.Accepted, Verdict.Malformed], new[] { Parse(Named(128)).Verdict, Parse(Named(129)).Verdict });
        Assert.Equal([Verdict.Accepted, Verdict.Malformed], new[] { Parse(With(256)).Verdict, Parse(With(257)).Verdict });
        Assert.Equal(256, Parse(With(256)).Metrics.Length);
    }

    [Fact]
    public void A_batch_is_taken_apart_and_every_reading_stays_byte_for_byte()
    {
        const string first = """{ "factory_id":"f","engine_id" : "e2","timestamp":"2026-02-25 06:13:21","rpm":3001, "temp": 1.50 }""";
        const string second = "{\"engine_id\": \"e1\",\r\n\t\"factory_id\": \"f\", \"timestamp\": \"2026-02-25 06:13:20\", \"rpm\": 7}";
        const string array = $"[ {first} ,\n{second}\t]";
        var line = Encoding.UTF8.GetBytes($$""" {"key_id": "k1", "batch" : {{array}} , "signature": "QUJD"} """);
        var parser = new ReadingParser();

        Assert.Equal((Verdict.Accepted, null), (parser.TryParse(line, out var batch, out var detail), detail));
        Assert.Equal((array, "QUJD"), (Encoding.UTF8.GetString(batch.Data.Span), Encoding.UTF8.GetString(batch.Signature.Span)));
        Assert.Equal(
            ("f", "", "k1", true, 2, 2),
            (batch.FactoryId, batch.EngineId, batch.KeyId, batch.IsBatch, batch.BatchCount, batch.Count)
        );
        Assert.Equal(
            (new DateTime(2026, 2, 25, 6, 13, 20, DateTimeKind.Utc), new DateTime(2026, 2, 25, 6, 13, 21, DateTimeKind.Utc)),
            (batch.OldestAt, batch.MeasuredAt)
        );
        var readings = parser.BatchReadings.ToArray();
        Assert.Equal(
            [first, second],
            readings.Select(reading => Encoding.UTF8.GetString(batch.Data.Slice(reading.Start, reading.Length).Span))
        );
        Assert.Equal(
            [("e2", batch.MeasuredAt), ("e1", batch.OldestAt)],
            readings.Select(reading => (reading.EngineId, reading.MeasuredAt))
        );
        Assert.Equal(
            ["rpm=3001 temp=1.5", "rpm=7"],
            readings.Select(reading =>
                string.Join(
                    ' ',
                    parser.MetricsOf(reading).ToArray().Select(metric => FormattableString.Invariant($"{metric.Name}={metric.Value}"))
                )
            )
        );
    }

    [Fact]
    public void An_envelope_of_one_reading_is_no_batch_whatever_came_before()
    {
        var parser = new ReadingParser();
        Assert.Equal(Verdict.Accepted, parser.TryParse(Encoding.UTF8.GetBytes(Batch(Data, Data)), out _, out _));
        Assert.Equal(2, parser.BatchReadings.Length);
        Assert.Equal(Verdict.Accepted, parser.TryParse(Encoding.UTF8.GetBytes(Envelope(Data)), out var reading, out _));
        Assert.Equal(
            (false, 0, 1, 0, 1),
            (reading.IsBatch, reading.BatchCount, reading.Count, parser.BatchReadings.Length, parser.Metrics.Count)
        );
    }

    [Theory]
    [InlineData("""{"batch": [], "signature": "QUJD"}""", "batch: expected 1 to 1000 readings, found none")]
    [InlineData("""{"batch": {}, "signature": "QUJD"}""", "batch: expected an array, found an object")]
    [InlineData("""{"batch": null, "signature": "QUJD"}""", "batch: expected an array, found null")]
    [InlineData("""{"batch": [DATA]}""", "signature: missing")]
    [InlineData("""{"batch": [DATA], "batch": [DATA], "signature": "QUJD"}""", "batch: given twice")]
    [InlineData("""{"batch": [DATA], "data": DATA, "signature": "QUJD"}""", "data: given beside batch")]
    [InlineData("""{"data": DATA, "signature": "QUJD", "batch": [DATA]}""", "batch: given beside data")]
    [InlineData("""{"batch": [DATA, 7], "signature": "QUJD"}""", "reading 1: expected an object, found 7")]
    [InlineData("""{"batch": [DATA, [DATA]], "signature": "QUJD"}""", "reading 1: expected an object, found an array")]
    [InlineData("""{"batch": [DATA, DATA, {"factory_id": "f", "engine_id": "e"}], "signature": "QUJD"}""", "reading 2: timestamp: missing")]
    [InlineData(
        """{"batch": [DATA, {"factory_id": "g", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}], "signature": "QUJD"}""",
        "reading 1: factory_id: expected 'f' as in the readings before, found 'g'"
    )]
    [InlineData(
        """{"batch": [DATA, {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "a": 1, "a": 1}], "signature": "QUJD"}""",
        "reading 1: a: given twice"
    )]
    [InlineData(
        """{"batch": [{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "a": 1e400}], "signature": "QUJD"}""",
        "reading 0: a: expected a finite number, found 1e400; leave the member out, or send null, where there is no value"
    )]
    [InlineData("""{"batch": [DATA,], "signature": "QUJD"}""", "reading 1: envelope: expected JSON, found '], \"signat...' at byte 98")]
    [InlineData("""{"batch": [DATA], "signature": "QUJD"} []""", "envelope: expected JSON, found '[]' at byte 121")]
    public void A_broken_batch_is_malformed_and_says_which_reading_is(string line, string expected)
    {
        var (verdict, reading, detail, _) = Parse(line.Replace("DATA", Data, StringComparison.Ordinal));
        Assert.Equal((Verdict.Malformed, expected), (verdict, detail));
        Assert.Equal((false, 1), (reading.IsBatch, reading.Count));
    }

    [Fact]
    public void A_malformed_batch_still_says_whose_it_is() => Assert.Equal("f", Parse(Batch(Data, "{}")).Reading.FactoryId);

    [Fact]
    public void A_batch_has_a_most_and_its_readings_limits_are_each_ones_own()
    {
        static string With(int count) =>
            $$"""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"{{string.Concat(Enumerable.Range(0, count).Select(i => $", \"m{i}\": {i}"))}}}""";

        Assert.Equal(Verdict.Accepted, Parse(Batch([.. Enumerable.Repeat(Data, ReadingParser.MaxBatchReadings)])).Verdict);
        Assert.Equal(
            "batch: expected at most 1000 readings, found more",
            Parse(Batch([.. Enumerable.Repeat(Data, ReadingParser.MaxBatchReadings + 1)])).Detail
        );
        Assert.Equal(
            (Verdict.Accepted, 512),
            (Parse(Batch(With(256), With(256))).Verdict, Parse(Batch(With(256), With(256))).Metrics.Length)
        );
        Assert.Equal("reading 1: data: expected at most 256 metrics, found more", Parse(Batch(With(1), With(257))).Detail);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("-0.0")]
    [InlineData("0.1")]
    [InlineData("100.49")]
    [InlineData("-273.15")]
    [InlineData("0.00000000000001")]
    [InlineData("999999999999999")]
    [InlineData("1000000000000000")]
    [InlineData("9007199254740993")]
    [InlineData("123456789.1234567890123")]
    [InlineData("1e3")]
    [InlineData("1.5E-7")]
    [InlineData("1.7976931348623157e308")]
    [InlineData("4.9e-324")]
    [InlineData("1e-400")]
    public void A_metric_is_the_double_nearest_to_what_is_written(string number) =>
        Assert.Equal(
            BitConverter.DoubleToInt64Bits(double.Parse(number, System.Globalization.CultureInfo.InvariantCulture)),
            BitConverter.DoubleToInt64Bits(ValueOf(number))
        );

    [Property(MaxTest = 2_000)]
    public Property Any_decimal_is_the_double_nearest_to_what_is_written() =>
        Prop.ForAll(
            Gen.Choose(0, 16)
                .SelectMany(decimals => ArbMap.Default.GeneratorFor<long>().Select(value => (decimals, value % 10_000_000_000_000_000)))
                .ToArbitrary(),
            number =>
            {
                var digits = Math.Abs(number.Item2)
                    .ToString(System.Globalization.CultureInfo.InvariantCulture)
                    .PadLeft(number.decimals + 1, '0');
                var text =
                    (number.Item2 < 0 ? "-" : "")
                    + (number.decimals == 0 ? digits : $"{digits[..^number.decimals]}.{digits[^number.decimals..]}");
                return BitConverter.DoubleToInt64Bits(ValueOf(text))
                    == BitConverter.DoubleToInt64Bits(double.Parse(text, System.Globalization.CultureInfo.InvariantCulture));
            }
        );

    private static double ValueOf(string number) =>
        Parse(Envelope($$"""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "m": {{number}}}"""))
            .Metrics.Single()
            .Value;

    [Property(MaxTest = 300)]
    public Property A_parser_that_knows_other_readings_reads_as_one_that_knows_none() =>
        Prop.ForAll(
            Gen.Elements(
                    Data,
                    Data.Replace("rpm", "temp", StringComparison.Ordinal),
                    Data.Replace("\"rpm\": 3001", "\"temp\": 1, \"rpm\": 2", StringComparison.Ordinal),
                    Data.Replace("\"rpm\": 3001", "\"rpm\": 1, \"temp\": 2", StringComparison.Ordinal),
                    Data.Replace("\"rpm\": 3001", "\"rpm\": 1, \"temp\": 2, \"rpm\": 3", StringComparison.Ordinal),
                    Data.Replace("\"rpm\": 3001", "\"rpm\": 1, \"engine_id\": \"e\"", StringComparison.Ordinal),
                    Data.Replace("rpm", "r\\u0070m", StringComparison.Ordinal),
                    Data.Replace("3001", "true", StringComparison.Ordinal),
                    """{"engine_id": "e2", "factory_id": "f", "timestamp": "2026-02-25 06:13:21"}""",
                    """{"rpm": 1, "factory_id": "f\u0066", "engine_id": "e"}""",
                    "{}"
                )
                .ListOf()
                .ToArbitrary(),
            readings =>
            {
                var knowing = new ReadingParser();
                foreach (var reading in readings)
                {
                    foreach (var line in (string[])[Envelope(reading), Batch(Data, reading), Batch(reading, reading)])
                    {
                        var fresh = new ReadingParser();
                        var bytes = Encoding.UTF8.GetBytes(line);
                        Assert.Equal(
                            (fresh.TryParse(bytes, out var expected, out var detail), detail),
                            (knowing.TryParse(bytes, out var actual, out var other), other)
                        );
                        Assert.Equal(
                            expected with
                            {
                                Data = default,
                                Signature = default,
                            },
                            actual with
                            {
                                Data = default,
                                Signature = default,
                            }
                        );
                        Assert.Equal(fresh.BatchReadings.ToArray(), knowing.BatchReadings.ToArray());
                        if (expected.FactoryId.Length > 0 && detail is null)
                            Assert.Equal(fresh.Metrics, knowing.Metrics);
                    }
                }
                return true;
            }
        );

    private static string Batch(params string[] readings) => $$"""{"batch": [{{string.Join(", ", readings)}}], "signature": "QUJD"}""";

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
