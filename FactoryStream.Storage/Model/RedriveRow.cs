namespace FactoryStream.Storage;

/// <summary>A re-drive: rejections of one factory that are sent to Ingest again, and how far that is.</summary>
public sealed class RedriveRow
{
    /// <summary>Given by the database, ascending.</summary>
    public long RedriveNo { get; set; }

    /// <summary>Whose rejections they are. Of each factory one re-drive at most is running.</summary>
    public required string FactoryId { get; set; }

    /// <summary>Who asked for it, as in audit events.</summary>
    public required string AskedBy { get; set; }

    /// <summary>When, by the database's clock.</summary>
    public DateTime AskedAt { get; set; }

    /// <summary>Which rejections, as it was asked for, in JSON.</summary>
    public required string Selection { get; set; }

    /// <summary>The rejection up to which it is done, inclusive; those of the selection go by their number.</summary>
    public long ThroughNo { get; set; }

    /// <summary>The newest rejection when it was asked for: what is rejected later, its own lines included, is not of it.</summary>
    public long LastNo { get; set; }

    /// <summary>Lines of the selection when it was asked for.</summary>
    public long Matched { get; set; }

    /// <summary>Lines that Ingest has taken.</summary>
    public long Sent { get; set; }

    /// <summary>Lines that Ingest has refused.</summary>
    public long Refused { get; set; }

    /// <summary>Lines that were not kept whole and so cannot be sent.</summary>
    public long Unavailable { get; set; }

    /// <summary>Readings that Ingest has accepted: a batch counts as many as it holds.</summary>
    public long Readings { get; set; }

    /// <summary><c>running</c>, <c>complete</c>, <c>stopped</c> or <c>failed</c>.</summary>
    public required string State { get; set; }

    /// <summary>What it waits for, or why it failed; null: neither.</summary>
    public string? Detail { get; set; }

    /// <summary>When the next lines are to be sent, by the database's clock: later than now while Ingest asks for a pause.</summary>
    public DateTime NextAttemptAt { get; set; }

    /// <summary>When it was over; null while it runs.</summary>
    public DateTime? EndedAt { get; set; }
}
