using System.Text.Json.Serialization;

namespace FactoryStream.Dashboard.Live;

/// <summary>The answer of <c>/api/latest-data</c>.</summary>
/// <param name="Status"><c>success</c>.</param>
/// <param name="Data">The newest closed window of each engine, by factory and engine.</param>
internal sealed record LatestDataResponse(string Status, IReadOnlyList<LatestData> Data);

/// <summary>
/// An engine's newest closed window in the Python system's columns: its end as <c>watermark</c>, and means, null where the engine has no
/// such metric.
/// </summary>
internal sealed record LatestData(
    string FactoryId,
    string EngineId,
    DateTime Watermark,
    double? AvgTempAir,
    double? AvgTempOil,
    double? AvgTempExhaust,
    double? AvgVibration,
    [property: JsonPropertyName("avg_pressure_1")] double? AvgPressure1,
    [property: JsonPropertyName("avg_pressure_2")] double? AvgPressure2,
    double? AvgRpm
);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals
)]
[JsonSerializable(typeof(IReadOnlyList<LatestData>))]
internal sealed partial class LatestDataJson : JsonSerializerContext;
