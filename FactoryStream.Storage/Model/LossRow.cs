namespace FactoryStream.Storage;

/// <summary>Messages of a partition that Kafka's retention took before they were taken in. Whose they were nobody knows.</summary>
public sealed class LossRow
{
    /// <summary>The topic in Kafka that lost them.</summary>
    public required string Topic { get; set; }

    /// <summary>The Kafka partition's number, from 0.</summary>
    public int Partition { get; set; }

    /// <summary>How many messages were lost since the installation or the last purge.</summary>
    public long Messages { get; set; }

    /// <summary>How many of them somebody has taken note of: only more than these are an alarm.</summary>
    public long Acknowledged { get; set; }
}
