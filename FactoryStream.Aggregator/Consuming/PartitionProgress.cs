using Confluent.Kafka;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Consuming;

/// <summary>How far a partition that this process owns has been decoded; the checkpoint in the database follows with each commit.</summary>
internal sealed class PartitionProgress(CheckpointRow checkpoint)
{
    public TopicPartition TopicPartition { get; } = new(checkpoint.Topic, checkpoint.Partition);

    public long Epoch { get; } = checkpoint.Epoch;

    public long NextOffset { get; set; } = checkpoint.NextOffset;

    public string SourceTopicId { get; set; } = checkpoint.SourceTopicId;

    public long SourceOffset { get; set; } = checkpoint.SourceOffset;

    public int SourceLine { get; set; } = checkpoint.SourceLine;

    /// <summary>The id of the topic that the checkpoint is of.</summary>
    public string TopicId { get; } = checkpoint.TopicId;

    /// <summary>
    /// Messages are lost and no source position has been seen since: how many source messages they were for is not known.
    /// </summary>
    public bool IsBehindGap { get; set; }

    /// <summary>Whether the last poll reached the log's end.</summary>
    public bool AtEnd { get; set; }

    /// <summary>
    /// Up to which moment of the wall clock, in ticks, all that the log held has been taken in; 0: not known. A partition that is never
    /// quite at its end, for something always comes, has nevertheless taken in all that was there a moment ago.
    /// </summary>
    public long CaughtUpUntil { get; private set; }

    private (long Offset, long At) mark = (-1, 0);

    /// <summary>Compares the log's end with what has been taken in, and raises <see cref="CaughtUpUntil"/>.</summary>
    /// <param name="end">The log's end, or less than 0 where it is not known yet.</param>
    /// <param name="now">The moment, in ticks.</param>
    public void ObserveEnd(long end, long now)
    {
        if (AtEnd || (end >= 0 && NextOffset >= end))
        {
            CaughtUpUntil = now;
            mark = (-1, 0);
            return;
        }
        if (mark.Offset >= 0 && NextOffset >= mark.Offset)
        {
            CaughtUpUntil = mark.At;
            mark = (-1, 0);
        }
        if (mark.Offset < 0)
            mark = (end, now);
    }

    /// <summary>How many messages of the log are not taken in yet.</summary>
    public long Behind(long end) => Math.Max(0, end - NextOffset);

    /// <summary>Where the pending commit began.</summary>
    public long CommitOffset { get; set; } = checkpoint.NextOffset;

    /// <summary>The step from the pending commit's begin to here, and begins the next.</summary>
    public CheckpointStep TakeStep()
    {
        var step = new CheckpointStep(
            TopicPartition.Topic,
            TopicPartition.Partition,
            Epoch,
            CommitOffset,
            NextOffset,
            SourceTopicId,
            SourceOffset,
            SourceLine
        );
        CommitOffset = NextOffset;
        return step;
    }
}
