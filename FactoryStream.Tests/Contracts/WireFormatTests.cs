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
    public void A_timestamp_becomes_UTC(string text, string expected)
    {
        Assert.True(Timestamps.TryParse(Encoding.UTF8.GetBytes(text), out var utc, out _));
        Assert.Equal((expected, DateTimeKind.Utc), (utc.ToString("O"), utc.Kind));
    }

    [Theory]
    [InlineData("")]
    [InlineData("2026-02-25")]
    [InlineData("2025-02-29 00:00:00")]
    [InlineData("2026-02-25 24:00:00")]
    [InlineData("2026-02-25 06:13:60")]
    [InlineData("2026-02-25 06:13:20.")]
    [InlineData("2026-02-25 06:13:20 ")]
    [InlineData("2026-02-25T06:13:20+1")]
    [InlineData("2026-02-25T06:13:20+15:00")]
    [InlineData("2026-02-25T06:13:20+01:00x")]
    [InlineData("1970-01-01T00:00:00+01:00")]
    [InlineData("9999-12-31T23:59:59-01:00")]
    [InlineData("٢٠٢٦-02-25 06:13:20")]
    public void What_is_no_time_is_told_so(string text)
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
    public void The_partitioner_is_Kafkas(string key, int murmur2) => Assert.Equal(murmur2, (int)Partitioner.Murmur2(Encoding.UTF8.GetBytes(key)));

    [Property]
    public bool An_engine_has_one_partition(NonNull<string> factory, NonNull<string> engine, PositiveInt count)
    {
        var (factoryId, engineId) = (factory.Get[..Math.Min(factory.Get.Length, 128)], engine.Get[..Math.Min(engine.Get.Length, 128)]);
        var partition = Partitioner.Partition(factoryId, engineId, count.Get);
        return partition >= 0 && partition < count.Get && partition == Partitioner.Partition(Partitioner.Key(factoryId, engineId), count.Get);
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
        SourceMessage[] messages = [new(1041, 20, []), new(1042, 18, [new(3, "factory_003"), new(9, "a;b!c=ü%"), new(11, "f", 100)]), new(1043, 1, [new(0, "")])];

        var text = SourcePositions.Format(messages);

        Assert.StartsWith("1041:20;1042:18!3=factory_003!9=", text, StringComparison.Ordinal);
        Assert.True(SourcePositions.TryParse(text, out var back));
        Assert.Equal(messages.Select(m => (m.Offset, m.LineCount, string.Join(',', m.Rejected))), back.Select(m => (m.Offset, m.LineCount, string.Join(',', m.Rejected))));
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
    public void A_broken_source_header_is_none(string text) => Assert.False(SourcePositions.TryParse(text, out _));

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
    public void A_broken_share_is_none(string text) => Assert.False(BatchShare.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Property]
    public Property Lines_joined_and_split_are_the_same_lines() => Prop.ForAll(
        Gen.Elements("a", "bc", """{"x":1}""").ListOf().ToArbitrary(),
        lines =>
        {
            var value = Encoding.UTF8.GetBytes(string.Join('\n', lines));
            return MessageLines.Split(value, single: false).Select(line => Encoding.UTF8.GetString(line.Span)).SequenceEqual(lines)
                && MessageLines.Count(value, single: false) == lines.Count;
        });

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
        var contexts = Enumerable.Range(0, 3).Select(_ => new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded)).ToArray();

        using var span = source.StartBatch("batch", ActivityKind.Consumer, contexts);

        Assert.Equal((contexts[0].TraceId, contexts[0].SpanId), (span!.TraceId, span.ParentSpanId));
        Assert.Equal(contexts[1..], span.Links.Select(link => link.Context));
        Assert.True(MessageTracing.TryParse(MessageTracing.TraceParentOf(span.Context), out var parsed));
        Assert.Equal((span.TraceId, span.SpanId), (parsed.TraceId, parsed.SpanId));
        Assert.Null(MessageTracing.TraceParentOf(new ActivityContext(span.TraceId, span.SpanId, ActivityTraceFlags.None)));
        Assert.Null(source.StartBatch("none", ActivityKind.Consumer, []));
    }
}
