namespace FactoryStream.Storage;

/// <summary>The ledger of a factory in one Kafka partition (so that partitions never wait for each other's row).</summary>
public sealed class LedgerRow
{
    /// <summary>The Kafka partition that the lines were of.</summary>
    public int Partition { get; set; }

    /// <summary>The factory's id; "" where it could not be read or no such factory had a key.</summary>
    public required string FactoryId { get; set; }

    /// <summary>Readings of <c>readings.signed</c> whose outcome is known here: stored, duplicate or (to be) rejected.</summary>
    public long Accepted { get; set; }

    /// <summary>Of the accepted, the readings with a row in <c>factory.readings</c>.</summary>
    public long Stored { get; set; }

    /// <summary>Of the accepted, the readings that were stored before.</summary>
    public long Duplicates { get; set; }
}
