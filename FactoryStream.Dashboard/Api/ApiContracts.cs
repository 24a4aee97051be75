using System.Text.Json.Serialization;

namespace FactoryStream.Dashboard.Api;

/// <summary>The answer of <c>/api/books</c>.</summary>
/// <param name="Factories">By id.</param>
/// <param name="Lost">Messages that Kafka's retention took before they were taken in: whose they were nobody knows.</param>
/// <param name="Losses">These by topic and partition.</param>
internal sealed record BooksResponse(IReadOnlyList<FactoryBooks> Factories, long Lost, IReadOnlyList<LostMessages> Losses);

/// <summary>What retention took of a partition; a message holds one or more readings.</summary>
/// <param name="Topic">Which one lost them.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Messages">How many.</param>
internal sealed record LostMessages(string Topic, int Partition, long Messages);

/// <summary>accepted = stored + duplicates + rejected + backlog; refused stands beside it.</summary>
/// <param name="FactoryId"><c>unknown</c>: all lines whose factory could not be read or has no key.</param>
/// <param name="Accepted">Lines that had a 202.</param>
/// <param name="Stored">Readings in the database.</param>
/// <param name="Duplicates">Second copies of stored readings.</param>
/// <param name="Rejected">Accepted lines that the Verifier rejected, by reason.</param>
/// <param name="Refused">Lines that Ingest did not accept, by reason.</param>
/// <param name="Backlog">Accepted lines whose fate is not yet in the database.</param>
internal sealed record FactoryBooks(
    string FactoryId,
    long Accepted,
    long Stored,
    long Duplicates,
    IReadOnlyDictionary<string, long> Rejected,
    IReadOnlyDictionary<string, long> Refused,
    long Backlog
);

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

/// <summary>The answer of <c>/api/windows</c>.</summary>
/// <param name="Windows">By factory, engine, start and metric.</param>
/// <param name="NextCursor">What to give as <c>cursor</c>, all else as before, for the next page; null: there are no more.</param>
internal sealed record WindowsResponse(IReadOnlyList<MetricWindow> Windows, string? NextCursor);

/// <summary>
/// One engine's one metric in one window, start inclusive, end exclusive. The standard deviation is the population's, the root of the mean
/// squared deviation; <c>revision</c> counts how often late readings corrected the closed window.
/// </summary>
internal sealed record MetricWindow(
    string FactoryId,
    string EngineId,
    string Metric,
    DateTime WindowStart,
    DateTime WindowEnd,
    long Count,
    double Sum,
    double Min,
    double Max,
    double Mean,
    double StandardDeviation,
    int Revision,
    bool Closed
);

/// <summary>Sums may overflow to infinity, which JSON has no number for: written as text then.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals
)]
[JsonSerializable(typeof(BooksResponse))]
[JsonSerializable(typeof(LatestDataResponse))]
[JsonSerializable(typeof(IReadOnlyList<LatestData>))]
[JsonSerializable(typeof(WindowsResponse))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class ApiJson : JsonSerializerContext;
