using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using static System.Globalization.CultureInfo;

namespace FactoryStream.Simulator.Factories;

/// <summary>
/// An engine that measures: the seven metrics of the Python system, about its means and spread, with a slow swing so that charts show a
/// life. Its readings depend on nothing but the instant and the noise given.
/// </summary>
internal sealed class EngineModel
{
    /// <summary>
    /// Longest reading that <see cref="Measure"/> writes with ids of usual length, in bytes; ids may add up to 6 times theirs.
    /// </summary>
    public const int MaxReadingBytes = 2048;

    /// <summary>What <see cref="Measure"/> writes, for people.</summary>
    public static readonly IReadOnlyList<DescribedMetric> Metrics =
    [
        new("temp_air", "°C", "temperature of the air that the engine takes in"),
        new("temp_oil", "°C", "temperature of the oil"),
        new("temp_exhaust", "°C", "temperature of the exhaust gas"),
        new("vibration", "mm/s", "velocity of the casing's vibration"),
        new("pressure_1", "bar", "pressure at the first sensor"),
        new("pressure_2", "bar", "pressure at the second sensor"),
        new("rpm", "1/min", "revolutions of the shaft"),
    ];

    private readonly string factoryId,
        engineId;
    private readonly double phase;

    public EngineModel(string factoryId, int engine)
    {
        EngineId = $"engine_{engine:D3}";
        this.factoryId = JsonText(factoryId);
        engineId = JsonText(EngineId);
        // Engines next to each other swing well apart: steps of the golden angle.
        phase = engine * 2.399963 + factoryId.Sum(character => character);
    }

    public string EngineId { get; }

    /// <summary>
    /// Writes the reading's bytes, as they are to be signed.
    /// Sample: <c>{"factory_id": "factory_001", "engine_id": "engine_001", "timestamp": "2026-02-25 06:13:20.125", "temp_air": 99.74, …,
    /// "rpm": 3001}</c>
    /// </summary>
    public int Measure(DateTime measuredAt, Random noise, Span<byte> target)
    {
        var seconds = (measuredAt - DateTime.UnixEpoch).TotalSeconds;
        // A temperature swings in ten minutes, a pressure in three; both small beside the noise, so that the mean stays.
        var slow = Math.Sin(phase + seconds * (2 * Math.PI / 600));
        var quick = Math.Sin(phase * 3 + seconds * (2 * Math.PI / 180));
        // Readings of more than a thousand a second and engine still differ in their time.
        var format = measuredAt.Ticks % TimeSpan.TicksPerMillisecond == 0 ? "yyyy-MM-dd HH:mm:ss.fff" : "yyyy-MM-dd HH:mm:ss.ffffff";
        Span<byte> timestamp = stackalloc byte[32];
        measuredAt.TryFormat(timestamp, out var timestampLength, format, InvariantCulture);
        var fits = Utf8.TryWrite(
            target,
            InvariantCulture,
            $"{{\"factory_id\": \"{factoryId}\", \"engine_id\": \"{engineId}\", \"timestamp\": \"",
            out var head
        );
        fits &= timestamp[..timestampLength].TryCopyTo(target[head..]);
        fits &= Utf8.TryWrite(
            target[(head + timestampLength)..],
            InvariantCulture,
            $"\", \"temp_air\": {100 + 0.5 * slow + 0.85 * Normal():F2}, \"temp_oil\": {90 + 0.5 * slow + 0.85 * Normal():F2}, "
                + $"\"temp_exhaust\": {760 + 0.5 * slow + 0.85 * Normal():F2}, \"vibration\": "
                + $"{Math.Max(0, 2.5 + 0.2 * quick + 0.45 * Normal()):F2}, \"pressure_1\": "
                + $"{150 + 0.5 * quick + 0.9 * Normal():F2}, \"pressure_2\": {149 + 0.5 * quick + 0.9 * Normal():F2}, \"rpm\": "
                + $"{3000 + Normal():F0}}}",
            out var tail
        );
        return fits ? head + timestampLength + tail : throw new ArgumentException($"{MaxReadingBytes} bytes are needed.", nameof(target));

        double Normal() => Math.Sqrt(-2 * Math.Log(1 - noise.NextDouble())) * Math.Cos(2 * Math.PI * noise.NextDouble());
    }

    internal static string JsonText(string text) => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
}
