using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Backpressure;

namespace FactoryStream.Ingest.Topics;

/// <summary>
/// Appends to one partition of <c>readings.signed</c>. While its last message is under way lines gather; at its acknowledgement the next
/// one goes. A full message goes at once. So nothing waits for a clock, and under load messages grow by themselves.
/// </summary>
internal sealed class PartitionWriter(
    int partition,
    IProducer<byte[]?, byte[]> producer,
    Backlog backlog,
    IngestOptions options,
    TimeProvider time,
    IngestMetrics metrics,
    IngestLog log
)
{
    // Messages kept for use again; a partition seldom has more under way.
    private const int MaxSpare = 4;

    private readonly Lock gate = new();
    private readonly TopicPartition topicPartition = new(TopicNames.Signed, partition);
    private readonly AppendedMessages appended = new();

    // What of these is of factories without a key.
    private readonly AppendedMessages appendedUnknown = new();
    private readonly Stack<SignedMessage> spare = new();
    private SignedMessage? open;
    private int inFlight;
    private long pendingBytes;
    private long pendingUnknownBytes;
    private long foreignBytes;

    /// <summary>Adds a line to the message in the making, or says why it must wait. <see cref="Flush"/> sends it.</summary>
    /// <param name="line">An envelope.</param>
    /// <param name="factoryId">Whose.</param>
    /// <param name="engineId">Which engine's; null: a batch of several engines', all of this partition.</param>
    /// <param name="readings">How many readings it holds.</param>
    /// <param name="delivery">The request that brought it.</param>
    public Admission TryAppend(ReadOnlySpan<byte> line, string factoryId, string? engineId, int readings, Delivery delivery)
    {
        lock (gate)
        {
            var isUnknown = backlog.IsUnknown(factoryId);
            var admission = Check(line.Length, isUnknown);
            if (admission != Admission.Admitted)
                return admission;
            Expect(line.Length, readings, delivery, isUnknown);

            // A pretty-printed envelope keeps its bytes, line breaks and all, so it travels alone.
            var isSingle = line.Contains((byte)'\n');
            if (open is not null && (isSingle || open.Length + 1 + line.Length > options.MaxMessageBytes))
                Send(isSingle: false);
            open ??= spare.Count > 0 ? spare.Pop() : new SignedMessage(this);
            open.Add(line, factoryId, engineId, readings, delivery, isUnknown);
            if (isSingle || open.LineCount >= options.MaxLinesPerMessage)
                Send(isSingle);
            return Admission.Admitted;
        }
    }

    /// <summary>Whether there is room for a factory's line of so many bytes.</summary>
    public Admission CheckAdmission(int bytes, string factoryId)
    {
        lock (gate)
            return Check(bytes, backlog.IsUnknown(factoryId));
    }

    /// <summary>
    /// Sends a batch that other partitions get as well: a message of its own, which tells its share. It asks for no room, for all of the
    /// batch's partitions were asked before the first one got it (<see cref="CheckAdmission"/>); what others took meanwhile may exceed the
    /// bounds by as many batches as there are requests.
    /// </summary>
    /// <param name="line">The batch's envelope.</param>
    /// <param name="factoryId">Whose.</param>
    /// <param name="engineId">Which engine's this partition's share is; null: several engines'.</param>
    /// <param name="share">Which of its readings are this partition's.</param>
    /// <param name="receivedAt">When it came: the same for all partitions.</param>
    /// <param name="delivery">The request that brought it.</param>
    public void AppendShare(
        ReadOnlySpan<byte> line,
        string factoryId,
        string? engineId,
        ReadOnlySpan<int> share,
        DateTimeOffset receivedAt,
        Delivery delivery
    )
    {
        var header = Encoding.ASCII.GetBytes(BatchShare.Format(share));
        lock (gate)
        {
            var isUnknown = backlog.IsUnknown(factoryId);
            Expect(line.Length, share.Length, delivery, isUnknown);
            if (open is not null)
                Send(isSingle: false);
            open = spare.Count > 0 ? spare.Pop() : new SignedMessage(this);
            open.Add(line, factoryId, engineId, share.Length, delivery, isUnknown);
            Send(isSingle: true, header, receivedAt);
        }
    }

    /// <summary>Sends what has gathered unless a message is under way: its acknowledgement will.</summary>
    public void Flush()
    {
        lock (gate)
        {
            if (inFlight == 0 && open is not null)
                Send(isSingle: false);
        }
    }

    /// <summary>The client library's answer, on its own thread.</summary>
    public void OnDelivered(SignedMessage message, DeliveryReport<byte[]?, byte[]> report)
    {
        var count = message.ReadingCount;
        lock (gate)
        {
            inFlight--;
            if (!report.Error.IsError)
            {
                var (bytes, readings) = appended.Add(report.Offset.Value, SizeOf(message), count);
                if (readings > 0)
                {
                    backlog.Remove(bytes, readings);
                    ForgetUnknown(long.MaxValue);
                }
                if (message.UnknownReadings > 0)
                    appendedUnknown.Add(report.Offset.Value, message.UnknownBytes, message.UnknownReadings);
            }
            if (inFlight == 0 && open is not null)
                Send(isSingle: false);
        }
        if (!report.Error.IsError)
            metrics.Acknowledged(count, time.GetElapsedTime(message.SentAt));
        Finish(message, report.Error, report.Offset.Value);
    }

    /// <summary>What was found out of this partition: how far it is stored, where it ends.</summary>
    /// <returns>What other producers have in it, in bytes and readings, estimated by this process's own messages.</returns>
    public (long Bytes, long Readings) Observe(long stored, long end)
    {
        lock (gate)
        {
            var (bytes, readings) = appended.Forget(stored);
            backlog.Remove(bytes, readings);
            ForgetUnknown(stored);
            var foreign = Math.Max(0, end - stored - appended.Count - inFlight);
            if (foreign == 0)
            {
                foreignBytes = 0;
                return default;
            }
            // With nothing to go by: one reading of about 700 bytes a message.
            var (size, count) =
                appended.Count > 0 ? (appended.Bytes / appended.Count, Math.Max(1, appended.Readings / appended.Count)) : (700, 1);
            foreignBytes = foreign * size;
            return (foreignBytes, foreign * count);
        }
    }

    private static int SizeOf(SignedMessage message) => message.Length - (message.LineCount - 1);

    private Admission Check(int bytes, bool isUnknown) =>
        backlog.Check(bytes, pendingBytes + appended.Bytes + foreignBytes, isUnknown, pendingUnknownBytes + appendedUnknown.Bytes);

    private void Expect(int bytes, int readings, Delivery delivery, bool isUnknown)
    {
        delivery.Expect(readings);
        pendingBytes += bytes;
        backlog.Add(bytes, readings);
        if (!isUnknown)
            return;
        pendingUnknownBytes += bytes;
        backlog.AddUnknown(bytes, readings);
    }

    private void ForgetUnknown(long below)
    {
        var (bytes, readings) = appendedUnknown.Forget(below);
        backlog.AddUnknown(-bytes, -readings);
    }

    private void Send(bool isSingle, byte[]? share = null, DateTimeOffset? receivedAt = null)
    {
        var message = open!;
        open = null;
        inFlight++;
        try
        {
            producer.Produce(topicPartition, message.Seal(partition, isSingle, share, receivedAt, time.GetTimestamp()), message.Delivered);
        }
        catch (ProduceException<byte[]?, byte[]> exception)
        {
            // Its own queue is full: no thread of ours may wait here.
            inFlight--;
            FinishLocked(message, exception.Error);
        }
    }

    private void Finish(SignedMessage message, Error error, long offset)
    {
        lock (gate)
        {
            pendingBytes -= SizeOf(message);
            pendingUnknownBytes -= message.UnknownBytes;
        }
        Account(message, error);
        message.Complete(error, offset);
        lock (gate)
            Keep(message);
    }

    private void FinishLocked(SignedMessage message, Error error)
    {
        pendingBytes -= SizeOf(message);
        pendingUnknownBytes -= message.UnknownBytes;
        Account(message, error);
        message.Complete(error, null);
        Keep(message);
    }

    private void Account(SignedMessage message, Error error)
    {
        backlog.Complete(
            SizeOf(message),
            message.ReadingCount,
            !error.IsError,
            error.Code is ErrorCode.Local_MsgTimedOut or ErrorCode.Local_Transport
        );
        if (!error.IsError)
            return;
        backlog.AddUnknown(-message.UnknownBytes, -message.UnknownReadings);
        log.NotAcknowledged(message.ReadingCount, error.Reason);
        metrics.Unacknowledged(message.ReadingCount);
    }

    private void Keep(SignedMessage message)
    {
        if (spare.Count < MaxSpare)
            spare.Push(message);
        else
            message.Release();
    }
}
