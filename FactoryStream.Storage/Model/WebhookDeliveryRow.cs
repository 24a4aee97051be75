namespace FactoryStream.Storage;

/// <summary>One event of an alert that is to be sent, or was, to one webhook: a row of the outbox.</summary>
public sealed class WebhookDeliveryRow
{
    /// <summary>Given by the database, ascending; the same in each attempt.</summary>
    public long DeliveryNo { get; set; }

    /// <summary>To which webhook.</summary>
    public int WebhookNo { get; set; }

    /// <summary>Of which alert; null: a test.</summary>
    public long? AlertNo { get; set; }

    /// <summary>Which of its events; null: a test.</summary>
    public long? EventNo { get; set; }

    /// <summary>When it was written, by the database's clock, UTC.</summary>
    public DateTime CreatedAt { get; set; }

    /// <summary><c>pending</c>, <c>delivered</c>, or <c>dead</c>: given up.</summary>
    public required string State { get; set; }

    /// <summary>How often it was begun to be sent.</summary>
    public int Attempts { get; set; }

    /// <summary>Since when it is tried; null: not yet.</summary>
    public DateTime? FirstAttemptAt { get; set; }

    /// <summary>Not before; while somebody sends it, when another may do it in their place.</summary>
    public DateTime NextAttemptAt { get; set; }

    /// <summary>The HTTP status of the last answer; null: there was none.</summary>
    public int? LastStatus { get; set; }

    /// <summary>Why the last attempt failed; null: none has.</summary>
    public string? LastError { get; set; }

    /// <summary>When an answer said that it had arrived.</summary>
    public DateTime? DeliveredAt { get; set; }
}
