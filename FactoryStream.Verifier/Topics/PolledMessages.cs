using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Verifier.Verification;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// What one poll brought: messages that are verified together, over all partitions, in each partition's order. Reused; used by the
/// consuming thread alone.
/// </summary>
internal sealed class PolledMessages(MessageBytes bytes)
{
    private readonly List<PolledMessage> messages = [];
    private readonly List<(PartitionProgress Partition, ConsumeResult<byte[]?, ReadOnlyMemory<byte>> Result)> late = [];
    private CheckedLine[] lines = new CheckedLine[1024];
    private int lineCount;

    public IReadOnlyList<PolledMessage> Messages => messages;

    public int LineCount => lineCount;

    public long ByteCount { get; private set; }

    public Span<CheckedLine> Lines => lines.AsSpan(0, lineCount);

    /// <summary>For work on several threads, which cannot share a span.</summary>
    public ArraySegment<CheckedLine> LineSegment => new(lines, 0, lineCount);

    public Span<CheckedLine> LinesOf(in PolledMessage message) => lines.AsSpan(message.FirstLine, message.LineCount);

    public void Add(PartitionProgress partition, ConsumeResult<byte[]?, ReadOnlyMemory<byte>> result)
    {
        var message = result.Message;
        var value = message.Value;
        var isSingle = false;
        byte[]? shareHeader = null;
        int[]? share = null;
        ActivityContext trace = default;
        if (message.Headers is { } headers)
        {
            foreach (var header in headers)
            {
                if (header.Key == MessageHeaders.Framing)
                    isSingle = header.GetValueBytes() is { } framing && framing.AsSpan().SequenceEqual("single"u8);
                else if (header.Key == MessageHeaders.BatchShare)
                    shareHeader = header.GetValueBytes() is { } text && BatchShare.TryParse(text, out share) ? text : null;
                else if (
                    header.Key == MessageHeaders.TraceParent
                    && header.GetValueBytes() is { Length: <= 64 } traceParent
                    && MessageTracing.TryParse(Encoding.ASCII.GetString(traceParent), out var context)
                )
                    trace = context;
            }
        }

        // A share of a signed batch is of one envelope.
        isSingle |= shareHeader is not null;
        var receivedAt = ReceivedAt(message.Timestamp);
        var count = MessageLines.Count(value.Span, isSingle);
        if (lines.Length - lineCount < count)
            Array.Resize(ref lines, Math.Max(lines.Length * 2, lineCount + count));
        messages.Add(new(partition, result.Offset.Value, message.Key, value.Length, isSingle, lineCount, count, shareHeader, trace));
        ByteCount += value.Length;
        for (var i = 0; i < count; i++)
        {
            var end = isSingle ? -1 : value.Span.IndexOf((byte)'\n');
            ref var line = ref lines[lineCount++];
            line.Raw = end < 0 ? value : value[..end];
            line.ReceivedAt = receivedAt;
            line.Share = shareHeader is null ? null : share;
            value = end < 0 ? default : value[(end + 1)..];
        }
    }

    /// <summary>Keeps a message that came while no more was asked for; the next poll must begin with <see cref="TakeLate"/>.</summary>
    public void AddLate(PartitionProgress partition, ConsumeResult<byte[]?, ReadOnlyMemory<byte>> result)
    {
        result.Message.Value = result.Message.Value.ToArray();
        late.Add((partition, result));
    }

    /// <summary>Forgets all messages; the lines' buffers are reused from here on.</summary>
    public void Reset()
    {
        Lines.Clear();
        messages.Clear();
        lineCount = 0;
        ByteCount = 0;
        bytes.Reset();
    }

    /// <summary>Begins with what was kept: it came before all that is consumed from here on.</summary>
    public void TakeLate()
    {
        foreach (var (partition, result) in late)
            Add(partition, result);
        late.Clear();
    }

    // A program that writes to the topic without Ingest may give any number as the time: that must not stop the Verifier.
    private static DateTime ReceivedAt(Timestamp timestamp) =>
        DateTime.UnixEpoch.AddMilliseconds(
            Math.Clamp(timestamp.UnixTimestampMs, 0, (long)(DateTime.MaxValue - DateTime.UnixEpoch).TotalMilliseconds - 1)
        );
}
