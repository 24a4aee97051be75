using System.Diagnostics;
using System.Text;
using FactoryStream.Contracts;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FactoryStream.Tests.Contracts;

public sealed class WireFormatTests
{
    [Theory]
    [InlineData("2026-02-25 06:13:20", "2026-02-25T06:13:20.0000000Z")]
    [InlineData("2026-02-25 06:13:20.125", "2026-02-25T06:13:20.1250000Z")]
    [InlineData("2026-02-25T06:13:20Z", "2026-02-25T06:13:20.0000000Z")]
    [InlineData("2026-02-25T06:13:20.123456789Z", "2026-02-25T06:13:20.1234560Z")]
    [InlineData("2026-02-25T06:13:20+0530", "2026-02-25T00:43:20.0000000Z")]
    [InlineData("2026-02-25 06:13:20-08:00", "2026-02-25T14:13:20.0000000Z")]
    [InlineData("2024-02-29 23:59:59", "2024-02-29T23:59:59.0000000Z")]
    [InlineData("2026-02-25T06:13:20", "2026-02-25T06:13:20.0000000Z")]
    [InlineData("2026-02-25t06:13:20z", "2026-02-25T06:13:20.0000000Z")]
    [InlineData("2026-02-25T06:13:20,125Z", "2026-02-25T06:13:20.1250000Z")]
    [InlineData("2026-02-25 06:13:20+00", "2026-02-25T06:13:20.0000000Z")]
    [InlineData("2026-02-25 06:13:20-23:59", "2026-02-26T06:12:20.0000000Z")]
    [InlineData("20260225T061320Z", "2026-02-25T06:13:20.0000000Z")]
    [InlineData("20260225T061320.5+0130", "2026-02-25T04:43:20.5000000Z")]
    [InlineData("20260225T061320", "2026-02-25T06:13:20.0000000Z")]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.0000000Z")]
    [InlineData("2017-01-01T05:29:60.25+05:30", "2017-01-01T00:00:00.2500000Z")]
    public void A_timestamp_becomes_UTC(string text, string expected)
    {
        Assert.True(Timestamps.TryParse(Encoding.UTF8.GetBytes(text), out var utc, out _));
        Assert.Equal((expected, DateTimeKind.Utc), (utc.ToString("O"), utc.Kind));
    }

    [Theory]
    [InlineData("0", "1970-01-01T00:00:00.0000000Z")]
    [InlineData("1772000000", "2026-02-25T06:13:20.0000000Z")]
    [InlineData("1772000000.125", "2026-02-25T06:13:20.1250000Z")]
    [InlineData("1.772e9", "2026-02-25T06:13:20.0000000Z")]
    [InlineData("1772000000125", "2026-02-25T06:13:20.1250000Z")]
    [InlineData("1772000000125000", "2026-02-25T06:13:20.1250000Z")]
    [InlineData("1772000000125000000", "2026-02-25T06:13:20.1250000Z")]
    [InlineData("1772000000123456789", "2026-02-25T06:13:20.1234560Z")]
    [InlineData("99999999999", "5138-11-16T09:46:39.0000000Z")]
    [InlineData("100000000000", "1973-03-03T09:46:40.0000000Z")]
    public void A_number_since_1970_tells_its_unit_by_its_magnitude(string number, string expected)
    {
        Assert.True(Timestamps.TryParseNumber(Encoding.UTF8.GetBytes(number), out var utc, out _));
        Assert.Equal((expected, DateTimeKind.Utc), (utc.ToString("O"), utc.Kind));
    }

