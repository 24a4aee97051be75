namespace FactoryStream.Storage;

/// <summary>What happened to an alert; rows are only ever added.</summary>
public sealed class AlertEventRow
{
    /// <summary>Given by the database, ascending.</summary>
    public long EventNo { get; set; }

    /// <summary>The alert's number.</summary>
    public long AlertNo { get; set; }

    /// <summary>
    /// <c>raised</c>, <c>cleared</c>, <c>acknowledged</c>, or of late readings: <c>changed</c>, <c>withdrawn</c>.
    /// </summary>
    public required string Event { get; set; }

    /// <summary>By the wall clock, UTC.</summary>
    public DateTime RecordedAt { get; set; }

    /// <summary>The start of the window that decided; null: no window did.</summary>
    public DateTime? WindowStart { get; set; }

    /// <summary>The end of that window.</summary>
    public DateTime? WindowEnd { get; set; }

    /// <summary>The value that decided.</summary>
    public double? Value { get; set; }

    /// <summary>Who acknowledged it.</summary>
    public string? By { get; set; }

    /// <summary>What was said then, or why it was cleared where no value did.</summary>
    public string? Comment { get; set; }
}
