using Confluent.Kafka;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator;

/// <summary>How far a partition that this process owns has been decoded; the checkpoint in the database follows with each commit.</summary>
internal sealed class PartitionProgress(CheckpointRow checkpoint)
{
    public TopicPartition TopicPartition { get; } = new(checkpoint.Topic, checkpoint.Partition);

    public long Epoch { get; } = checkpoint.Epoch;

    public long NextOffset { get; set; } = checkpoint.NextOffset;

    public string SourceTopicId { get; set; } = checkpoint.SourceTopicId;

    public long SourceOffset { get; set; } = checkpoint.SourceOffset;

    public int SourceLine { get; set; } = checkpoint.SourceLine;

    /// <summary>At the log's end: only then is an engine without readings a silent one.</summary>
    public bool CaughtUp { get; set; }

    /// <summary>Where the batch being decoded began.</summary>
    public long BatchOffset { get; set; } = checkpoint.NextOffset;

    /// <summary>The step from the batch's begin to here, and begins the next.</summary>
    public CheckpointStep TakeStep()
    {
        var step = new CheckpointStep(TopicPartition.Topic, TopicPartition.Partition, Epoch, BatchOffset, NextOffset, SourceTopicId, SourceOffset, SourceLine);
        BatchOffset = NextOffset;
        return step;
    }
}
