namespace FactoryStream.Contracts;

/// <summary>The headers of messages; all values are UTF-8 text.</summary>
public static class MessageHeaders
{
    /// <summary>W3C trace context of the first sampled request or message behind this one; absent when none is sampled.</summary>
    public const string TraceParent = "traceparent";

    /// <summary><c>single</c>: the whole value is one envelope, line breaks and all. Absent: a line each.</summary>
    public const string Framing = "framing";

    /// <summary>The value of <see cref="Framing"/>.</summary>
    public const string FramingSingle = "single";

    /// <summary>
    /// Signed, verified: the value is one envelope of a batch whose engines are of several partitions, and this the
    /// <see cref="BatchShare"/> of the message's own; it goes with <see cref="FramingSingle"/>. Absent: all readings of a batch are the
    /// partition's own.
    /// </summary>
    public const string BatchShare = "batch-share";

    /// <summary>Rejected: how many readings of the partition the line holds, when it is a batch. Absent: 1.</summary>
    public const string Readings = "readings";

    /// <summary>Verified: when the verdict was given, ISO 8601 UTC with microseconds.</summary>
    public const string VerdictTime = "verdict-time";

    /// <summary>
    /// Verified: <see cref="SourcePositions"/>. Rejected by the Verifier: <see cref="SourcePosition"/>. In the same partition of
    /// <see cref="TopicNames.Signed"/>.
    /// </summary>
    public const string Source = "source";

    /// <summary>
    /// Verified, rejected by the Verifier: the topic id of the <see cref="TopicNames.Signed"/> that <see cref="Source"/> speaks of.
    /// </summary>
    public const string SourceTopicId = "source-topic-id";

    /// <summary>Rejected: a <see cref="Verdict"/>'s name.</summary>
    public const string Reason = "reason";

    /// <summary>Rejected: what is wrong, in words for a person.</summary>
    public const string Detail = "detail";

    /// <summary>Rejected: <c>ingest</c> (refused, never had a 202) or <c>verifier</c> (rejected).</summary>
    public const string RejectedBy = "rejected-by";

    /// <summary>The value of <see cref="RejectedBy"/> for a refusal.</summary>
    public const string ByIngest = "ingest";

    /// <summary>The value of <see cref="RejectedBy"/> for a rejection.</summary>
    public const string ByVerifier = "verifier";

    /// <summary>Rejected: when, ISO 8601 UTC with microseconds.</summary>
    public const string RejectedAt = "rejected-at";

    /// <summary>Rejected: the factory, where it could be read.</summary>
    public const string FactoryId = "factory-id";

    /// <summary>
    /// Rejected by the Verifier: <c>unknown</c>, where <see cref="FactoryId"/> names a factory but the line is in no factory's ledger, in
    /// <see cref="Source"/> of the verified message as well: the factory has no key, and anybody may invent one. Absent: it is in that
    /// factory's. On the wire the header has kept its first name, <c>books</c>.
    /// </summary>
    public const string Ledger = "books";

    /// <summary>
    /// The value of <see cref="Ledger"/>, and the name under which people read the ledger of all factories without a key. No factory may be
    /// enrolled under that name.
    /// </summary>
    public const string LedgerUnknown = "unknown";
}
