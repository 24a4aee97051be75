using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using FactoryStream.Contracts;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Messages;

/// <summary>The end of <c>readings.signed</c>, where accepted lines are appended.</summary>
internal sealed class SignedLog(
    IProducer<byte[]?, byte[]> producer,
    Backlog backlog,
    IOptions<IngestOptions> options,
    TimeProvider time,
    IngestMetrics metrics,
    IngestLog log
)
{
    private PartitionLog[]? partitions;

    /// <summary>The partitions; null until Kafka has told how many there are.</summary>
    public PartitionLog[]? Partitions => Volatile.Read(ref partitions);

    /// <summary>The topic exists and Kafka has said so.</summary>
    [MemberNotNullWhen(true, nameof(Partitions))]
    public bool IsOpen => Partitions is not null;

    /// <summary>
    /// The number of partitions is known; it stays for this process's life, for an engine must not change its partition under way.
    /// </summary>
    public void Open(int partitionCount)
    {
        Volatile.Write(
            ref partitions,
            [
                .. Enumerable
                    .Range(0, partitionCount)
                    .Select(partition => new PartitionLog(partition, producer, backlog, options.Value, time, metrics, log)),
            ]
        );
        log.Opened(Topics.Signed, partitionCount);
    }
}
