namespace FactoryStream.Dashboard.AuditEvents;

/// <summary>What somebody did that matters later.</summary>
/// <param name="Id">Its number; a later one has a higher.</param>
/// <param name="At">When, by the database's clock.</param>
/// <param name="Who">A person's name, or the token that was used.</param>
/// <param name="Role">The role that it was done in.</param>
/// <param name="Action">
/// <c>key_enrolled</c>, <c>key_revoked</c>; <c>redrive_begun</c>, <c>redrive_stopped</c>; <c>metric_described</c>,
/// <c>metric_description_deleted</c>; <c>alert_rule_made</c>, <c>alert_rule_changed</c>, <c>alert_rule_deleted</c>, and likewise of
/// <c>webhook</c>.
/// </param>
/// <param name="Subject">To what: the key's id, the factory of the re-drive, the metric's name, the number of the rule or webhook.</param>
/// <param name="Detail">What else is to be known of it.</param>
internal sealed record AuditEvent(long Id, DateTime At, string Who, string Role, string Action, string Subject, string? Detail);

/// <summary>A page of audit events, the newest first.</summary>
/// <param name="Events">The events.</param>
/// <param name="NextCursor">Given back as <c>cursor</c>, it continues them; null: there are no more.</param>
internal sealed record AuditEventsResponse(IReadOnlyList<AuditEvent> Events, string? NextCursor);
