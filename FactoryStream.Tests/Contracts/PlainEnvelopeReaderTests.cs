using System.Globalization;
using System.Text;
using FactoryStream.Contracts;

namespace FactoryStream.Tests.Contracts;

/// <summary>The short cut of the parser takes only what the general way takes, and with the same result.</summary>
public sealed class PlainEnvelopeReaderTests
{
    private const int Rounds = 100_000;
    private const string Telling = "{}[]:,\"\\ 0-.eE\t\n19";

    public static TheoryData<string> Usual => [.. TestData.Lines("envelopes/usual.ndjson")];

    public static TheoryData<string> Unusual =>
        [.. TestData.Lines("envelopes/unusual.ndjson"), TestData.Text("envelopes/with-line-break.json")];

    [Theory]
    [MemberData(nameof(Usual))]
    public void The_plain_reader_takes_what_machines_usually_write(string envelope)
    {
        Assert.True(Plain().TryRead(Encoding.UTF8.GetBytes(envelope), out _));
        AssertAlike(new ReadingParser(), new ReadingParser(), Encoding.UTF8.GetBytes(envelope));
    }

    [Theory]
    [MemberData(nameof(Unusual))]
    public void The_plain_reader_leaves_the_rest_to_the_general_reader(string envelope)
    {
        Assert.False(Plain().TryRead(Encoding.UTF8.GetBytes(envelope), out _));
        Assert.Equal(Verdict.Accepted, new ReadingParser().TryParse(Encoding.UTF8.GetBytes(envelope), out _, out _));
    }

    [Fact]
    public void A_timestamp_that_is_too_long_is_refused()
    {
        var envelope = Encoding.UTF8.GetBytes(
            $$"""{"data":{"factory_id":"f","engine_id":"e","timestamp":"2026-02-25 06:13:20.{{new string('0', 60)}}","rpm":"""
                + """1},"signature":"J5Bz"}"""
        );

        Assert.Equal(Verdict.Malformed, new ReadingParser().TryParse(envelope, out _, out _));
    }

    [Fact]
    public void Broken_envelopes_get_the_same_verdict_and_parts_from_both_readers()
    {
        var random = new Random(20261124);
        var (parser, general, taken, accepted) = (new ReadingParser(), new ReadingParser(), 0, 0);
        byte[][] samples = [.. ((string[])[.. Usual, .. Unusual]).Select(Encoding.UTF8.GetBytes)];
        for (var round = 0; round < Rounds; round++)
        {
            var envelope = samples[random.Next(samples.Length)];
            for (var breaks = random.Next(3); breaks > 0; breaks--)
                envelope = Break(envelope, random);
            accepted += AssertAlike(parser, general, envelope) ? 1 : 0;
            taken += Plain().TryRead(envelope, out _) ? 1 : 0;
        }
        // Neither way is tried in vain.
        Assert.InRange(taken, Rounds / 10, accepted - Rounds / 10);
        Assert.InRange(accepted, taken, Rounds * 9 / 10);
    }

    [Fact]
    public void Numbers_have_the_same_bits_from_both_readers()
    {
        var random = new Random(7);
        var (parser, general) = (new ReadingParser(), new ReadingParser());
        for (var round = 0; round < Rounds; round++)
        {
            var number = random.Next(4) switch
            {
                0 => BitConverter.Int64BitsToDouble(random.NextInt64()) is var any
                && double.IsFinite(any)
                && Math.Abs(any) is > 1e-30 and < 1e30
                    ? any.ToString("F" + random.Next(30), CultureInfo.InvariantCulture)
                    : "-0",
                1 => random.NextDouble().ToString("R", CultureInfo.InvariantCulture).Replace("E", "e", StringComparison.Ordinal),
                2 => (random.NextDouble() * 10_000).ToString("F" + random.Next(1, 16), CultureInfo.InvariantCulture),
                _ => random.NextInt64().ToString(CultureInfo.InvariantCulture),
            };
            Assert.True(
                AssertAlike(
                    parser,
                    general,
                    Encoding.UTF8.GetBytes(
                        """{"data":{"factory_id":"f","engine_id":"e","timestamp":"2026-02-25 06:13:20","rpm":"""
                            + $$"""{{number}}},"signature":"J5Bz"}"""
                    )
                ),
                number
            );
        }
    }

    [Fact]
    public void A_reading_with_other_metrics_than_the_one_before_is_read_as_if_it_came_first()
    {
        var random = new Random(11);
        var (parser, general) = (new ReadingParser(), new ReadingParser());
        for (var round = 0; round < Rounds / 10; round++)
        {
            // Names often the same at the same place, sometimes twice in one reading.
            var metrics = string.Concat(
                Enumerable
                    .Range(0, random.Next(6))
                    .Select(place => $",\"{(random.Next(3) == 0 ? (char)('a' + random.Next(6)) : (char)('a' + place))}\":{place}")
            );
            AssertAlike(
                parser,
                general,
                Encoding.UTF8.GetBytes(
                    $$"""{"data":{"factory_id":"f","engine_id":"e","timestamp":"2026-02-25 06:13:20"{{metrics}}},"signature":"J5Bz"}"""
                )
            );
        }
    }

    private static PlainEnvelopeReader Plain() => new(new Utf8StringPool(), [], []);

    /// <summary>True when both take it.</summary>
    private static bool AssertAlike(ReadingParser parser, ReadingParser general, byte[] envelope)
    {
        var verdict = parser.TryParse(envelope, out var reading, out var detail);
        var wanted = general.ReadAny(envelope, out var other, out var otherDetail);
        if (
            verdict != wanted
            || detail != otherDetail
            || reading with { Data = default, Signature = default } != other with { Data = default, Signature = default }
            || !reading.Data.Span.SequenceEqual(other.Data.Span)
            || !reading.Signature.Span.SequenceEqual(other.Signature.Span)
            || !parser.BatchReadings.SequenceEqual(general.BatchReadings)
            || !Bits(parser).SequenceEqual(Bits(general))
        )
            Assert.Fail(
                $"{Encoding.UTF8.GetString(envelope)}: {verdict} {detail} {reading}, by the general way {wanted} {otherDetail} {other}"
            );
        return verdict == Verdict.Accepted;

        // Of a malformed reading there are no metrics to speak of.
        IEnumerable<(string, long)> Bits(ReadingParser of) =>
            verdict == Verdict.Accepted ? of.Metrics.Select(metric => (metric.Name, BitConverter.DoubleToInt64Bits(metric.Value))) : [];
    }

    private static byte[] Break(byte[] envelope, Random random)
    {
        var at = random.Next(envelope.Length);
        var bytes = envelope.ToList();
        switch (random.Next(6))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 1:
                bytes[at] = (byte)Telling[random.Next(Telling.Length)];
                break;
            case 2:
                bytes.RemoveAt(at);
                break;
            case 3:
                bytes.Insert(at, (byte)Telling[random.Next(Telling.Length)]);
                break;
            case 4:
                bytes.RemoveRange(at, random.Next(Math.Min(20, bytes.Count - at)));
                break;
            default:
                bytes.InsertRange(at, envelope.Skip(random.Next(envelope.Length)).Take(random.Next(60)));
                break;
        }
        return bytes.Count == 0 ? envelope : [.. bytes];
    }
}
