using System.Text;
using FactoryStream.Contracts;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

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
        Assert.Equal(("f", "", "k1", true, 2, 2), (batch.FactoryId, batch.EngineId, batch.KeyId, batch.IsBatch, batch.BatchCount, batch.Count));
        Assert.Equal((new DateTime(2026, 2, 25, 6, 13, 20, DateTimeKind.Utc), new DateTime(2026, 2, 25, 6, 13, 21, DateTimeKind.Utc)), (batch.OldestAt, batch.MeasuredAt));
        var readings = parser.BatchReadings.ToArray();
        Assert.Equal([first, second], readings.Select(reading => Encoding.UTF8.GetString(batch.Data.Slice(reading.Start, reading.Length).Span)));
        Assert.Equal([("e2", batch.MeasuredAt), ("e1", batch.OldestAt)], readings.Select(reading => (reading.EngineId, reading.MeasuredAt)));
        Assert.Equal(["rpm=3001 temp=1.5", "rpm=7"], readings.Select(reading => string.Join(' ', parser.MetricsOf(reading).ToArray().Select(metric => FormattableString.Invariant($"{metric.Name}={metric.Value}")))));
    }

    [Fact]
    public void An_envelope_of_one_reading_is_no_batch_whatever_came_before()
    {
        var parser = new ReadingParser();
        Assert.Equal(Verdict.Accepted, parser.TryParse(Encoding.UTF8.GetBytes(Batch(Data, Data)), out _, out _));
        Assert.Equal(2, parser.BatchReadings.Length);
        Assert.Equal(Verdict.Accepted, parser.TryParse(Encoding.UTF8.GetBytes(Envelope(Data)), out var reading, out _));
        Assert.Equal((false, 0, 1, 0, 1), (reading.IsBatch, reading.BatchCount, reading.Count, parser.BatchReadings.Length, parser.Metrics.Count));
    }

    [Theory]
    [InlineData("""{"batch": [], "signature": "QUJD"}""", "a batch without readings")]
    [InlineData("""{"batch": {}, "signature": "QUJD"}""", "batch is not an array")]
    [InlineData("""{"batch": null, "signature": "QUJD"}""", "batch is not an array")]
    [InlineData("""{"batch": [DATA]}""", "no signature")]
    [InlineData("""{"batch": [DATA], "batch": [DATA], "signature": "QUJD"}""", "batch twice")]
    [InlineData("""{"batch": [DATA], "data": DATA, "signature": "QUJD"}""", "data and batch")]
    [InlineData("""{"data": DATA, "signature": "QUJD", "batch": [DATA]}""", "data and batch")]
    [InlineData("""{"batch": [DATA, 7], "signature": "QUJD"}""", "reading 1: it is not an object")]
    [InlineData("""{"batch": [DATA, [DATA]], "signature": "QUJD"}""", "reading 1: it is not an object")]
    [InlineData("""{"batch": [DATA, DATA, {"factory_id": "f", "engine_id": "e"}], "signature": "QUJD"}""", "reading 2: no timestamp")]
    [InlineData("""{"batch": [DATA, {"factory_id": "g", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}], "signature": "QUJD"}""", "reading 1: it is of g, the others of f")]
    [InlineData("""{"batch": [DATA, {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "a": 1, "a": 1}], "signature": "QUJD"}""", "reading 1: member a twice")]
    [InlineData("""{"batch": [{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "a": {"b": [1]}}], "signature": "QUJD"}""", "reading 0: metric a is no number")]
    [InlineData("""{"batch": [DATA,], "signature": "QUJD"}""", "reading 1: not JSON: byte 98")]
    [InlineData("""{"batch": [DATA], "signature": "QUJD"} []""", "not JSON: byte 121")]
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
        static string With(int count) => $$"""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"{{string.Concat(Enumerable.Range(0, count).Select(i => $", \"m{i}\": {i}"))}}}""";

        Assert.Equal(Verdict.Accepted, Parse(Batch([.. Enumerable.Repeat(Data, ReadingParser.MaxBatchReadings)])).Verdict);
        Assert.Equal("more than 1000 readings", Parse(Batch([.. Enumerable.Repeat(Data, ReadingParser.MaxBatchReadings + 1)])).Detail);
        Assert.Equal((Verdict.Accepted, 512), (Parse(Batch(With(256), With(256))).Verdict, Parse(Batch(With(256), With(256))).Metrics.Length));
        Assert.Equal("reading 1: more than 256 metrics", Parse(Batch(With(1), With(257))).Detail);
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
        Assert.Equal(BitConverter.DoubleToInt64Bits(double.Parse(number, System.Globalization.CultureInfo.InvariantCulture)), BitConverter.DoubleToInt64Bits(ValueOf(number)));

    [Property(MaxTest = 2_000)]
    public Property Any_decimal_is_the_double_nearest_to_what_is_written() => Prop.ForAll(
        Gen.Choose(0, 16).SelectMany(decimals => ArbMap.Default.GeneratorFor<long>().Select(value => (decimals, value % 10_000_000_000_000_000))).ToArbitrary(),
        number =>
        {
            var digits = Math.Abs(number.Item2).ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(number.decimals + 1, '0');
            var text = (number.Item2 < 0 ? "-" : "") + (number.decimals == 0 ? digits : $"{digits[..^number.decimals]}.{digits[^number.decimals..]}");
            return BitConverter.DoubleToInt64Bits(ValueOf(text)) == BitConverter.DoubleToInt64Bits(double.Parse(text, System.Globalization.CultureInfo.InvariantCulture));
        });

    private static double ValueOf(string number) => Parse(Envelope($$"""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "m": {{number}}}""")).Metrics.Single().Value;

    [Property(MaxTest = 300)]
    public Property A_parser_that_knows_other_readings_reads_as_one_that_knows_none() => Prop.ForAll(
        Gen.Elements(
            Data, Data.Replace("rpm", "temp", StringComparison.Ordinal), Data.Replace("\"rpm\": 3001", "\"temp\": 1, \"rpm\": 2", StringComparison.Ordinal),
            Data.Replace("\"rpm\": 3001", "\"rpm\": 1, \"temp\": 2", StringComparison.Ordinal), Data.Replace("\"rpm\": 3001", "\"rpm\": 1, \"temp\": 2, \"rpm\": 3", StringComparison.Ordinal),
            Data.Replace("\"rpm\": 3001", "\"rpm\": 1, \"engine_id\": \"e\"", StringComparison.Ordinal), Data.Replace("rpm", "r\\u0070m", StringComparison.Ordinal), Data.Replace("3001", "true", StringComparison.Ordinal),
            """{"engine_id": "e2", "factory_id": "f", "timestamp": "2026-02-25 06:13:21"}""", """{"rpm": 1, "factory_id": "f\u0066", "engine_id": "e"}""", "{}").ListOf().ToArbitrary(),
        readings =>
        {
            var knowing = new ReadingParser();
            foreach (var reading in readings)
            {
                foreach (var line in (string[])[Envelope(reading), Batch(Data, reading), Batch(reading, reading)])
                {
                    var fresh = new ReadingParser();
                    var bytes = Encoding.UTF8.GetBytes(line);
                    Assert.Equal((fresh.TryParse(bytes, out var expected, out var detail), detail), (knowing.TryParse(bytes, out var actual, out var other), other));
                    Assert.Equal(expected with { Data = default, Signature = default }, actual with { Data = default, Signature = default });
                    Assert.Equal(fresh.BatchReadings.ToArray(), knowing.BatchReadings.ToArray());
                    if (expected.FactoryId.Length > 0 && detail is null)
                        Assert.Equal(fresh.Metrics, knowing.Metrics);
                }
            }
            return true;
        });

    private static string Batch(params string[] readings) => $$"""{"batch": [{{string.Join(", ", readings)}}], "signature": "QUJD"}""";

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
