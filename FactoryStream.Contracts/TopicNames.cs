namespace FactoryStream.Contracts;

/// <summary>
/// The three Kafka topics. All have the same number of partitions, and a reading keeps its partition from one to the next.
/// </summary>
public static class TopicNames
{
    /// <summary>What Ingest accepted: envelopes as they came, one or more a message, a line each.</summary>
    public const string Signed = "readings.signed";

    /// <summary>
    /// What the Verifier accepted: envelopes with <c>key_id</c>, a line each; a message for every message of <see cref="Signed"/>.
    /// </summary>
    public const string Verified = "readings.verified";

    /// <summary>What Ingest refused or the Verifier rejected: a message each, the raw bytes as they came.</summary>
    public const string Rejected = "readings.rejected";

    /// <summary>The Verifier's consumer group on <see cref="Signed"/>.</summary>
    public const string VerifierGroup = "factorystream-verifier";

    /// <summary>The Aggregator's consumer group on <see cref="Verified"/> and <see cref="Rejected"/>.</summary>
    public const string AggregatorGroup = "factorystream-aggregator";

    /// <summary>The three topics, in the order in which a reading passes them.</summary>
    public static IReadOnlyList<string> All { get; } = [Signed, Verified, Rejected];
}
