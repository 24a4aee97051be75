using System.Text;
using Confluent.Kafka;

namespace FactoryStream.Tests.Verifier;

/// <summary>A producer that keeps what it is given and acknowledges when the test says so.</summary>
internal sealed class RecordingProducer : IProducer<byte[]?, byte[]>
{
    private readonly List<Action<DeliveryReport<byte[]?, byte[]>>?> handlers = [];

    /// <summary>All messages, in order.</summary>
    public List<Sent> Messages { get; } = [];

    /// <summary>As many calls of Produce as this find the queue full.</summary>
    public int FullFor { get; set; }

    public Handle Handle => throw new NotSupportedException();

    public string Name => "recording";

    public IEnumerable<Sent> To(string topic) => Messages.Where(message => message.Topic == topic);

    /// <summary>Acknowledges the message of that index, or lets it fail.</summary>
    public void Acknowledge(int index, ErrorCode error = ErrorCode.NoError)
    {
        handlers[index]!.Invoke(new DeliveryReport<byte[]?, byte[]> { Error = new Error(error) });
        handlers[index] = null;
    }

    public void AcknowledgeAll()
    {
        for (var i = 0; i < handlers.Count; i++)
        {
            if (handlers[i] is not null)
                Acknowledge(i);
        }
    }

    public void Produce(
        TopicPartition topicPartition,
        Message<byte[]?, byte[]> message,
        Action<DeliveryReport<byte[]?, byte[]>>? deliveryHandler = null
    )
    {
        if (FullFor-- > 0)
            throw new ProduceException<byte[]?, byte[]>(new Error(ErrorCode.Local_QueueFull), new DeliveryResult<byte[]?, byte[]>());
        Messages.Add(new(topicPartition.Topic, topicPartition.Partition.Value, message));
        handlers.Add(deliveryHandler);
    }

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

    public void Flush(CancellationToken cancellationToken = default) => throw new NotSupportedException();

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

        /// <summary>A header's text, or null.</summary>
        public string? this[string header] =>
            Message.Headers.TryGetLastBytes(header, out var bytes) ? Encoding.UTF8.GetString(bytes) : null;
    }
}
