using System.Text.Json.Serialization;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>A webhook as it is given and shown; its secret is neither.</summary>
/// <param name="Url">Where to send what happens to alerts.</param>
/// <param name="Severities">Of which alerts: <c>warning</c>, <c>alarm</c>.</param>
/// <param name="Description">What it is for.</param>
/// <param name="IsEnabled">False: nothing is sent.</param>
public sealed record WebhookSettings(string Url, IReadOnlyList<string> Severities, string? Description, bool IsEnabled);

/// <summary>A webhook that is stored.</summary>
/// <param name="WebhookNo">Given by the database.</param>
/// <param name="Version">1, and one more with each change.</param>
/// <param name="CreatedBy">Who made it.</param>
/// <param name="CreatedAt">UTC.</param>
/// <param name="Settings">What it says.</param>
/// <param name="Secret">Only in the answer to who makes it or gives it another: it is shown once.</param>
public sealed record StoredWebhook(
    int WebhookNo,
    int Version,
    string CreatedBy,
    DateTime CreatedAt,
    WebhookSettings Settings,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Secret = null
);

/// <summary>The answer of <c>GET /api/webhooks</c>.</summary>
/// <param name="Webhooks">By their number.</param>
internal sealed record WebhooksResponse(IReadOnlyList<StoredWebhook> Webhooks);

/// <summary>One event of an alert on its way to a webhook.</summary>
/// <param name="DeliveryNo">The same in each attempt: <c>FactoryStream-Delivery</c>.</param>
/// <param name="AlertNo">Of which alert; null: a test.</param>
/// <param name="Event">What happened to it; <c>test</c>: nothing did.</param>
/// <param name="State"><c>pending</c>, <c>delivered</c>, or <c>dead</c>: given up.</param>
/// <param name="Attempts">How often it was begun to be sent.</param>
/// <param name="CreatedAt">When it was to be sent, UTC.</param>
/// <param name="NextAttemptAt">Of one that is pending, UTC.</param>
/// <param name="LastStatus">The last answer's HTTP status; null: there was none.</param>
/// <param name="LastError">Why the last attempt failed; null: none has.</param>
/// <param name="DeliveredAt">UTC.</param>
internal sealed record Delivery(
    long DeliveryNo,
    long? AlertNo,
    string Event,
    string State,
    int Attempts,
    DateTime CreatedAt,
    DateTime? NextAttemptAt,
    int? LastStatus,
    string? LastError,
    DateTime? DeliveredAt
);

/// <summary>The answer of <c>/api/webhooks/{no}/deliveries</c>.</summary>
/// <param name="Deliveries">The newest first.</param>
/// <param name="NextCursor">Given back as <c>cursor</c>, it continues them; null: there are no more.</param>
internal sealed record DeliveriesResponse(IReadOnlyList<Delivery> Deliveries, string? NextCursor);

/// <summary>The answer of what writes a delivery.</summary>
/// <param name="DeliveryNo">Its number.</param>
internal sealed record DeliveryResponse(long DeliveryNo);
