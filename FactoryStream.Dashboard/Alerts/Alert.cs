namespace FactoryStream.Dashboard.Alerts;

/// <summary>An alert: what a rule has found, of an engine or, for rejections, of a factory.</summary>
/// <param name="AlertNo">Given in the order in which they were found.</param>
/// <param name="RuleNo">Its rule, which may be gone.</param>
/// <param name="Name">The rule's name when it was raised.</param>
/// <param name="Kind"><c>threshold</c>, <c>rate_of_change</c>, <c>silence</c>, <c>rejections</c> or <c>anomaly</c>.</param>
/// <param name="Severity"><c>warning</c> or <c>alarm</c>.</param>
/// <param name="FactoryId">Whose it is.</param>
/// <param name="EngineId">The engine; null: it is of the whole factory.</param>
/// <param name="Metric">The rule's metric; null: it has none.</param>
/// <param name="State">
/// <c>raised</c>; <c>cleared</c>: it is over; <c>withdrawn</c>: late readings showed that it never was.
/// </param>
/// <param name="RaisedAt">The end of the window that raised it; of silence and rejections the clock's time. UTC.</param>
/// <param name="RaisedRecordedAt">When that was found, UTC.</param>
/// <param name="ClearedAt">When it was over; null: it is not.</param>
/// <param name="Value">What broke the limit when it was raised.</param>
/// <param name="AcknowledgedBy">Who took note of it; null: nobody has.</param>
/// <param name="AcknowledgedAt">When, UTC.</param>
/// <param name="AcknowledgedComment">What was said then.</param>
/// <param name="Revision">How often late readings changed or withdrew it.</param>
public sealed record Alert(
    long AlertNo,
    int RuleNo,
    string Name,
    string Kind,
    string Severity,
    string FactoryId,
    string? EngineId,
    string? Metric,
    string State,
    DateTime RaisedAt,
    DateTime RaisedRecordedAt,
    DateTime? ClearedAt,
    double Value,
    string? AcknowledgedBy,
    DateTime? AcknowledgedAt,
    string? AcknowledgedComment,
    int Revision
);

/// <summary>The answer of <c>/api/alerts</c>.</summary>
/// <param name="Alerts">The newest first, by when they were raised.</param>
/// <param name="NextCursor">What to give as <c>cursor</c>, all else as before, for the next page; null: there are no more.</param>
internal sealed record AlertsResponse(IReadOnlyList<Alert> Alerts, string? NextCursor);

/// <summary>What happened to an alert.</summary>
/// <param name="Event"><c>raised</c>, <c>cleared</c>, <c>acknowledged</c>, or of late readings <c>changed</c>, <c>withdrawn</c>.</param>
/// <param name="RecordedAt">When, UTC.</param>
/// <param name="WindowStart">The start of the window that decided; null: no window did.</param>
/// <param name="WindowEnd">The end of that window.</param>
/// <param name="Value">The value that decided.</param>
/// <param name="By">Who acknowledged it.</param>
/// <param name="Comment">What was said then, or why it was cleared where no value did.</param>
public sealed record AlertHistoryEntry(
    string Event,
    DateTime RecordedAt,
    DateTime? WindowStart,
    DateTime? WindowEnd,
    double? Value,
    string? By,
    string? Comment
);

/// <summary>The answer of <c>/api/alerts/{no}/events</c>.</summary>
/// <param name="Events">The oldest first.</param>
internal sealed record AlertEventsResponse(IReadOnlyList<AlertHistoryEntry> Events);

/// <summary>The body of <c>POST /api/alerts/{no}/acknowledgement</c>.</summary>
/// <param name="By">Who takes note of it.</param>
/// <param name="Comment">Anything; may be missing.</param>
internal sealed record AcknowledgementRequest(string? By, string? Comment);
