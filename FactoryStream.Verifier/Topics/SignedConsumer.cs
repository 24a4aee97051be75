using Confluent.Kafka;
using FactoryStream.Contracts;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// The consumer of <c>readings.signed</c>: takes messages in, and hands on what is to be committed. Used by the consuming thread alone.
/// </summary>
internal sealed class SignedConsumer(
    IConsumer<byte[]?, ReadOnlyMemory<byte>> consumer,
    PartitionAssignment assignment,
    TimeProvider time,
    VerifierMetrics metrics,
    VerifierLog log
)
{
    private static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(500),
        LagInterval = TimeSpan.FromSeconds(1);

    private long lastLag;

    public void Join() => consumer.Subscribe(TopicNames.Signed);

    /// <summary>Gives the partitions up in good order (<see cref="PartitionAssignment.Revoke"/>) and leaves the group at once.</summary>
    public void Leave() => consumer.Close();

    /// <summary>The next message and its partition; false when none came in time.</summary>
    public bool TryTake(
        TimeSpan timeout,
        CancellationToken stopping,
        out PartitionProgress partition,
        out ConsumeResult<byte[]?, ReadOnlyMemory<byte>> result
    )
    {
        while (Consume(timeout, stopping) is { } consumed)
        {
            timeout = TimeSpan.Zero;
            if (assignment.Find(consumed.Partition.Value) is not { } progress)
                continue;
            progress.Take(consumed.Offset.Value);
            (partition, result) = (progress, consumed);
            return true;
        }
        (partition, result) = (null!, null!);
        return false;
    }

    /// <summary>Stops fetching; to be repeated, for a rebalance may bring new partitions, which are not paused.</summary>
    public void Pause() => consumer.Pause(consumer.Assignment);

    public void Resume() => consumer.Resume(consumer.Assignment);

    /// <summary>Hands acknowledged offsets to librdkafka, which commits them in the background.</summary>
    public void StoreOffsets()
    {
        foreach (var partition in assignment.Owned)
        {
            if (partition.TryTakeAcknowledged(out var offset))
                consumer.StoreOffset(new TopicPartitionOffset(TopicNames.Signed, partition.Partition, offset));
        }
    }

    /// <summary>Measures every second how much has no verdict yet.</summary>
    public void ReportLag()
    {
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(lastLag, now) < LagInterval)
            return;
        lastLag = now;
        var lag = 0L;
        foreach (var partition in assignment.Owned)
        {
            // As the broker last reported it to librdkafka; no call is made.
            var high = consumer.GetWatermarkOffsets(new TopicPartition(TopicNames.Signed, partition.Partition)).High.Value;
            if (partition.AcknowledgedOffset >= 0)
                lag += Math.Max(0, high - partition.AcknowledgedOffset);
        }
        metrics.Lag(lag);
    }

    private ConsumeResult<byte[]?, ReadOnlyMemory<byte>>? Consume(TimeSpan timeout, CancellationToken stopping)
    {
        try
        {
            return consumer.Consume(timeout);
        }
        catch (ConsumeException exception) when (!exception.Error.IsFatal)
        {
            // The topic is not there yet, or a broker is away: librdkafka goes on trying, so do we.
            log.KafkaTrouble(exception.Error.Reason);
            stopping.WaitHandle.WaitOne(PauseAfterError);
            return null;
        }
    }
}
