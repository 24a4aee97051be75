using System.Text.Json.Serialization;

namespace FactoryStream.Dashboard;

/// <summary>One engine's one metric in one closed window; times are UTC.</summary>
internal sealed record WindowAnswer(
    string FactoryId, string EngineId, string Metric, DateTime WindowStart, DateTime WindowEnd, long Count, double Sum, double Min, double Max, double Mean, double StandardDeviation, int Revision, bool Closed);

/// <summary>Windows in the order of time, engine and metric.</summary>
internal sealed record WindowsAnswer(IReadOnlyList<WindowAnswer> Windows);

/// <summary>A factory's books: accepted = stored + duplicates + the sum of rejected + backlog. Refused stands beside them.</summary>
internal sealed record FactoryBooks(
    string FactoryId, long Accepted, long Stored, long Duplicates, IReadOnlyDictionary<string, long> Rejected, IReadOnlyDictionary<string, long> Refused, long Backlog);

internal sealed record BooksAnswer(IReadOnlyList<FactoryBooks> Factories);

/// <summary>The newest closed window of an engine as the Python system told it: <c>Watermark</c> is the window's end.</summary>
internal sealed record LatestData(
    string FactoryId, string EngineId, DateTime Watermark, double? AvgTempAir, double? AvgTempOil, double? AvgTempExhaust, double? AvgVibration,
    [property: JsonPropertyName("avg_pressure_1")] double? AvgPressure1, [property: JsonPropertyName("avg_pressure_2")] double? AvgPressure2, double? AvgRpm);

internal sealed record LatestDataAnswer(string Status, IReadOnlyList<LatestData> Data);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(WindowsAnswer))]
[JsonSerializable(typeof(BooksAnswer))]
[JsonSerializable(typeof(LatestDataAnswer))]
[JsonSerializable(typeof(IReadOnlyList<LatestData>))]
[JsonSerializable(typeof(int[]))]
internal sealed partial class DashboardJson : JsonSerializerContext;
