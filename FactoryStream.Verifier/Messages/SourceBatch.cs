using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.Verifier.Verdicts;

namespace FactoryStream.Verifier.Messages;

/// <summary>Messages that are judged together, over all partitions, in each partition's order. Reused; used by the consuming thread alone.</summary>
internal sealed class SourceBatch(BatchBytes bytes)
{
    private readonly List<SourceRecord> records = [];
    private readonly List<(PartitionAnswers Answers, ConsumeResult<byte[]?, ReadOnlyMemory<byte>> Result)> late = [];
    private JudgedLine[] lines = new JudgedLine[1024];
    private int lineCount;

    public IReadOnlyList<SourceRecord> Records => records;

    public int LineCount => lineCount;

    public long ByteCount { get; private set; }

    public Span<JudgedLine> Lines => lines.AsSpan(0, lineCount);

    /// <summary>For work on several threads, which cannot share a span.</summary>
    public ArraySegment<JudgedLine> LineSegment => new(lines, 0, lineCount);

    public Span<JudgedLine> LinesOf(in SourceRecord record) => lines.AsSpan(record.FirstLine, record.LineCount);

    public void Add(PartitionAnswers answers, ConsumeResult<byte[]?, ReadOnlyMemory<byte>> result)
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
                else if (header.Key == MessageHeaders.TraceParent && header.GetValueBytes() is { Length: <= 64 } traceParent
                    && MessageTracing.TryParse(Encoding.ASCII.GetString(traceParent), out var context))
                    trace = context;
            }
        }

        // A share is of one envelope.
        isSingle |= shareHeader is not null;
        var receivedAt = ReceivedAt(message.Timestamp);
        var count = MessageLines.Count(value.Span, isSingle);
        if (lines.Length - lineCount < count)
            Array.Resize(ref lines, Math.Max(lines.Length * 2, lineCount + count));
        records.Add(new(answers, result.Offset.Value, message.Key, value.Length, isSingle, lineCount, count, shareHeader, trace));
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

    /// <summary>Keeps a message that came while no more was asked for; the next batch must begin with <see cref="TakeLate"/>.</summary>
    public void AddLate(PartitionAnswers answers, ConsumeResult<byte[]?, ReadOnlyMemory<byte>> result)
    {
        result.Message.Value = result.Message.Value.ToArray();
        late.Add((answers, result));
    }

    /// <summary>Forgets the batch; the lines' buffers are reused from here on.</summary>
    public void Reset()
    {
        Lines.Clear();
        records.Clear();
        lineCount = 0;
        ByteCount = 0;
        bytes.Reset();
    }

    /// <summary>Begins the batch with what was kept: it came before all that is consumed from here on.</summary>
    public void TakeLate()
    {
        foreach (var (answers, result) in late)
            Add(answers, result);
        late.Clear();
    }

    // Whoever writes to the topic past Ingest may give any number as the time: it is a claim to judge by, no reason to stop.
    private static DateTime ReceivedAt(Timestamp timestamp) =>
        DateTime.UnixEpoch.AddMilliseconds(Math.Clamp(timestamp.UnixTimestampMs, 0, (long)(DateTime.MaxValue - DateTime.UnixEpoch).TotalMilliseconds - 1));
}
