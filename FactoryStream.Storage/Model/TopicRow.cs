namespace FactoryStream.Storage;

/// <summary>
/// Over how many Kafka partitions of a topic engines are spread. Kafka may have more by now; they count only when they are recorded.
/// </summary>
public sealed class TopicRow
{
    /// <summary>The name in Kafka, e.g. <c>readings.signed</c>.</summary>
    public required string Topic { get; set; }

    /// <summary>The topic's id: a topic made anew has another, and its number is recorded anew.</summary>
    public required string TopicId { get; set; }

    /// <summary>The recorded number of Kafka partitions, at least 1.</summary>
    public int Partitions { get; set; }
}
