using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;

namespace FactoryStream.Tests.Ingest;

/// <summary>
/// A Kafka that keeps what it is given: it acknowledges by itself, in order and on a thread of its own, or when the test says so.
/// </summary>
internal sealed class ReadingLogProducer : IProducer<byte[]?, byte[]>
{
    private readonly Lock gate = new();
    private readonly List<Sent> sent = [];
    private readonly Queue<(Sent Message, Action<DeliveryReport<byte[]?, byte[]>> Handler)> waiting = new();
    private readonly Dictionary<TopicPartition, long> ends = [];
    private bool isAcknowledging;

    /// <summary>False: messages wait for <see cref="Acknowledge"/>.</summary>
    public bool AcknowledgesItself { get; set; } = true;

    /// <summary>What every message that is answered from now on gets.</summary>
    public ErrorCode Answer { get; set; } = ErrorCode.NoError;

    public Handle Handle => throw new NotSupportedException();

    public string Name => "test";

    /// <summary>All messages of a topic so far, in order.</summary>
    public IReadOnlyList<Sent> To(string topic)
    {
        lock (gate)
            return [.. sent.Where(message => message.Topic == topic)];
    }

    /// <summary>All lines of <c>readings.signed</c> so far.</summary>
    public IReadOnlyList<string> Lines => [.. To(TopicNames.Signed).SelectMany(message => message.Lines)];

    /// <summary>Answers the oldest message that waits.</summary>
    public void Acknowledge(ErrorCode answer = ErrorCode.NoError)
    {
        (Sent Message, Action<DeliveryReport<byte[]?, byte[]>> Handler) next;
        long offset;
        lock (gate)
        {
            next = waiting.Dequeue();
            var partition = new TopicPartition(next.Message.Topic, next.Message.Partition);
            offset = ends.GetValueOrDefault(partition);
            if (answer == ErrorCode.NoError)
                ends[partition] = offset + 1;
        }
        next.Handler(
            new DeliveryReport<byte[]?, byte[]> { Error = new Error(answer), Offset = answer == ErrorCode.NoError ? offset : Offset.Unset }
        );
    }

    public void Produce(
        TopicPartition topicPartition,
        Message<byte[]?, byte[]> message,
        Action<DeliveryReport<byte[]?, byte[]>>? deliveryHandler = null
    )
    {
        lock (gate)
        {
            var entry = new Sent(topicPartition.Topic, topicPartition.Partition.Value, message);
            sent.Add(entry);
            waiting.Enqueue((entry, deliveryHandler!));
            if (!AcknowledgesItself || isAcknowledging)
                return;
            isAcknowledging = true;
        }
        _ = Task.Run(AcknowledgeAll);
    }

    private void AcknowledgeAll()
    {
        while (true)
        {
            lock (gate)
            {
                if (waiting.Count == 0)
                {
                    isAcknowledging = false;
                    return;
                }
            }
            Acknowledge(Answer);
        }
    }

    public void Flush(CancellationToken cancellationToken = default) { }

    public void Dispose() { }

    public int AddBrokers(string brokers) => throw new NotSupportedException();

    public void SetSaslCredentials(string username, string password) => throw new NotSupportedException();

    public Task<DeliveryResult<byte[]?, byte[]>> ProduceAsync(
        string topic,
        Message<byte[]?, byte[]> message,
        CancellationToken cancellationToken = default
    ) => throw new NotSupportedException();

    public Task<DeliveryResult<byte[]?, byte[]>> ProduceAsync(
        TopicPartition topicPartition,
        Message<byte[]?, byte[]> message,
        CancellationToken cancellationToken = default
    ) => throw new NotSupportedException();

    public void Produce(string topic, Message<byte[]?, byte[]> message, Action<DeliveryReport<byte[]?, byte[]>>? deliveryHandler = null) =>
        throw new NotSupportedException();

    public int Poll(TimeSpan timeout) => throw new NotSupportedException();

    public int Flush(TimeSpan timeout) => throw new NotSupportedException();

    public void InitTransactions(TimeSpan timeout) => throw new NotSupportedException();

    public void BeginTransaction() => throw new NotSupportedException();

    public void CommitTransaction(TimeSpan timeout) => throw new NotSupportedException();

    public void CommitTransaction() => throw new NotSupportedException();

    public void AbortTransaction(TimeSpan timeout) => throw new NotSupportedException();

    public void AbortTransaction() => throw new NotSupportedException();

    public void SendOffsetsToTransaction(
        IEnumerable<TopicPartitionOffset> offsets,
        IConsumerGroupMetadata groupMetadata,
        TimeSpan timeout
    ) => throw new NotSupportedException();

    internal sealed record Sent(string Topic, int Partition, Message<byte[]?, byte[]> Message)
    {
        public string Value => Encoding.UTF8.GetString(Message.Value);

        public string? Key => Message.Key is null ? null : Encoding.UTF8.GetString(Message.Key);

        public IReadOnlyList<string> Lines =>
            [
                .. MessageLines
                    .Split(Message.Value, this[MessageHeaders.Framing] == MessageHeaders.FramingSingle)
                    .Select(line => Encoding.UTF8.GetString(line.Span)),
            ];

        /// <summary>A header's text, or null.</summary>
        public string? this[string header] =>
            Message.Headers is not null && Message.Headers.TryGetLastBytes(header, out var bytes) ? Encoding.UTF8.GetString(bytes) : null;
    }
}
