using System.Text;
using FactoryStream.Contracts;
using static FactoryStream.Tests.Contracts.Envelopes;

namespace FactoryStream.Tests.Contracts;

public sealed class ReadingParserBatchTests
{
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

    [Theory]
    [InlineData("""{"batch": [], "signature": "QUJD"}""", "batch: expected 1 to 1000 readings, found none")]
    [InlineData("""{"batch": {}, "signature": "QUJD"}""", "batch: expected an array, found an object")]
    [InlineData("""{"batch": null, "signature": "QUJD"}""", "batch: expected an array, found null")]
    [InlineData("""{"batch": [DATA]}""", "signature: missing")]
    [InlineData("""{"batch": [DATA], "batch": [DATA], "signature": "QUJD"}""", "batch: given twice")]
    [InlineData("""{"batch": [DATA], "data": DATA, "signature": "QUJD"}""", "data: expected either data or batch, found both")]
    [InlineData("""{"data": DATA, "signature": "QUJD", "batch": [DATA]}""", "batch: expected either data or batch, found both")]
    [InlineData("""{"batch": [DATA, 7], "signature": "QUJD"}""", "reading 1: expected an object, found 7")]
    [InlineData("""{"batch": [DATA, [DATA]], "signature": "QUJD"}""", "reading 1: expected an object, found an array")]
    [InlineData("""{"batch": [DATA, DATA, {"factory_id": "f", "engine_id": "e"}], "signature": "QUJD"}""", "reading 2: timestamp: missing")]
    [InlineData(
        """{"batch": [DATA, {"factory_id": "g", "engine_id": "e", "timestamp": "2026-02-25 06:13:20"}], "signature": "QUJD"}""",
        "reading 1: factory_id: expected 'f' as in the readings before, found 'g'"
    )]
    [InlineData(
        """{"batch": [DATA, {"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "a": 1, "a": 1}],"""
            + """ "signature": "QUJD"}""",
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
    public void A_batch_has_a_maximum_of_readings_and_each_reading_has_limits_of_its_own()
    {
        static string With(int count) =>
            """{"factory_id": "f", "engine_id": "e", "timestamp": """
            + "\"2026-02-25 06:13:20\""
            + string.Concat(Enumerable.Range(0, count).Select(i => $", \"m{i}\": {i}"))
            + "}";

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
}
