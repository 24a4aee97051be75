using System.Diagnostics;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Verifier.Verification;
using Microsoft.Extensions.Options;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// Writes the verdicts to <c>readings.verified</c> and <c>readings.rejected</c>. Every source message gets them in its partition's order.
/// Used by the consuming thread alone.
/// </summary>
internal sealed class VerdictWriter(
    Deliveries deliveries,
    SourceTopic topic,
    IOptions<VerifierOptions> options,
    TimeProvider time,
    VerifierMetrics metrics,
    VerifierLog log
)
{
    private readonly VerifierOptions options = options.Value;
    private readonly long[] byVerdict = new long[Enum.GetValues<Verdict>().Length];
    private byte[] verdictTime = [];

    /// <summary>Whether something waits for the acknowledgement of the message before it.</summary>
    public bool HasPending { get; private set; }

    /// <summary>Writes the verdicts on polled messages; what waits for a message in flight goes with <see cref="SendReady"/>.</summary>
    /// <param name="polled">The messages, with all verdicts.</param>
    /// <param name="spans">The spans of the polled messages.</param>
    public void Write(PolledMessages polled, PolledSpans spans)
    {
        verdictTime = VerdictMessages.Utf8(time.GetUtcNow());
        foreach (var message in polled.Messages)
        {
            if (!message.Partition.IsClosed)
                Write(message, polled.LinesOf(message), spans.TraceOf(message));
        }
        metrics.Verified(byVerdict);
        byVerdict.AsSpan().Clear();
    }

    /// <summary>Sends what waits in partitions that have nothing in flight.</summary>
    public void SendReady(IEnumerable<PartitionProgress> partitions)
    {
        HasPending = false;
        foreach (var partition in partitions)
        {
            if (partition.Pending.Delivery is null)
                continue;
            if (partition.InFlight == 0)
                Send(partition);
            else
                HasPending = true;
        }
    }

    /// <summary>Sends what waits in a partition, whatever is in flight.</summary>
    public void Send(PartitionProgress partition) => Send(partition, isSingle: false, share: null);

    private void Write(in PolledMessage message, Span<CheckedLine> lines, ActivityContext trace)
    {
        var partition = message.Partition;
        partition.GiveVerdicts(message.Offset);
        var earlier = partition.Earlier;
        if (earlier is not null)
        {
            if (earlier.HasVerdicts(message.Offset, out var rejectedThen))
            {
                RepeatVerdicts(message, lines, earlier, rejectedThen, trace);
                return;
            }
            earlier.Apply(message.Offset, lines);
        }
        var pending = partition.Pending;
        // Its line breaks would be taken for ends of lines beside others; rejected, it leaves no line.
        var goesAlone = message.IsSingle && lines[0].Verdict == Verdict.Accepted;
        if (pending.Delivery is not null && (goesAlone || IsFull(pending, message, lines.Length)))
            Send(partition);
        pending.Include(message, trace);
        var rejected = WriteLines(message, lines, goesAlone, trace);
        pending.AddSource(message.Offset, lines.Length, rejected ?? (IReadOnlyList<SourceRejection>)[]);
        if (goesAlone)
            Send(partition, isSingle: true, message.Share);
    }

    private bool IsFull(PendingVerdicts pending, in PolledMessage message, int lineCount) =>
        pending.LineCount + lineCount > options.MaxLinesPerMessage
        || pending.Value.WrittenCount + message.Bytes > options.MaxMessageBytes
        || pending.IsHeaderFull;

    /// <summary>
    /// Adds the accepted lines to the pending message and writes the rejected ones; returns what its header says of these,
    /// null: there are none.
    /// </summary>
    private List<SourceRejection>? WriteLines(in PolledMessage message, Span<CheckedLine> lines, bool goesAlone, ActivityContext trace)
    {
        var earlier = message.Partition.Earlier;
        var pending = message.Partition.Pending;
        List<SourceRejection>? rejected = null;
        for (var i = 0; i < lines.Length; i++)
        {
            ref var line = ref lines[i];
            if (line.Verdict == Verdict.Accepted && !VerdictMessages.TryWrite(pending.Value, line, goesAlone))
            {
                // Nothing that was parsed here is known to do that; should it, one line is rejected by name instead of a message's lines
                // being mistaken for each other.
                log.FramingRefused(message.Partition.Partition, message.Offset, i);
                line.Reject(Verdict.Malformed, "envelope: expected one line, found a line break in what is to be written");
            }
            byVerdict[(int)line.Verdict] += line.Count;
            if (line.Verdict == Verdict.Accepted)
                continue;
            // Past the header's bound a line is in no factory's ledger, as that of a factory without a key does: in both messages alike,
            // so that the ledger balances.
            var source = new SourcePosition(message.Offset, i);
            EarlierRejection written = default;
            var isWritten = earlier is not null && earlier.IsRejected(source, out written);
            var ledger =
                isWritten ? written.Ledger
                : line.IsOfUnknownFactory ? ""
                : line.Reading.FactoryId ?? "";
            pending.CountRejected(ledger);
            if (pending.IsHeaderFull && !isWritten)
                ledger = "";
            (rejected ??= []).Add(new(i, ledger, isWritten ? written.Readings : line.Count));
            if (!isWritten)
                Reject(pending.Delivery!, source, line, ledger, trace);
        }
        return rejected;
    }

    /// <summary>
    /// <c>readings.verified</c> has the verdicts on this message already, and a second message would be ignored. What may be missing is
    /// rejections: the two topics are written side by side.
    /// </summary>
    private void RepeatVerdicts(
        in PolledMessage message,
        Span<CheckedLine> lines,
        EarlierVerdicts earlier,
        IReadOnlyList<SourceRejection> rejected,
        ActivityContext trace
    )
    {
        var partition = message.Partition;
        var delivery = partition.BeginDelivery();
        delivery.Sent();
        foreach (var (number, ledger, _) in rejected)
        {
            var source = new SourcePosition(message.Offset, number);
            if (number >= lines.Length || earlier.IsRejected(source, out _))
                continue;
            ref var line = ref lines[number];
            if (line.Verdict == Verdict.Accepted)
                line.Reject(Verdict.UnknownKey, "rejected when it was first verified, by the keys of that moment");
            Reject(delivery, source, line, ledger, trace);
        }
        partition.Advance();
    }

    private void Reject(VerdictDelivery delivery, SourcePosition source, in CheckedLine line, string ledger, ActivityContext trace)
    {
        var message = VerdictMessages.Rejected(line, source, ledger, topic.IdUtf8, verdictTime, trace);
        deliveries.Produce(TopicNames.Rejected, delivery, message, isVerified: false, span: null);
    }

    private void Send(PartitionProgress partition, bool isSingle, byte[]? share)
    {
        var pending = partition.Pending;
        if (pending.Delivery is not { } delivery)
            return;
        using var noParent = new NoCurrentActivity();
        var span = VerifierTracing.Source.StartLinked("send readings.verified", ActivityKind.Producer, pending.Traces);
        span.SetMessaging("send", TopicNames.Verified, partition.Partition);

        var trace = pending.Traces.Count > 0 ? span?.Context ?? pending.Traces[0] : default;
        var message = VerdictMessages.Verified(pending, topic.IdUtf8, verdictTime, isSingle, share, trace);
        delivery.Sent();
        pending.Clear();
        deliveries.Produce(TopicNames.Verified, delivery, message, isVerified: true, span);
        metrics.Produced();
    }

    /// <summary>A span that ends on another thread must not stay this thread's current one.</summary>
    private readonly struct NoCurrentActivity() : IDisposable
    {
        private readonly Activity? before = Activity.Current;

        public void Dispose() => Activity.Current = before;
    }
}
