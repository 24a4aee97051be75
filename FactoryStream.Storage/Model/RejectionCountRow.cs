namespace FactoryStream.Storage;

/// <summary>Rejected and refused lines, counted as they are stored.</summary>
public sealed class RejectionCountRow
{
    /// <summary>The Kafka partition that the lines were of.</summary>
    public int Partition { get; set; }

    /// <summary>The factory's id; "" where it could not be read or no such factory had a key.</summary>
    public required string FactoryId { get; set; }

    /// <summary>A verdict's name, e.g. <c>bad_signature</c>.</summary>
    public required string Reason { get; set; }

    /// <summary>As in <see cref="RejectionRow.Refused"/>.</summary>
    public bool Refused { get; set; }

    /// <summary>Readings: one for a line, and for a rejected batch as many as the partition had of it.</summary>
    public long Count { get; set; }

    /// <summary>About how many bytes their rows took when they were stored.</summary>
    public long Bytes { get; set; }
}
