namespace FactoryStream.Storage;

/// <summary>What somebody did that matters later; neither retention nor a purge drops it.</summary>
public sealed class AuditEventRow
{
    /// <summary>Numbered as they are written.</summary>
    public long EventNo { get; set; }

    /// <summary>When, by the database's clock.</summary>
    public DateTime At { get; set; }

    /// <summary>Who: a person's name as the Dashboard knows it, or the token that was used.</summary>
    public required string Who { get; set; }

    /// <summary>The role that it was done in: <c>operator</c> or <c>admin</c>.</summary>
    public required string Role { get; set; }

    /// <summary>
    /// What: <c>key_enrolled</c> or <c>key_revoked</c>; <c>redrive_begun</c> or <c>redrive_stopped</c>; <c>metric_described</c> or
    /// <c>metric_description_deleted</c>; <c>alert_rule_made</c>, <c>alert_rule_changed</c> or <c>alert_rule_deleted</c>, and likewise of
    /// <c>webhook</c>.
    /// </summary>
    public required string Action { get; set; }

    /// <summary>To what: the signing key's id, the factory of the re-drive, the metric's name, the number of the rule or
    /// webhook.</summary>
    public required string Subject { get; set; }

    /// <summary>What else is to be known of it; null: nothing.</summary>
    public string? Detail { get; set; }
}
