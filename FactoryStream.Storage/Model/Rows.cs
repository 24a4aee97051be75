namespace FactoryStream.Storage;

/// <summary>An enrolled RSA public key of one factory. The private key never was here.</summary>
public sealed class SigningKeyRow
{
    /// <summary>The small number that readings refer to.</summary>
    public int KeyNo { get; set; }

    /// <summary>Derived from factory and key, so that enrolling twice gives the same.</summary>
    public required string KeyId { get; set; }

    public required string FactoryId { get; set; }

    /// <summary><c>RSASSA-PSS-SHA256</c>.</summary>
    public required string Algorithm { get; set; }

    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    public required byte[] PublicKey { get; set; }

    /// <summary>Readings measured earlier are not this key's; null: no bound.</summary>
    public DateTime? NotBefore { get; set; }

    /// <summary>Readings measured at or after this are not this key's; null: no bound.</summary>
    public DateTime? NotAfter { get; set; }

    public DateTime EnrolledAt { get; set; }

    /// <summary>What was measured at or after this moment is rejected; what was measured before stays valid. Null: not revoked.</summary>
    public DateTime? RevokedAt { get; set; }
}

/// <summary>The small integer of a factory's engine, and how far its windows are closed.</summary>
public sealed class EngineRow
{
    public int EngineNo { get; set; }

    public required string FactoryId { get; set; }

    public required string EngineId { get; set; }

    /// <summary>Windows that end at or before this are closed; null: none is yet.</summary>
    public DateTime? ClosedUntil { get; set; }
}

/// <summary>A name of a metric that an engine's stored readings have brought: what the bound of names an engine is counted by.</summary>
public sealed class EngineMetricRow
{
    public int EngineNo { get; set; }

    public required string Metric { get; set; }
}

/// <summary>
/// One stored reading with its evidence: a signature of its own, or the batch that was signed. Identity: engine, time and SHA-256 of its
/// bytes.
/// </summary>
public sealed class ReadingRow
{
    public int EngineNo { get; set; }

    public DateTime MeasuredAt { get; set; }

    /// <summary>32 bytes.</summary>
    public required byte[] DataSha256 { get; set; }

    /// <summary>The exact bytes that were signed, by themselves or within a batch.</summary>
    public required string Data { get; set; }

    /// <summary>Over <see cref="Data"/>; null: it was signed with others, as <see cref="BatchSha256"/> says.</summary>
    public byte[]? Signature { get; set; }

    public int KeyNo { get; set; }

    public DateTime VerdictAt { get; set; }

    /// <summary>The <see cref="BatchRow"/> whose bytes hold <see cref="Data"/>; null: it has a signature of its own.</summary>
    public byte[]? BatchSha256 { get; set; }
}

/// <summary>A batch as it was signed: the evidence of its readings, stored once.</summary>
public sealed class BatchRow
{
    /// <summary>Of <see cref="Data"/>; 32 bytes.</summary>
    public required byte[] Sha256 { get; set; }

    /// <summary>Its newest reading's time.</summary>
    public DateTime MeasuredUntil { get; set; }

    public int KeyNo { get; set; }

    public DateTime VerdictAt { get; set; }

    /// <summary>The exact bytes that were signed, from <c>[</c> to <c>]</c>.</summary>
    public required byte[] Data { get; set; }

    public required byte[] Signature { get; set; }
}

/// <summary>One engine's one metric in one closed window.</summary>
public sealed class WindowRow
{
    public int EngineNo { get; set; }

    /// <summary>Inclusive.</summary>
    public DateTime WindowStart { get; set; }

    /// <summary>Exclusive.</summary>
    public DateTime WindowEnd { get; set; }

    public required string Metric { get; set; }

    public long Count { get; set; }

    public double Sum { get; set; }

    public double Min { get; set; }

    public double Max { get; set; }

    /// <summary>
    /// Sum of (value - mean)^2; merges by Chan's formula. The population's standard deviation is the root of this by <see cref="Count"/>.
    /// </summary>
    public double SquaredDeviation { get; set; }

    /// <summary>How often late readings corrected the closed window.</summary>
    public int Revision { get; set; }

    public bool Closed { get; set; }

    /// <summary>When this row was last written.</summary>
    public DateTime UpdatedAt { get; set; }
}

