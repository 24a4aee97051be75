namespace FactoryStream.Storage;

/// <summary>What happens to an alert.</summary>
public enum AlertEvent
{
    /// <summary>Its rule began to be broken.</summary>
    Raised,

    /// <summary>Late readings corrected a window: it was raised or cleared at another time, or by another value.</summary>
    Changed,

    /// <summary>Late readings corrected a window: its rule was not broken.</summary>
    Withdrawn,

    /// <summary>Somebody took note of it.</summary>
    Acknowledged,

    /// <summary>Its rule is not broken any more.</summary>
    Cleared,
}

/// <summary>When something was decided, and by what.</summary>
/// <param name="WindowStart">The start of the window that decided; null: no window did.</param>
/// <param name="At">The end of that window; the wall clock's time where no window decided. UTC.</param>
/// <param name="Value">The value that decided; null: none did.</param>
public readonly record struct AlertMoment(DateTime? WindowStart, DateTime At, double? Value);

/// <summary>From when to when an alert is raised.</summary>
/// <param name="Raised">What raised it.</param>
/// <param name="Cleared">What cleared it; null: it is still raised.</param>
public readonly record struct AlertSpan(AlertMoment Raised, AlertMoment? Cleared);

/// <summary>An alert that is stored and not withdrawn.</summary>
/// <param name="AlertNo">Given by the database.</param>
/// <param name="RuleNo">Its rule.</param>
/// <param name="FactoryId">Whose it is.</param>
/// <param name="EngineNo">The engine; null: it is of the whole factory.</param>
/// <param name="RaisedAt">When it was raised, UTC.</param>
/// <param name="Value">What raised it.</param>
/// <param name="ClearedAt">When it was cleared, UTC; null: it is still raised.</param>
public sealed record StoredAlert(
    long AlertNo,
    int RuleNo,
    string FactoryId,
    int? EngineNo,
    DateTime RaisedAt,
    double Value,
    DateTime? ClearedAt
);

/// <summary>What is to be written of an alert.</summary>
/// <param name="Event">What happens to it.</param>
/// <param name="RuleNo">Its rule.</param>
/// <param name="FactoryId">Whose it is.</param>
/// <param name="EngineNo">The engine; null: it is of the whole factory.</param>
/// <param name="Stored">What is stored of it; null: it is raised now.</param>
/// <param name="Span">From when to when it is raised from now on; of one that is withdrawn as it was.</param>
/// <param name="Decided">What the event was decided by.</param>
public sealed record AlertChange(
    AlertEvent Event,
    int RuleNo,
    string FactoryId,
    int? EngineNo,
    StoredAlert? Stored,
    AlertSpan Span,
    AlertMoment Decided
);

/// <summary>One metric's values in one closed window of an engine; all three are its anomaly score for a rule of that kind.</summary>
/// <param name="Start">The window's start, UTC.</param>
/// <param name="End">The window's end, UTC.</param>
/// <param name="Mean">The mean of the readings.</param>
/// <param name="Min">The least value.</param>
/// <param name="Max">The greatest value.</param>
public readonly record struct AlertWindow(DateTime Start, DateTime End, double Mean, double Min, double Max);
