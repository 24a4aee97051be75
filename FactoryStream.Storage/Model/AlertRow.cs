namespace FactoryStream.Storage;

/// <summary>An alert: what a rule has found, of an engine or, for rejections, of a factory. It outlives its rule.</summary>
public sealed class AlertRow
{
    /// <summary>Given by the database, ascending.</summary>
    public long AlertNo { get; set; }

    /// <summary>The rule's number; the rule may be gone.</summary>
    public int RuleNo { get; set; }

    /// <summary>The rule's name when the alert was raised.</summary>
    public required string Name { get; set; }

    /// <summary>The rule's kind, a name of <see cref="AlertKind"/>.</summary>
    public required string Kind { get; set; }

    /// <summary>The rule's severity when the alert was raised, a name of <see cref="AlertSeverity"/>.</summary>
    public required string Severity { get; set; }

    /// <summary>Whose it is.</summary>
    public required string FactoryId { get; set; }

    /// <summary>The engine's number; null: it is of the whole factory.</summary>
    public int? EngineNo { get; set; }

    /// <summary>The rule's metric.</summary>
    public string? Metric { get; set; }

    /// <summary><c>raised</c>; <c>cleared</c>: it is over; <c>withdrawn</c>: a correction showed that it never was.</summary>
    public required string State { get; set; }

    /// <summary>The end of the window that raised it, by event time; of silence and rejections the wall clock's time. UTC.</summary>
    public DateTime RaisedAt { get; set; }

    /// <summary>When that was found, by the wall clock, UTC.</summary>
    public DateTime RaisedRecordedAt { get; set; }

    /// <summary>The end of the window that cleared it; of silence and rejections the wall clock's time. UTC.</summary>
    public DateTime? ClearedAt { get; set; }

    /// <summary>What broke the limit when it was raised.</summary>
    public double Value { get; set; }

    /// <summary>Who took note of it; null: nobody has.</summary>
    public string? AcknowledgedBy { get; set; }

    /// <summary>UTC.</summary>
    public DateTime? AcknowledgedAt { get; set; }

    /// <summary>What was said of it then.</summary>
    public string? AcknowledgedComment { get; set; }

    /// <summary>How often late readings changed or withdrew it.</summary>
    public int Revision { get; set; }
}
