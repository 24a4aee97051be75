namespace FactoryStream.Ingest.Backpressure;

/// <summary>Whether a line may be appended, and why it must wait.</summary>
internal enum Admission : byte
{
    /// <summary>It may.</summary>
    Admitted = 0,

    /// <summary>Too much is accepted and not stored: the pipeline is slow.</summary>
    BacklogFull = 1,

    /// <summary>Too much waits for Kafka's acknowledgement.</summary>
    KafkaSlow = 2,

    /// <summary>The partition holds so much that nobody has stored that Kafka would soon throw the oldest of it away.</summary>
    RetentionNear = 3,

    /// <summary>The topics have another number of partitions than engines are spread over.</summary>
    PartitionsChanged = 4,

    /// <summary>Factories without a key have their whole share of the backlog: there is no waiting for that.</summary>
    UnknownShareFull = 5,
}
