using System.Text.Json;
using System.Text.Json.Serialization;
using FactoryStream.Dashboard.Alerts;
using FactoryStream.Dashboard.Engines;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>What is sent: the body of the POST, in snake_case.</summary>
/// <param name="Delivery">The delivery's number.</param>
/// <param name="Event">What happened to the alert; <c>test</c>: nothing did.</param>
/// <param name="RecordedAt">When, UTC.</param>
/// <param name="WindowStart">The start of the window that decided; null: no window did.</param>
/// <param name="WindowEnd">The end of that window.</param>
/// <param name="Value">The value that decided.</param>
/// <param name="By">Who acknowledged it.</param>
/// <param name="Comment">What was said then, or why it was cleared where no value did.</param>
/// <param name="Alert">The alert as it is when this is sent; null in a test, as all that follows but the links.</param>
/// <param name="Engine">Whose it is.</param>
/// <param name="Rule">What raised it, as it was then.</param>
/// <param name="Links">Where to look.</param>
internal sealed record WebhookMessage(
    long Delivery,
    string Event,
    DateTime RecordedAt,
    DateTime? WindowStart,
    DateTime? WindowEnd,
    double? Value,
    string? By,
    string? Comment,
    MessageAlert? Alert,
    MessageEngine? Engine,
    MessageRule? Rule,
    MessageLinks Links
)
{
    /// <summary>The message in bytes, which are signed and sent.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, WebhookJson.Default.WebhookMessage);

    /// <summary>What is said of an event of an alert.</summary>
    /// <param name="deliveryNo">The delivery's number.</param>
    /// <param name="entry">The event.</param>
    /// <param name="alert">The alert; null: the event is a test.</param>
    /// <param name="publicAddress">Where links lead; null: they are paths.</param>
    public static WebhookMessage Of(long deliveryNo, AlertHistoryEntry entry, Alert? alert, Uri? publicAddress)
    {
        var start = publicAddress?.ToString().TrimEnd('/');
        return new(
            deliveryNo,
            entry.Event,
            entry.RecordedAt,
            entry.WindowStart,
            entry.WindowEnd,
            entry.Value,
            entry.By,
            entry.Comment,
            alert is null
                ? null
                : new(
                    alert.AlertNo,
                    alert.Severity,
                    alert.State,
                    alert.RaisedAt,
                    alert.ClearedAt,
                    alert.Value,
                    alert.AcknowledgedBy,
                    alert.Revision
                ),
            alert is null ? null : new(alert.FactoryId, alert.EngineId),
            alert is null ? null : new(alert.RuleNo, alert.Name, alert.Kind, alert.Metric),
            new(
                $"{start}/alerts",
                alert is null ? null : FormattableString.Invariant($"{start}/api/alerts/{alert.AlertNo}/events"),
                alert?.EngineId is { } engineId ? $"{start}/{EngineAddress.Of(alert.FactoryId, engineId)}" : null
            )
        );
    }
}

/// <summary>The alert; its members are those of <see cref="Alerts.Alert"/>.</summary>
internal sealed record MessageAlert(
    long AlertNo,
    string Severity,
    string State,
    DateTime RaisedAt,
    DateTime? ClearedAt,
    double Value,
    string? AcknowledgedBy,
    int Revision
);

/// <param name="FactoryId">Whose alert it is.</param>
/// <param name="EngineId">The engine; null: it is of the whole factory.</param>
internal sealed record MessageEngine(string FactoryId, string? EngineId);

/// <summary>The rule as it was when it raised the alert.</summary>
internal sealed record MessageRule(int RuleNo, string Name, string Kind, string? Metric);

/// <param name="Alerts">The page of alerts.</param>
/// <param name="Events">The alert's history, for programs.</param>
/// <param name="Engine">The engine's page.</param>
internal sealed record MessageLinks(string Alerts, string? Events, string? Engine);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals
)]
[JsonSerializable(typeof(WebhookMessage))]
internal sealed partial class WebhookJson : JsonSerializerContext;
