using System.Diagnostics.CodeAnalysis;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Backpressure;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Topics;

/// <summary>Appends accepted lines to <c>readings.signed</c>, each to its engine's partition.</summary>
internal sealed class SignedTopicWriter(
    IProducer<byte[]?, byte[]> producer,
    Backlog backlog,
    IOptions<IngestOptions> options,
    TimeProvider time,
    IngestMetrics metrics,
    IngestLog log
) : IAppendedTopic
{
    private PartitionWriter[]? partitions;

    /// <summary>The partitions; null until Kafka has told how many there are.</summary>
    public PartitionWriter[]? Partitions => Volatile.Read(ref partitions);

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
                    .Select(partition => new PartitionWriter(partition, producer, backlog, options.Value, time, metrics, log)),
            ]
        );
        log.Opened(TopicNames.Signed, partitionCount);
    }

    public (long Bytes, long Readings) Observe(int partition, long stored, long end) => Partitions![partition].Observe(stored, end);
}
