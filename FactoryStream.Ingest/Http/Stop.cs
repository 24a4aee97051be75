namespace FactoryStream.Ingest.Http;

/// <summary>Why the rest of a body was not taken.</summary>
internal enum Stop : byte
{
    /// <summary>All of it was taken.</summary>
    None = 0,

    /// <summary>The backlog stayed full.</summary>
    BacklogFull,

    /// <summary>Kafka stayed away, or slow.</summary>
    KafkaSlow,

    /// <summary>A partition stayed near what Kafka keeps of it.</summary>
    RetentionNear,

    /// <summary>The topics have another number of partitions than engines are spread over.</summary>
    PartitionsChanged,

    /// <summary>The line's factory has no key, and such factories have all of the backlog that they may have.</summary>
    UnknownShareFull,

    /// <summary>More lines than a request may have.</summary>
    TooManyLines,

    /// <summary>More refused lines than a request may have.</summary>
    TooManyRefused,

    /// <summary>More bytes than a request may have.</summary>
    BodyTooLarge,

    /// <summary>One envelope that is longer than a line may be.</summary>
    EnvelopeTooLarge,

    /// <summary>Nothing came for too long.</summary>
    Idle,

    /// <summary>Ingest was asked to stop.</summary>
    Ending,

    /// <summary>The body ended in the middle, or is not what its Content-Encoding says.</summary>
    CutOff,
}