/// <summary>A line that was refused by Ingest or rejected by the Verifier, as it came.</summary>
public sealed class RejectionRow
{
    public long RejectionNo { get; set; }

    public DateTime RejectedAt { get; set; }

    /// <summary>Null where it could not be read.</summary>
    public string? FactoryId { get; set; }

    /// <summary>A verdict's name.</summary>
    public required string Reason { get; set; }

    /// <summary>True: refused by Ingest, never had a 202. False: accepted by Ingest, rejected by the Verifier.</summary>
    public bool Refused { get; set; }

    public string? Detail { get; set; }

    /// <summary>The raw bytes; of a line that was too large its beginning.</summary>
    public required byte[] Line { get; set; }

    public int? SourcePartition { get; set; }

    public long? SourceOffset { get; set; }

    public int? SourceLine { get; set; }

    /// <summary>
    /// How many readings the line was in the books: more than one of a rejected batch, as many as its partition had of it.
    /// </summary>
    public int Readings { get; set; }

    /// <summary>The factory had no key, so the line stands on nobody's books, whatever <see cref="FactoryId"/> it named.</summary>
    public bool UnknownFactory { get; set; }
}

/// <summary>How far a partition has been taken in, by whom, and of which incarnation of its topic.</summary>
public sealed class CheckpointRow
{
    public required string Topic { get; set; }

    public int Partition { get; set; }

    /// <summary>Goes up with every owner; a transaction of an older one changes nothing.</summary>
    public long Epoch { get; set; }

    /// <summary>The topic's id; another one means another log, which begins at 0.</summary>
    public required string TopicId { get; set; }

    public long NextOffset { get; set; }

    /// <summary>The incarnation of <c>readings.signed</c> that the source position is of.</summary>
    public required string SourceTopicId { get; set; }

    /// <summary>The last line of <c>readings.signed</c> that was taken in; -1: none.</summary>
    public long SourceOffset { get; set; }

    public int SourceLine { get; set; }
}

/// <summary>The books of a factory in one partition (so that partitions never wait for each other's row).</summary>
public sealed class LedgerRow
{
    public int Partition { get; set; }

    /// <summary>"", nobody's, where it could not be read or no such factory had a key.</summary>
    public required string FactoryId { get; set; }

    /// <summary>Lines of <c>readings.signed</c> whose fate is known here: stored, duplicate or (to be) rejected.</summary>
    public long Accepted { get; set; }

    public long Stored { get; set; }

    public long Duplicates { get; set; }
}

/// <summary>Rejected and refused lines, counted as they are stored.</summary>
public sealed class RejectionCountRow
{
    public int Partition { get; set; }

    /// <summary>"", nobody's, where it could not be read or no such factory had a key.</summary>
    public required string FactoryId { get; set; }

    public required string Reason { get; set; }

    public bool Refused { get; set; }

    public long Count { get; set; }

    /// <summary>What their rows took when they were stored, about.</summary>
    public long Bytes { get; set; }
}

/// <summary>Rejections that were stored and that retention has dropped since: still on the books, no longer to be read.</summary>
public sealed class RejectionsDroppedRow
{
    /// <summary>"", nobody's, where it could not be read or no such factory had a key.</summary>
    public required string FactoryId { get; set; }

    public required string Reason { get; set; }

    public bool Refused { get; set; }

    public long Lines { get; set; }

    /// <summary>As many as they were in the books.</summary>
    public long Readings { get; set; }

    /// <summary>As in <see cref="RejectionCountRow.Bytes"/>: the difference is what is kept.</summary>
    public long Bytes { get; set; }
}

/// <summary>Messages of a partition that Kafka's retention took before they were taken in. Whose they were nobody knows.</summary>
public sealed class LossRow
{
    public required string Topic { get; set; }

    public int Partition { get; set; }

    public long Messages { get; set; }

    /// <summary>How many of them somebody has taken note of: only more than these are an alarm.</summary>
    public long Acknowledged { get; set; }
}

/// <summary>Over how many partitions of a topic engines are spread. Kafka may have more by now; that is not for it to decide.</summary>
public sealed class TopicRow
{
    public required string Topic { get; set; }

    /// <summary>Of which incarnation of the topic.</summary>
    public required string TopicId { get; set; }

    public int Partitions { get; set; }
}
