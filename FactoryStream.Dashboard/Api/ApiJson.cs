using System.Text.Json.Serialization;
using FactoryStream.Dashboard.Live;
using FactoryStream.Dashboard.Reconciliation;
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
internal sealed partial class ApiJson : JsonSerializerContext;
