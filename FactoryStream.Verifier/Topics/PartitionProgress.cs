using FactoryStream.Contracts;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// How far a partition of <c>readings.signed</c> is taken in, verified, acknowledged and committed, for as long as this replica has it:
/// its offsets change only here. Used by the consuming thread alone.
/// </summary>
internal sealed class PartitionProgress(int partition)
{
    private readonly Queue<VerdictDelivery> outstanding = [];
    private long lastOffset = -1;
    private long storedOffset = -1;

    public int Partition { get; } = partition;

    /// <summary>Given up: what is still in memory of it is dropped, for another replica verifies it.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>The offset behind the last one that has its verdicts.</summary>
    public long NextOffset { get; private set; }

    /// <summary>The offset behind the last delivery of which everything is acknowledged, -1 for none.</summary>
    public long AcknowledgedOffset { get; private set; } = -1;

    /// <summary>Whether the verdicts given before this replica had it are known.</summary>
    public bool IsRecalled { get; private set; }

    /// <summary>These verdicts, as long as they may matter; null: none.</summary>
    public EarlierVerdicts? Earlier { get; private set; }

    /// <summary>The verified message that grows while the one before is in flight.</summary>
    public PendingVerdicts Pending { get; } = new();

    /// <summary>Verified messages that Kafka has not acknowledged.</summary>
    public int InFlight { get; set; }

    /// <summary>Deliveries of which something is not acknowledged, or that are not sent yet.</summary>
    public int Outstanding => outstanding.Count;

    /// <summary>A message was consumed.</summary>
    /// <exception cref="InvalidOperationException">It is not behind the last one: it is another topic.</exception>
    public void Take(long offset)
    {
        if (offset <= lastOffset)
            throw new InvalidOperationException(
                $"Partition {Partition} of {TopicNames.Signed} went back from offset {lastOffset} to {offset}: it is another topic. "
                    + "The Verifier ends, to begin with the new one."
            );
        lastOffset = offset;
    }

    /// <summary>Takes over the verdicts given before this replica had the partition.</summary>
    public void Recall(EarlierVerdicts earlier)
    {
        Earlier = earlier;
        IsRecalled = true;
    }

    /// <summary>A message is about to get its verdicts.</summary>
    /// <exception cref="InvalidOperationException">
    /// A later one has them already: the Aggregator takes verdicts that follow later ones for a redelivery and ignores them, and the
    /// readings would be lost.
    /// </exception>
    public void GiveVerdicts(long offset)
    {
        if (offset < NextOffset)
            throw new InvalidOperationException($"Partition {Partition}: expected an offset from {NextOffset} on, found {offset}.");
        NextOffset = offset + 1;
        if (Earlier is not null && offset > Earlier.LastOffset)
            Earlier = null;
    }

    /// <summary>Begins the delivery of the verdicts on the current message.</summary>
    public VerdictDelivery BeginDelivery()
    {
        var delivery = new VerdictDelivery(this) { NextOffset = NextOffset };
        outstanding.Enqueue(delivery);
        return delivery;
    }

    /// <summary>The delivery is for the current message as well.</summary>
    public void Extend(VerdictDelivery delivery) => delivery.NextOffset = NextOffset;

    /// <summary>Moves <see cref="AcknowledgedOffset"/> over all that is done, in order.</summary>
    public void Advance()
    {
        while (outstanding.TryPeek(out var delivery) && delivery.IsDone)
        {
            AcknowledgedOffset = delivery.NextOffset;
            outstanding.Dequeue();
        }
    }

    /// <summary>What is to be committed, if it is more than the last time.</summary>
    public bool TryTakeAcknowledged(out long offset)
    {
        offset = AcknowledgedOffset;
        if (offset <= storedOffset)
            return false;
        storedOffset = offset;
        return true;
    }

    public void Close() => IsClosed = true;
}
