using System.Globalization;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Backpressure;

namespace FactoryStream.Ingest.Topics;

/// <summary>
/// Appends refused lines to <c>readings.rejected</c>, where they are kept: a message each, the bytes as they came. Bounded as accepted
/// lines are.
/// </summary>
internal sealed class RejectedTopicWriter(
    IProducer<byte[]?, byte[]> producer,
    Backlog backlog,
    TimeProvider time,
    IngestMetrics metrics,
    IngestLog log
) : IAppendedTopic
{
    private static readonly byte[] ByIngest = Encoding.UTF8.GetBytes(MessageHeaders.ByIngest);
    private static readonly byte[][] Reasons = [.. Enum.GetValues<Verdict>().Select(verdict => Encoding.UTF8.GetBytes(verdict.ToName()))];

    private readonly Lock gate = new();
    private Partition[] partitions = [];
    private int next;

    /// <summary>As many as <c>readings.signed</c> has.</summary>
    public void Open(int partitionCount) => partitions = [.. Enumerable.Range(0, partitionCount).Select(number => new Partition(number))];

    /// <summary>Appends a refused line, or says why it must wait.</summary>
    /// <param name="line">As it came.</param>
    /// <param name="reason">Why it is refused.</param>
    /// <param name="detail">That in words.</param>
    /// <param name="factoryId">Whose it is; empty when that could not be read.</param>
    /// <param name="delivery">The request that brought it.</param>
    public Admission TryAppend(ReadOnlyMemory<byte> line, Verdict reason, string detail, string factoryId, Delivery delivery)
    {
        Partition partition;
        var size = line.Length;
        // A line that names nobody is of no factory that has a key.
        var isUnknown = backlog.IsUnknown(factoryId);
        lock (gate)
        {
            // It has no source position, so any partition will do.
            next = (next + 1) % partitions.Length;
            partition = partitions[next];
            var admission = backlog.Check(
                size,
                partition.PendingBytes + partition.Appended.Bytes,
                isUnknown,
                partition.PendingUnknownBytes + partition.AppendedUnknown.Bytes
            );
            if (admission != Admission.Admitted)
                return admission;
            partition.PendingBytes += size;
            if (isUnknown)
                partition.PendingUnknownBytes += size;
        }
        delivery.Expect();
        backlog.Add(size, 1);
        if (isUnknown)
            backlog.AddUnknown(size, 1);
        var message = new Message<byte[]?, byte[]>
        {
            Value = line.ToArray(),
            Headers =
            [
                new Header(MessageHeaders.Reason, Reasons[(int)reason]),
                new Header(MessageHeaders.Detail, Encoding.UTF8.GetBytes(detail)),
                new Header(MessageHeaders.RejectedBy, ByIngest),
                new Header(
                    MessageHeaders.RejectedAt,
                    Encoding.UTF8.GetBytes(time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture))
                ),
            ],
        };
        if (factoryId.Length > 0)
            message.Headers.Add(MessageHeaders.FactoryId, Encoding.UTF8.GetBytes(factoryId));
        try
        {
            producer.Produce(
                partition.TopicPartition,
                message,
                report => OnDelivered(partition, size, isUnknown, delivery, reason, report.Error, report.Offset.Value)
            );
        }
        catch (ProduceException<byte[]?, byte[]> exception)
        {
            OnDelivered(partition, size, isUnknown, delivery, reason, exception.Error, -1);
        }
        return Admission.Admitted;
    }

    /// <summary>What others append here is not estimated: it is bounded by what they append to <c>readings.signed</c>.</summary>
    public (long Bytes, long Readings) Observe(int partition, long stored, long end)
    {
        lock (gate)
        {
            var (bytes, count) = partitions[partition].Appended.Forget(stored);
            backlog.Remove(bytes, count);
            ForgetUnknown(partitions[partition], stored);
        }
        return default;
    }

    private void ForgetUnknown(Partition partition, long below)
    {
        var (bytes, count) = partition.AppendedUnknown.Forget(below);
        backlog.AddUnknown(-bytes, -count);
    }

    private void OnDelivered(Partition partition, int size, bool isUnknown, Delivery delivery, Verdict reason, Error error, long offset)
    {
        var isSafe = !error.IsError;
        lock (gate)
        {
            partition.PendingBytes -= size;
            if (isUnknown)
                partition.PendingUnknownBytes -= size;
            if (isSafe)
            {
                var (bytes, count) = partition.Appended.Add(offset, size, 1);
                if (count > 0)
                {
                    backlog.Remove(bytes, count);
                    ForgetUnknown(partition, long.MaxValue);
                }
                if (isUnknown)
                    partition.AppendedUnknown.Add(offset, size, 1);
            }
            else if (isUnknown)
            {
                backlog.AddUnknown(-size, -1);
            }
        }
        backlog.Complete(size, 1, isSafe, error.Code is ErrorCode.Local_MsgTimedOut or ErrorCode.Local_Transport);
        if (isSafe)
            metrics.Refused(reason);
        else
            log.NotAcknowledged(1, error.Reason);
        delivery.CompleteRefusal(isSafe);
    }

    private sealed class Partition(int number)
    {
        public TopicPartition TopicPartition { get; } = new(TopicNames.Rejected, number);

        public AppendedMessages Appended { get; } = new();

        /// <summary>What of these names no factory with a key.</summary>
        public AppendedMessages AppendedUnknown { get; } = new();

        public long PendingUnknownBytes { get; set; }

        public long PendingBytes { get; set; }
    }
}