    [Theory]
    [InlineData("1772000000.9999999999999999999999999", "2026-02-25T06:13:20.9999990Z")]
    [InlineData("1772000000.99999999999999999999999999999999999999999999999999999", "2026-02-25T06:13:20.9999990Z")]
    [InlineData("99999999999.999999999999999999999999999", "5138-11-16T09:46:39.9999990Z")]
    [InlineData("253402300799999999999", "9999-12-31T23:59:59.9999990Z")]
    [InlineData("177200000012500000000000000000000000000000e-32", "2026-02-25T06:13:20.1250000Z")]
    [InlineData("0.00000000000000000000000000000000001772e44", "2026-02-25T06:13:20.0000000Z")]
    [InlineData("0e99999999999999999999", "1970-01-01T00:00:00.0000000Z")]
    [InlineData("-0.000", "1970-01-01T00:00:00.0000000Z")]
    [InlineData("1e-99999999999999999999", "1970-01-01T00:00:00.0000000Z")]
    public void Digits_beyond_a_microsecond_are_cut_off_and_never_rounded_up(string number, string expected)
    {
        Assert.True(Timestamps.TryParseNumber(Encoding.UTF8.GetBytes(number), out var utc, out _));
        Assert.Equal(expected, utc.ToString("O"));
    }

