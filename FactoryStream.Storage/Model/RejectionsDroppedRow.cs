namespace FactoryStream.Storage;

/// <summary>Rejections that were stored and that retention has dropped since: still counted in the ledger, no longer to be read.</summary>
public sealed class RejectionsDroppedRow
{
    /// <summary>The factory's id; "" where it could not be read or no such factory had a key.</summary>
    public required string FactoryId { get; set; }

    /// <summary>A verdict's name, e.g. <c>bad_signature</c>.</summary>
    public required string Reason { get; set; }

    /// <summary>As in <see cref="RejectionRow.Refused"/>.</summary>
    public bool Refused { get; set; }

    /// <summary>How many rows of <c>factory.rejections</c> were dropped.</summary>
    public long Lines { get; set; }

    /// <summary>How many readings these lines held, as the ledger counts them.</summary>
    public long Readings { get; set; }

    /// <summary>As in <see cref="RejectionCountRow.Bytes"/>: the difference is what is kept.</summary>
    public long Bytes { get; set; }
}
