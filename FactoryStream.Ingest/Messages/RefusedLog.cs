using System.Globalization;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Readings;

namespace FactoryStream.Ingest.Messages;

/// <summary>
/// The end of <c>readings.rejected</c>, where refused lines are kept: a message each, the bytes as they came. Bounded as accepted lines
/// are.
/// </summary>
internal sealed class RefusedLog(
    IProducer<byte[]?, byte[]> producer,
    Backlog backlog,
    TimeProvider time,
    IngestMetrics metrics,
    IngestLog log
)
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
    /// <param name="receipt">The request that brought it.</param>
    public Room TryAppend(in Line line, Verdict reason, string detail, string factoryId, Receipt receipt)
    {
        Partition partition;
        var size = line.Bytes.Length;
        // A line that names nobody is of no factory that has a key.
        var isUnknown = backlog.IsUnknown(factoryId);
        lock (gate)
        {
            // It has no source position, so any partition will do.
            next = (next + 1) % partitions.Length;
            partition = partitions[next];
            var room = backlog.Check(
                size,
                partition.PendingBytes + partition.Appended.Bytes,
                isUnknown,
                partition.PendingUnknownBytes + partition.AppendedUnknown.Bytes
            );
            if (room != Room.Yes)
                return room;
            partition.PendingBytes += size;
            if (isUnknown)
                partition.PendingUnknownBytes += size;
        }
        receipt.Expect();
        backlog.Add(size, 1);
        if (isUnknown)
            backlog.AddUnknown(size, 1);
        var message = new Message<byte[]?, byte[]>
        {
            Value = line.Bytes.ToArray(),
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
                report => OnDelivered(partition, size, isUnknown, receipt, reason, report.Error, report.Offset.Value)
            );
        }
        catch (ProduceException<byte[]?, byte[]> exception)
        {
            OnDelivered(partition, size, isUnknown, receipt, reason, exception.Error, -1);
        }
        return Room.Yes;
    }

    /// <summary>The Aggregator has stored a partition's messages below an offset.</summary>
    public void Observe(int partition, long stored)
    {
        lock (gate)
        {
            var (bytes, count) = partitions[partition].Appended.Forget(stored);
            backlog.Remove(bytes, count);
            ForgetUnknown(partitions[partition], stored);
        }
    }

    private void ForgetUnknown(Partition partition, long below)
    {
        var (bytes, count) = partition.AppendedUnknown.Forget(below);
        backlog.AddUnknown(-bytes, -count);
    }

    private void OnDelivered(Partition partition, int size, bool isUnknown, Receipt receipt, Verdict reason, Error error, long offset)
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
        backlog.Settle(size, 1, isSafe, error.Code is ErrorCode.Local_MsgTimedOut or ErrorCode.Local_Transport);
        if (isSafe)
            metrics.Refused(reason);
        else
            log.NotAcknowledged(1, error.Reason);
        receipt.SettleRefusal(isSafe);
    }

    private sealed class Partition(int number)
    {
        public TopicPartition TopicPartition { get; } = new(Topics.Rejected, number);

        public AppendedMessages Appended { get; } = new();

        /// <summary>What of these names no factory with a key.</summary>
        public AppendedMessages AppendedUnknown { get; } = new();

        public long PendingUnknownBytes { get; set; }

        public long PendingBytes { get; set; }
    }
}
