using System.Buffers;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.Ingest.Topics;

/// <summary>
/// A message of <c>readings.signed</c> in the making, then under way: lines, and whose they are. Used again and again by its partition.
/// </summary>
internal sealed class SignedMessage
{
    private readonly List<(Delivery Delivery, int Readings)> deliveries = [];
    private readonly List<ActivityContext> traces = [];
    private byte[] lines = [];
    private string factoryId = "";
    private string? engineId;
    private bool isOfOneEngine;
    private Activity? span;

    public SignedMessage(PartitionWriter partition) => Delivered = report => partition.OnDelivered(this, report);

    /// <summary>The one delegate of this message for the client library.</summary>
    public Action<DeliveryReport<byte[]?, byte[]>> Delivered { get; }

    public int Length { get; private set; }

    public int LineCount { get; private set; }

    public int ReadingCount { get; private set; }

    /// <summary>Bytes of its lines that are of factories without a key.</summary>
    public int UnknownBytes { get; private set; }

    /// <summary>Readings of these.</summary>
    public int UnknownReadings { get; private set; }

    /// <summary>The moment it was handed to the client library.</summary>
    public long SentAt { get; private set; }

    /// <summary>Adds a line.</summary>
    /// <param name="line">An envelope.</param>
    /// <param name="factory">Whose.</param>
    /// <param name="engine">Which engine's; null: several engines'.</param>
    /// <param name="readings">How many readings of the partition it holds.</param>
    /// <param name="delivery">The request that brought it.</param>
    /// <param name="isUnknown">The factory has no key.</param>
    public void Add(ReadOnlySpan<byte> line, string factory, string? engine, int readings, Delivery delivery, bool isUnknown)
    {
        if (isUnknown)
        {
            UnknownBytes += line.Length;
            UnknownReadings += readings;
        }
        var start = Length == 0 ? 0 : Length + 1;
        Reserve(start + line.Length);
        if (start > 0)
            lines[start - 1] = (byte)'\n';
        line.CopyTo(lines.AsSpan(start));
        Length = start + line.Length;

        if (LineCount == 0)
        {
            factoryId = factory;
            engineId = engine;
            isOfOneEngine = engine is not null;
        }
        else if (isOfOneEngine && (engineId != engine || factoryId != factory))
        {
            isOfOneEngine = false;
        }
        LineCount++;
        ReadingCount += readings;

        if (deliveries.Count > 0 && deliveries[^1].Delivery == delivery)
        {
            CollectionsMarshal.AsSpan(deliveries)[^1].Readings += readings;
            return;
        }
        deliveries.Add((delivery, readings));
        if (delivery.Trace != default && traces.Count <= MessageTracing.MaxLinks)
            traces.Add(delivery.Trace);
    }

    /// <summary>The message for the client library; starts the span of sending when a request of it is sampled.</summary>
    /// <param name="partition">Whose.</param>
    /// <param name="isSingle">It is one envelope, line breaks and all.</param>
    /// <param name="share">The <see cref="BatchShare"/> of a batch that goes to several partitions, else null.</param>
    /// <param name="receivedAt">When such a batch came: the same in all its partitions, so that its verdict is; else null.</param>
    /// <param name="now">The moment of sending.</param>
    public Message<byte[]?, byte[]> Seal(int partition, bool isSingle, byte[]? share, DateTimeOffset? receivedAt, long now)
    {
        SentAt = now;
        var value = GC.AllocateUninitializedArray<byte>(Length);
        lines.AsSpan(0, Length).CopyTo(value);
        var message = new Message<byte[]?, byte[]>
        {
            Key = isOfOneEngine ? Contracts.Partitioner.Key(factoryId, engineId!) : null,
            Value = value,
        };
        if (receivedAt is { } moment)
            message.Timestamp = new Timestamp(moment);
        if (traces.Count > 0)
            StartSpan(partition);
        if (isSingle || span is { Recorded: true })
        {
            message.Headers = [];
            if (isSingle)
                message.Headers.Add(MessageHeaders.Framing, "single"u8.ToArray());
            if (share is not null)
                message.Headers.Add(MessageHeaders.BatchShare, share);
            if (span is not null && MessageTracing.TraceParentOf(span.Context) is { } parent)
                message.Headers.Add(MessageHeaders.TraceParent, System.Text.Encoding.ASCII.GetBytes(parent));
        }
        return message;
    }

    /// <summary>Tells every request whether its lines are safe, and is ready for the next lines.</summary>
    public void Complete(Error error, long? offset)
    {
        var isSafe = !error.IsError;
        if (span is not null)
        {
            if (isSafe)
                span.SetTag("messaging.kafka.offset", offset);
            else
                span.SetTag("error.type", error.Code.ToString()).SetStatus(ActivityStatusCode.Error, error.Reason);
            span.Dispose();
            span = null;
        }
        foreach (var (delivery, count) in deliveries)
            delivery.Complete(count, isSafe);
        deliveries.Clear();
        traces.Clear();
        Length = 0;
        LineCount = 0;
        ReadingCount = 0;
        UnknownBytes = 0;
        UnknownReadings = 0;
    }

    private void StartSpan(int partition)
    {
        // The thread's own current activity, if any, belongs to one of many requests.
        var current = Activity.Current;
        span = IngestTracing.Source.StartLinked($"send {TopicNames.Signed}", ActivityKind.Producer, traces);
        Activity.Current = current;
        span.SetMessaging("send", TopicNames.Signed, partition, count: ReadingCount);
    }

    private void Reserve(int size)
    {
        if (lines.Length >= size)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(size, 4_096));
        lines.AsSpan(0, Length).CopyTo(larger);
        if (lines.Length > 0)
            ArrayPool<byte>.Shared.Return(lines);
        lines = larger;
    }

    /// <summary>Gives its memory back; the message is not used again.</summary>
    public void Release()
    {
        if (lines.Length > 0)
            ArrayPool<byte>.Shared.Return(lines);
        lines = [];
    }
}
