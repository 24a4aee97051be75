using Confluent.Kafka;
using FactoryStream.Contracts;
using Microsoft.Extensions.Options;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// The partitions that this replica has, and how they come and go. All but the health figure is used by the consuming thread alone.
/// </summary>
internal sealed class PartitionAssignment(
    VerdictWriter writer,
    Deliveries deliveries,
    SourceTopic topic,
    IOptions<VerifierOptions> options,
    TimeProvider time,
    VerifierLog log
)
{
    private readonly VerifierOptions options = options.Value;
    private readonly Dictionary<int, PartitionProgress> owned = [];
    private volatile bool hasJoined;

    /// <summary>Whether the consumer group has given this replica its share, be it none.</summary>
    public bool HasJoined => hasJoined;

    public IReadOnlyCollection<PartitionProgress> Owned => owned.Values;

    public PartitionProgress? Find(int partition) => owned.GetValueOrDefault(partition);

    /// <summary>Begins with partitions that the group has assigned.</summary>
    public void Assign(IReadOnlyCollection<TopicPartition> assigned)
    {
        foreach (var partition in assigned)
            owned[partition.Partition.Value] = new PartitionProgress(partition.Partition.Value);
        if (assigned.Count > 0)
        {
            topic.RequireIdentification();
            log.Assigned(Join(assigned.Select(partition => partition.Partition.Value)));
        }
        hasJoined = true;
    }

    /// <summary>
    /// Gives partitions up in good order: all verdicts are sent and acknowledged, and committed through <paramref name="consumer"/>.
    /// </summary>
    public void Revoke(IConsumer<byte[]?, ReadOnlyMemory<byte>> consumer, IReadOnlyCollection<TopicPartitionOffset> revoked)
    {
        var leaving = Close(revoked);
        if (leaving.Count == 0)
            return;
        log.Revoked(Join(leaving.Select(partition => partition.Partition)));
        foreach (var partition in leaving)
            writer.Send(partition);
        var began = time.GetTimestamp();
        while (leaving.Exists(partition => partition.Outstanding > 0) && time.GetElapsedTime(began) < options.DrainTimeout)
        {
            deliveries.WaitForAcknowledgement(TimeSpan.FromMilliseconds(10));
            deliveries.Drain();
        }
        foreach (var partition in leaving.Where(partition => partition.Outstanding > 0))
            log.NotDrained(partition.Partition, partition.Outstanding, options.DrainTimeout);
        var offsets = leaving
            .Where(partition => partition.AcknowledgedOffset >= 0)
            .Select(partition => new TopicPartitionOffset(TopicNames.Signed, partition.Partition, partition.AcknowledgedOffset))
            .ToList();
        if (offsets.Count == 0)
            return;
        try
        {
            consumer.Commit(offsets);
        }
        catch (KafkaException exception)
        {
            // The group has given the partitions to another member already.
            log.NotCommitted(exception.Error.Reason);
        }
    }

    /// <summary>Partitions that another replica has already: nothing can be committed for them any more.</summary>
    public void Lose(IReadOnlyCollection<TopicPartitionOffset> lost)
    {
        var gone = Close(lost);
        if (gone.Count > 0)
            log.Lost(Join(gone.Select(partition => partition.Partition)));
    }

    private List<PartitionProgress> Close(IEnumerable<TopicPartitionOffset> closing)
    {
        var closed = new List<PartitionProgress>();
        foreach (var partition in closing)
        {
            if (owned.Remove(partition.Partition.Value, out var progress))
            {
                progress.Close();
                closed.Add(progress);
            }
        }
        return closed;
    }

    private static string Join(IEnumerable<int> numbers) => string.Join(", ", numbers.Order());
}