    [Theory]
    [InlineData("-1e-400")]
    [InlineData("-0.000000000000000000000000000000000000001")]
    public void A_negative_number_is_before_1970_however_small(string number)
    {
        Assert.False(Timestamps.TryParseNumber(Encoding.UTF8.GetBytes(number), out _, out var expected));
        Assert.Equal(Timestamps.ExpectedSince, expected);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1e30")]
    [InlineData("1e-400")]
    [InlineData("99999999999999999999999")]
    [InlineData("300000000000000000000000000000000")]
    public void A_number_that_is_no_timestamp_is_refused_with_the_reason(string number)
    {
        Assert.True(!Timestamps.TryParseNumber(Encoding.UTF8.GetBytes(number), out _, out var expected) || number == "1e-400");
        Assert.False(string.IsNullOrEmpty(expected));
    }

    [Theory]
    [InlineData("")]
    [InlineData("2026-02-25")]
    [InlineData("2025-02-29 00:00:00")]
    [InlineData("2026-02-25 24:00:00")]
    [InlineData("2026-02-25 06:13:60")]
    [InlineData("2026-02-25T12:59:60Z")]
    [InlineData("2016-12-31T23:59:61Z")]
    [InlineData("20260225 6:13:20")]
    [InlineData("20260225T06:13:20Z")]
    [InlineData("2026-02-25T061320Z")]
    [InlineData("2026-0225T06:13:20Z")]
    [InlineData("25.02.2026 06:13:20")]
    [InlineData("02/25/2026 06:13:20")]
    [InlineData("0000-01-01T00:00:00Z")]
    [InlineData("2026-02-25T06:13:20Zulu")]
    [InlineData("2026-02-25T06:13:20+1:00")]
    [InlineData("2026-02-25 06:13:20.")]
    [InlineData("2026-02-25 06:13:20 ")]
    [InlineData("2026-02-25T06:13:20+1")]
    [InlineData("2026-02-25T06:13:20+24:00")]
    [InlineData("2026-02-25T06:13:20+15:60")]
    [InlineData("2026-02-25T06:13:20+01:00x")]
    [InlineData("1970-01-01T00:00:00+01:00")]
    [InlineData("9999-12-31T23:59:59-01:00")]
    [InlineData("٢٠٢٦-02-25 06:13:20")]
    public void Text_that_is_no_timestamp_is_refused_with_the_reason(string text)
    {
        Assert.False(Timestamps.TryParse(Encoding.UTF8.GetBytes(text), out _, out var error));
        Assert.False(string.IsNullOrEmpty(error));
    }

    // The vectors of Apache Kafka's own tests of its partitioner.
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void The_partitioner_is_Kafkas(string key, int murmur2) =>
        Assert.Equal(murmur2, (int)Partitioner.Murmur2(Encoding.UTF8.GetBytes(key)));

    [Property]
    public bool An_engine_has_one_partition(NonNull<string> factory, NonNull<string> engine, PositiveInt count)
    {
        var (factoryId, engineId) = (factory.Get[..Math.Min(factory.Get.Length, 128)], engine.Get[..Math.Min(engine.Get.Length, 128)]);
        var partition = Partitioner.Partition(factoryId, engineId, count.Get);
        return partition >= 0
            && partition < count.Get
            && partition == Partitioner.Partition(Partitioner.Key(factoryId, engineId), count.Get);
    }

    [Fact]
    public void Verdicts_and_their_names_are_one_to_one()
    {
        foreach (var verdict in Enum.GetValues<Verdict>())
        {
            Assert.True(VerdictNames.TryParse(verdict.ToName(), out var back));
            Assert.Equal(verdict, back);
        }
        Assert.False(VerdictNames.TryParse("fine", out _));
    }

    [Fact]
    public void Source_positions_survive_the_header()
    {
        SourceMessage[] messages =
        [
            new(1041, 20, []),
            new(1042, 18, [new(3, "factory_003"), new(9, "a;b!c=ü%"), new(11, "f", 100)]),
            new(1043, 1, [new(0, "")]),
        ];

        var text = SourcePositions.Format(messages);

        Assert.StartsWith("1041:20;1042:18!3=factory_003!9=", text, StringComparison.Ordinal);
        Assert.True(SourcePositions.TryParse(text, out var back));
        Assert.Equal(
            messages.Select(m => (m.Offset, m.LineCount, string.Join(',', m.Rejected))),
            back.Select(m => (m.Offset, m.LineCount, string.Join(',', m.Rejected)))
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("12")]
    [InlineData("12:x")]
    [InlineData("12:3!3=f")]
    [InlineData("12:3!1")]
    [InlineData("12:3!1*=f")]
    [InlineData("12:3!*5=f")]
    [InlineData("12:3!3*5=f")]
    [InlineData("-1:3")]
    [InlineData("12:2147483647")]
    [InlineData("12:3;12:3")]
    [InlineData("12:3;11:3")]
    [InlineData("12:3!1=f!1=f")]
    [InlineData("12:3!2=f!1=f")]
    [InlineData("12:3!1*0=f")]
    [InlineData("12:3!1*1001=f")]
    [InlineData("99999999999999999999:3")]
    public void A_broken_source_header_is_refused(string text) => Assert.False(SourcePositions.TryParse(text, out _));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("0-3,7,12-13", 0, 1, 2, 3, 7, 12, 13)]
    [InlineData("998-999", 998, 999)]
    public void A_batchs_share_survives_the_header(string text, params int[] indexes)
    {
        Assert.Equal(text, BatchShare.Format(indexes));
        Assert.True(BatchShare.TryParse(Encoding.UTF8.GetBytes(text), out var back));
        Assert.Equal(indexes, back);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("1,")]
    [InlineData("-1")]
    [InlineData("3-1")]
    [InlineData("1,1")]
    [InlineData("2,1")]
    [InlineData("1000")]
    [InlineData("0-99999999999")]
    public void A_broken_share_is_refused(string text) => Assert.False(BatchShare.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Property]
    public Property Lines_joined_and_split_are_the_same_lines() =>
        Prop.ForAll(
            Gen.Elements("a", "bc", """{"x":1}""").ListOf().ToArbitrary(),
            lines =>
            {
                var value = Encoding.UTF8.GetBytes(string.Join('\n', lines));
                return MessageLines.Split(value, single: false).Select(line => Encoding.UTF8.GetString(line.Span)).SequenceEqual(lines)
                    && MessageLines.Count(value, single: false) == lines.Count;
            }
        );

    [Fact]
    public void A_batch_span_is_the_child_of_the_first_context_and_linked_to_the_others()
    {
        using var source = new ActivitySource(nameof(WireFormatTests));
        using var listener = new ActivityListener
        {
            ShouldListenTo = candidate => candidate == source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        var contexts = Enumerable
            .Range(0, 3)
            .Select(_ => new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded))
            .ToArray();

        using var span = source.StartLinked("batch", ActivityKind.Consumer, contexts);

        Assert.Equal((contexts[0].TraceId, contexts[0].SpanId), (span!.TraceId, span.ParentSpanId));
        Assert.Equal(contexts[1..], span.Links.Select(link => link.Context));
        Assert.True(MessageTracing.TryParse(MessageTracing.TraceParentOf(span.Context), out var parsed));
        Assert.Equal((span.TraceId, span.SpanId), (parsed.TraceId, parsed.SpanId));
        Assert.Null(MessageTracing.TraceParentOf(new ActivityContext(span.TraceId, span.SpanId, ActivityTraceFlags.None)));
        Assert.Null(source.StartLinked("none", ActivityKind.Consumer, []));
    }
}
