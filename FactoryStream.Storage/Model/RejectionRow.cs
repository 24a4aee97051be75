namespace FactoryStream.Storage;

/// <summary>A line that was refused by Ingest or rejected by the Verifier, as it came.</summary>
public sealed class RejectionRow
{
    /// <summary>Given by the database, ascending.</summary>
    public long RejectionNo { get; set; }

    /// <summary>When the line was refused or rejected, UTC.</summary>
    public DateTime RejectedAt { get; set; }

    /// <summary>The factory that the line names; null where that could not be read.</summary>
    public string? FactoryId { get; set; }

    /// <summary>A verdict's name, e.g. <c>bad_signature</c>.</summary>
    public required string Reason { get; set; }

    /// <summary>True: refused by Ingest, never had a 202. False: accepted by Ingest, rejected by the Verifier.</summary>
    public bool Refused { get; set; }

    /// <summary>What is wrong, in words; null: the reason says all.</summary>
    public string? Detail { get; set; }

    /// <summary>The raw bytes; of a line that was too large its beginning.</summary>
    public required byte[] Line { get; set; }

    /// <summary>
    /// The SHA-256 of the exact bytes of the line's <c>data</c> or <c>batch</c>, 32 bytes; null where neither is whole in the line, and of
    /// lines that were kept before there was this column.
    /// </summary>
    public byte[]? DataSha256 { get; set; }

    /// <summary>The partition of <c>readings.signed</c>; null where the line was refused and so never was there.</summary>
    public int? SourcePartition { get; set; }

    /// <summary>The offset of the message on <c>readings.signed</c>; null as <see cref="SourcePartition"/>.</summary>
    public long? SourceOffset { get; set; }

    /// <summary>The line in that message, from 0; null as <see cref="SourcePartition"/>.</summary>
    public int? SourceLine { get; set; }

    /// <summary>
    /// How many readings the line counts in the ledger: more than one of a rejected batch, as many as its partition had of it.
    /// </summary>
    public int Readings { get; set; }

    /// <summary>The factory had no key, so the line is in no factory's ledger, whatever <see cref="FactoryId"/> it named.</summary>
    public bool UnknownFactory { get; set; }

    /// <summary>The last re-drive that sent the line to Ingest again; null: none did.</summary>
    public long? RedriveNo { get; set; }

    /// <summary>When that was, by the database's clock; null as <see cref="RedriveNo"/>.</summary>
    public DateTime? RedrivenAt { get; set; }
}
