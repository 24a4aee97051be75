namespace FactoryStream.Verifier.Topics;

/// <summary>One verified message on its way to Kafka, together with the rejected lines of its source messages.</summary>
internal sealed class VerdictDelivery(PartitionProgress partition)
{
    private int unacknowledged;
    private bool isSent;

    public PartitionProgress Partition { get; } = partition;

    /// <summary>The offset behind its last source message; <see cref="PartitionProgress"/> alone sets it.</summary>
    public long NextOffset { get; set; }

    /// <summary>Sent, and all its messages, verified and rejected, are acknowledged.</summary>
    public bool IsDone => isSent && unacknowledged == 0;

    /// <summary>A message of it goes to Kafka.</summary>
    public void Produced(bool isVerified)
    {
        unacknowledged++;
        if (isVerified)
            Partition.InFlight++;
    }

    /// <summary>Kafka has a message of it.</summary>
    public void Acknowledged(bool isVerified)
    {
        unacknowledged--;
        if (isVerified)
            Partition.InFlight--;
        Partition.Advance();
    }

    /// <summary>Its verified message is on its way, so that nothing is added any more.</summary>
    public void Sent() => isSent = true;
}
