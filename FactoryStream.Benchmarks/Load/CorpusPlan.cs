using System.Text.Json;
using System.Text.Json.Serialization;
using FactoryStream.Signatures;
using FactoryStream.Simulator;

namespace FactoryStream.Benchmarks.Load;

/// <summary>
/// What a corpus of signed readings holds and of which times; written beside it as <c>CORPUS.json</c>.
/// Readings stand in POSTs of one factory each, the factories in turn: POST p is of factory p mod F. A factory's readings go round its
/// engines. The time between two readings of a factory is F / <see cref="EventRate"/>, and each factory is <see cref="Post"/> /
/// <see cref="EventRate"/> behind the one before it, so that POSTs come due evenly and none is ever sent before its last reading was
/// measured. Where several readings share a signature, batches go round the engines instead of readings: each is what one engine measured,
/// at the engine's own even pace, since its batch before.
/// </summary>
/// <param name="Readings">Each is there once.</param>
/// <param name="Factories">F.</param>
/// <param name="Engines">Of each factory.</param>
/// <param name="FactoryPrefix">Factories are named PREFIX_001, ...</param>
/// <param name="Post">Readings of a POST; the last one may be shorter.</param>
/// <param name="EventRate">Readings a second of event time, of all engines together.</param>
/// <param name="Start">The earliest time in it, UTC.</param>
/// <param name="Salt">Of the signatures.</param>
/// <param name="PerSignature">Readings of a signed batch, a line each; it divides <see cref="Post"/>. 1: every reading has a signature and
/// a line of its own.</param>
/// <param name="IsMixed">A batch's readings are of all the factory's engines in turn.</param>
internal sealed record CorpusPlan(
    long Readings,
    int Factories,
    int Engines,
    string FactoryPrefix,
    [property: JsonPropertyName("batch")] int Post,
    double EventRate,
    DateTime Start,
    SaltLength Salt,
    int PerSignature = 1,
    bool IsMixed = false
)
{
    // About the bytes of a reading with the usual ids, and of an envelope with an RSA-2048 signature; for the estimate before signing.
    private const int UsualReadingBytes = 225,
        UsualEnvelopeBytes = 380;

    [JsonIgnore]
    public long Posts => (Readings + Post - 1) / Post;

    /// <summary>About the size of the file.</summary>
    [JsonIgnore]
    public long UsualBytes => Readings * UsualReadingBytes + (Readings + PerSignature - 1) / PerSignature * UsualEnvelopeBytes;

    /// <summary>From the first reading to the last.</summary>
    [JsonIgnore]
    public TimeSpan Span => Readings == 0 ? TimeSpan.Zero : MeasuredAt(Readings - 1) - Start;

    /// <summary>Event time between two readings of one engine.</summary>
    [JsonIgnore]
    public TimeSpan EngineInterval => TimeSpan.FromSeconds((double)Factories * Engines / EventRate);

    public string FactoryId(int factory) => $"{FactoryPrefix}_{factory + 1:D3}";

    public int FactoryOf(long post) => (int)(post % Factories);

    public int ReadingsOf(long post) => (int)Math.Min(Post, Readings - post * Post);

    /// <summary>The engine, from 0, of a reading, counted over the whole corpus.</summary>
    public int EngineOf(long reading) => (int)((IsMixed ? IndexInFactory(reading) : IndexInFactory(reading) / PerSignature) % Engines);

    /// <summary>When a reading, counted over the whole corpus, was measured.</summary>
    public DateTime MeasuredAt(long reading)
    {
        var seconds = SecondsOf(reading);
        if (PerSignature > 1 && !IsMixed)
        {
            // The batch's last reading is of the moment that its turn is over, those before it an engine's interval apart.
            var place = (int)(reading % Post);
            var last = Math.Min(place - place % PerSignature + PerSignature, ReadingsOf(reading / Post)) - 1;
            var interval = (double)Factories * Engines / EventRate;
            seconds =
                SecondsOf(reading - place + last) - (last - place) * interval + (PerSignature - 1) * (interval - Factories / EventRate);
        }
        var ticks = (long)(seconds * TimeSpan.TicksPerSecond);
        // As coarse as keeps an engine's readings apart.
        var unit = EngineInterval >= TimeSpan.FromMilliseconds(2) ? TimeSpan.TicksPerMillisecond : TimeSpan.TicksPerMicrosecond;
        return Start.AddTicks(ticks - ticks % unit);
    }

    public void Save(string corpus) =>
        File.WriteAllBytes(corpus + ".json", JsonSerializer.SerializeToUtf8Bytes(this, LoadJson.Default.CorpusPlan));

    /// <exception cref="UsageException">There is none beside that corpus.</exception>
    public static CorpusPlan Read(string corpus)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(corpus + ".json"), LoadJson.Default.CorpusPlan)
                ?? throw new JsonException("it is null");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UsageException(
                $"{corpus}.json, which 'sign' writes beside the corpus, cannot be read: {exception.Message}",
                exception
            );
        }
    }

    private long IndexInFactory(long reading) => reading / Post / Factories * Post + reading % Post;

    private double SecondsOf(long reading) =>
        (IndexInFactory(reading) * (double)Factories + FactoryOf(reading / Post) * (double)Post) / EventRate;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    WriteIndented = true,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never
)]
[JsonSerializable(typeof(CorpusPlan))]
[JsonSerializable(typeof(LoadReport))]
internal sealed partial class LoadJson : JsonSerializerContext;
