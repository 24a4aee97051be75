using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// Messages on their way to Kafka. All but the health figures is used by the consuming thread alone; Kafka's own threads only leave
/// acknowledgements here.
/// </summary>
internal sealed class Deliveries(IProducer<byte[]?, byte[]> producer, TimeProvider time, VerifierMetrics metrics) : IDisposable
{
    // What a message costs besides its value, about: headers and librdkafka's own record.
    private const int MessageOverheadBytes = 512;

    private readonly ConcurrentQueue<Acknowledgement> acknowledgements = new();
    private readonly AutoResetEvent acknowledged = new(false);
    private long inFlightBytes;
    private long lastProgress;

    /// <summary>Ends a wait for a place in the producer's queue.</summary>
    public CancellationToken Stopping { get; set; }

    public long InFlightBytes => Interlocked.Read(ref inFlightBytes);

    /// <summary>How long Kafka has acknowledged nothing though there was something to acknowledge; zero when all is well.</summary>
    public TimeSpan StalledFor => InFlightBytes == 0 ? TimeSpan.Zero : time.GetElapsedTime(Interlocked.Read(ref lastProgress));

    /// <summary>Sends a message with verdicts.</summary>
    /// <param name="topic">Where to; the partition is the delivery's.</param>
    /// <param name="delivery">What it is part of.</param>
    /// <param name="message">The message, with all headers.</param>
    /// <param name="isVerified">It is the delivery's verified message.</param>
    /// <param name="span">Stopped when it is acknowledged.</param>
    public void Produce(string topic, VerdictDelivery delivery, Message<byte[]?, byte[]> message, bool isVerified, Activity? span)
    {
        var bytes = message.Value.Length + MessageOverheadBytes;
        if (Interlocked.Add(ref inFlightBytes, bytes) == bytes)
            Interlocked.Exchange(ref lastProgress, time.GetTimestamp());
        delivery.Produced(isVerified);
        while (true)
        {
            try
            {
                producer.Produce(
                    new TopicPartition(topic, delivery.Partition.Partition),
                    message,
                    report =>
                    {
                        if (report.Error.IsError)
                            span?.SetStatus(ActivityStatusCode.Error, report.Error.Reason);
                        span?.Stop();
                        acknowledgements.Enqueue(new(delivery, isVerified, bytes, report.Error));
                        acknowledged.Set();
                    }
                );
                return;
            }
            catch (ProduceException<byte[]?, byte[]> exception) when (exception.Error.Code == ErrorCode.Local_QueueFull)
            {
                Stopping.ThrowIfCancellationRequested();
                acknowledged.WaitOne(TimeSpan.FromMilliseconds(10));
            }
        }
    }

    /// <summary>Takes in what Kafka acknowledged.</summary>
    /// <exception cref="KafkaException">Kafka refused a message for good: going on would lose a reading.</exception>
    public void Drain()
    {
        while (acknowledgements.TryDequeue(out var acknowledgement))
        {
            if (acknowledgement.Error.IsError)
                throw new KafkaException(acknowledgement.Error);
            acknowledgement.Delivery.Acknowledged(acknowledgement.IsVerified);
            Interlocked.Add(ref inFlightBytes, -acknowledgement.Bytes);
            Interlocked.Exchange(ref lastProgress, time.GetTimestamp());
        }
        metrics.InFlight(InFlightBytes);
    }

    public void WaitForAcknowledgement(TimeSpan timeout) => acknowledged.WaitOne(timeout);

    public void Dispose() => acknowledged.Dispose();

    private readonly record struct Acknowledgement(VerdictDelivery Delivery, bool IsVerified, int Bytes, Error Error);
}
