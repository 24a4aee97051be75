using FactoryStream.Contracts;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// How far a partition of <c>readings.signed</c> is taken in, answered, acknowledged and committed, for as long as this replica has it:
/// only here do its offsets move. Used by the consuming thread alone.
/// </summary>
internal sealed class PartitionProgress(int partition)
{
    private readonly Queue<Answer> outstanding = [];
    private long lastOffset = -1;
    private long storedOffset = -1;

    public int Partition { get; } = partition;

    /// <summary>Given up: what is still in hand of it is dropped, for another replica answers it.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>The offset behind the last one that was answered.</summary>
    public long NextOffset { get; private set; }

    /// <summary>The offset behind the last answer of which everything is acknowledged, -1 for none.</summary>
    public long AcknowledgedOffset { get; private set; } = -1;

    /// <summary>Whether it is known what was answered before this replica had it.</summary>
    public bool IsRecalled { get; private set; }

    /// <summary>What that was, as long as it may matter; null: nothing.</summary>
    public EarlierAnswers? Earlier { get; private set; }

    /// <summary>The answer that grows while the one before is in flight.</summary>
    public PendingAnswer Pending { get; } = new();

    /// <summary>Verified messages that Kafka has not acknowledged.</summary>
    public int InFlight { get; set; }

    /// <summary>Answers of which something is not acknowledged, or that are not sent yet.</summary>
    public int Outstanding => outstanding.Count;

    /// <summary>A message was consumed.</summary>
    /// <exception cref="InvalidOperationException">It is not behind the last one: it is another topic.</exception>
    public void Take(long offset)
    {
        if (offset <= lastOffset)
            throw new InvalidOperationException(
                $"Partition {Partition} of {TopicNames.Signed} went back from offset {lastOffset} to {offset}: it is another topic. "
                    + "Starting over."
            );
        lastOffset = offset;
    }

    /// <summary>It is known what was answered before this replica had the partition.</summary>
    public void Recall(EarlierAnswers earlier)
    {
        Earlier = earlier;
        IsRecalled = true;
    }

    /// <summary>A message is about to be answered.</summary>
    /// <exception cref="InvalidOperationException">
    /// A later one is answered already: downstream an answer behind a later one counts as a redelivery and is ignored, and its readings
    /// would be lost.
    /// </exception>
    public void Answer(long offset)
    {
        if (offset < NextOffset)
            throw new InvalidOperationException($"Partition {Partition}: offset {offset} is answered after {NextOffset - 1}.");
        NextOffset = offset + 1;
        if (Earlier is not null && offset > Earlier.LastOffset)
            Earlier = null;
    }

    /// <summary>Begins the answer to the message that is being answered.</summary>
    public Answer Begin()
    {
        var answer = new Answer(this) { NextOffset = NextOffset };
        outstanding.Enqueue(answer);
        return answer;
    }

    /// <summary>The answer is to the message that is being answered as well.</summary>
    public void Extend(Answer answer) => answer.NextOffset = NextOffset;

    /// <summary>Moves <see cref="AcknowledgedOffset"/> over all that is done, in order.</summary>
    public void Advance()
    {
        while (outstanding.TryPeek(out var answer) && answer.IsDone)
        {
            AcknowledgedOffset = answer.NextOffset;
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
