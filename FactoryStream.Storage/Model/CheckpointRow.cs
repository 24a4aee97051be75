namespace FactoryStream.Storage;

/// <summary>How far a Kafka partition has been taken in, by whom, and under which topic id.</summary>
public sealed class CheckpointRow
{
    /// <summary><c>readings.verified</c> or <c>readings.rejected</c>.</summary>
    public required string Topic { get; set; }

    /// <summary>The Kafka partition's number, from 0.</summary>
    public int Partition { get; set; }

    /// <summary>Goes up with every owner; a transaction of an older one changes nothing.</summary>
    public long Epoch { get; set; }

    /// <summary>The topic's id, as Kafka writes it; another one means another log, which begins at 0.</summary>
    public required string TopicId { get; set; }

    /// <summary>The offset of the first message that is not taken in yet.</summary>
    public long NextOffset { get; set; }

    /// <summary>The topic id of the <c>readings.signed</c> that the source position is of.</summary>
    public required string SourceTopicId { get; set; }

    /// <summary>The last line of <c>readings.signed</c> that was taken in; -1: none.</summary>
    public long SourceOffset { get; set; }

    /// <summary>The line in the message at <see cref="SourceOffset"/>, from 0.</summary>
    public int SourceLine { get; set; }
}
