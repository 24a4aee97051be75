using System.Text.Json.Serialization;
using FactoryStream.Dashboard.Alerts;
using FactoryStream.Dashboard.AuditEvents;
using FactoryStream.Dashboard.Explanations;
using FactoryStream.Dashboard.Live;
using FactoryStream.Dashboard.Pipeline;
using FactoryStream.Dashboard.Readings;
using FactoryStream.Dashboard.Receipts;
using FactoryStream.Dashboard.Reconciliation;
using FactoryStream.Dashboard.Redrives;
using FactoryStream.Dashboard.Rejections;
using FactoryStream.Dashboard.Units;
using FactoryStream.Dashboard.Webhooks;
using FactoryStream.Dashboard.Windows;

namespace FactoryStream.Dashboard.Api;

/// <summary>Sums may overflow to infinity, which JSON has no number for: written as text then.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals
)]
[JsonSerializable(typeof(LedgerResponse))]
[JsonSerializable(typeof(LatestDataResponse))]
[JsonSerializable(typeof(WindowsResponse))]
[JsonSerializable(typeof(ReadingsResponse))]
[JsonSerializable(typeof(SignedBatch))]
[JsonSerializable(typeof(Receipt))]
[JsonSerializable(typeof(ReceiptsRequest))]
[JsonSerializable(typeof(ReceiptsResponse))]
[JsonSerializable(typeof(AuditEventsResponse))]
[JsonSerializable(typeof(RejectionsResponse))]
[JsonSerializable(typeof(RejectionDetails))]
[JsonSerializable(typeof(ExplanationResponse))]
[JsonSerializable(typeof(RedriveRequest))]
[JsonSerializable(typeof(RedrivePreview))]
[JsonSerializable(typeof(RedrivesResponse))]
[JsonSerializable(typeof(AlertRuleRequest))]
[JsonSerializable(typeof(StoredAlertRule))]
[JsonSerializable(typeof(AlertRulesResponse))]
[JsonSerializable(typeof(AlertsResponse))]
[JsonSerializable(typeof(AlertEventsResponse))]
[JsonSerializable(typeof(AcknowledgementRequest))]
[JsonSerializable(typeof(WebhookRequest))]
[JsonSerializable(typeof(StoredWebhook))]
[JsonSerializable(typeof(WebhooksResponse))]
[JsonSerializable(typeof(DeliveriesResponse))]
[JsonSerializable(typeof(DeliveryResponse))]
[JsonSerializable(typeof(MetricRequest))]
[JsonSerializable(typeof(DescribedMetric))]
[JsonSerializable(typeof(DescribedMetricsResponse))]
[JsonSerializable(typeof(PipelineState))]
internal sealed partial class ApiJson : JsonSerializerContext;
