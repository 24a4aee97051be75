using System.Text.Json.Serialization;
using FactoryStream.Dashboard.Windows;
using FactoryStream.Storage;

namespace FactoryStream.Dashboard.Api;

/// <summary>One engine's one metric in one closed window. Numbers beyond a double's range are null.</summary>
/// <param name="FactoryId">Whose engine.</param>
/// <param name="EngineId">Which of them.</param>
/// <param name="Metric">The machine's own name.</param>
/// <param name="WindowStart">Inclusive, UTC.</param>
/// <param name="WindowEnd">Exclusive, UTC.</param>
/// <param name="Count">Readings with this metric.</param>
/// <param name="Sum">Of their values.</param>
/// <param name="Min">The smallest.</param>
/// <param name="Max">The largest.</param>
/// <param name="Mean">Sum by count.</param>
/// <param name="StandardDeviation">The population's: the root of the mean squared deviation.</param>
/// <param name="Revision">How often late readings corrected it.</param>
/// <param name="Closed">Always true: open windows are not stored.</param>
internal sealed record WindowAnswer(
    string FactoryId, string EngineId, string Metric, DateTime WindowStart, DateTime WindowEnd, long Count,
    double? Sum, double? Min, double? Max, double? Mean, double? StandardDeviation, int Revision, bool Closed)
{
    public static WindowAnswer Of(EngineRow engine, WindowRow window) => new(
        engine.FactoryId, engine.EngineId, window.Metric, window.WindowStart, window.WindowEnd, window.Count,
        Finite(window.Sum), Finite(window.Min), Finite(window.Max), Finite(window.Sum / window.Count), Finite(Math.Sqrt(window.SquaredDeviation / window.Count)),
        window.Revision, window.Closed);

    /// <summary>JSON has no infinity.</summary>
    public static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}

/// <summary>A page of windows.</summary>
/// <param name="Windows">By factory, engine, start and metric.</param>
/// <param name="Next">Where the rest is; absent when there is none.</param>
internal sealed record WindowsAnswer(IReadOnlyList<WindowAnswer> Windows, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);

/// <summary>An engine's newest closed window in the form of the Python system: the means of its seven metrics, null where the engine has no such metric.</summary>
/// <param name="FactoryId">Whose engine.</param>
/// <param name="EngineId">Which of them.</param>
/// <param name="Watermark">The window's end, exclusive, UTC.</param>
/// <param name="AvgTempAir">Mean of temp_air.</param>
/// <param name="AvgTempOil">Mean of temp_oil.</param>
/// <param name="AvgTempExhaust">Mean of temp_exhaust.</param>
/// <param name="AvgVibration">Mean of vibration.</param>
/// <param name="AvgPressure1">Mean of pressure_1.</param>
/// <param name="AvgPressure2">Mean of pressure_2.</param>
/// <param name="AvgRpm">Mean of rpm.</param>
internal sealed record LatestDataAnswer(
    string FactoryId, string EngineId, DateTime Watermark, double? AvgTempAir, double? AvgTempOil, double? AvgTempExhaust, double? AvgVibration,
    [property: JsonPropertyName("avg_pressure_1")] double? AvgPressure1, [property: JsonPropertyName("avg_pressure_2")] double? AvgPressure2, double? AvgRpm)
{
    /// <summary>The Python system's metrics, in its order.</summary>
    public static IReadOnlyList<string> Metrics { get; } = ["temp_air", "temp_oil", "temp_exhaust", "vibration", "pressure_1", "pressure_2", "rpm"];

    public static LatestDataAnswer Of(EngineWindow engine)
    {
        return new(engine.FactoryId, engine.EngineId, engine.WindowEnd, Mean(0), Mean(1), Mean(2), Mean(3), Mean(4), Mean(5), Mean(6));

        double? Mean(int metric) => WindowAnswer.Finite(engine.Mean(Metrics[metric]));
    }
}

/// <summary>The newest closed window of each engine.</summary>
/// <param name="Status">Always <c>success</c>; what fails is a problem with a status of its own.</param>
/// <param name="Data">By factory and engine.</param>
internal sealed record LatestDataEnvelope(string Status, IEnumerable<LatestDataAnswer> Data);

/// <summary>The books of one factory: accepted = stored + duplicates + rejected + backlog; refused stands beside it.</summary>
/// <param name="FactoryId">Empty for lines whose factory could not be read.</param>
/// <param name="Accepted">Lines answered with 202.</param>
/// <param name="Stored">Of these, stored and counted once.</param>
/// <param name="Duplicates">Of these, copies of stored ones.</param>
/// <param name="Rejected">Of these, rejected by the Verifier, by reason.</param>
/// <param name="Refused">Lines that Ingest did not accept, by reason.</param>
/// <param name="Backlog">Accepted, and none of the above yet.</param>
public sealed record FactoryBooks(
    string FactoryId, long Accepted, long Stored, long Duplicates, IReadOnlyDictionary<string, long> Rejected, IReadOnlyDictionary<string, long> Refused, long Backlog);

/// <summary>The books of all factories.</summary>
/// <param name="Factories">By factory.</param>
/// <param name="BacklogIsEstimate">Present and true when the backlog was too long to be counted through: accepted and backlog are then at least what is said.</param>
public sealed record BooksAnswer(
    IReadOnlyList<FactoryBooks> Factories, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool BacklogIsEstimate);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(WindowsAnswer))]
[JsonSerializable(typeof(LatestDataEnvelope))]
[JsonSerializable(typeof(IEnumerable<LatestDataAnswer>))]
[JsonSerializable(typeof(BooksAnswer))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(int[]))]
internal sealed partial class DashboardJson : JsonSerializerContext;
