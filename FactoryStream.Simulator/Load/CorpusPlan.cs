using System.Text.Json;
using System.Text.Json.Serialization;
using FactoryStream.Signatures;

namespace FactoryStream.Simulator.Load;

/// <summary>
/// What a corpus of signed readings holds and of which times; written beside it as <c>CORPUS.json</c>.
/// Lines stand in batches of one factory each, the factories in turn: batch b is of factory b mod F. A factory's readings go round its engines. The time between
/// two readings of a factory is F / <see cref="EventRate"/>, and each factory is <see cref="Batch"/> / <see cref="EventRate"/> behind the one before it, so that
/// batches come due evenly and a batch is never sent before its last reading was measured.
/// </summary>
/// <param name="Readings">Lines; each reading is there once.</param>
/// <param name="Factories">F.</param>
/// <param name="Engines">Of each factory.</param>
/// <param name="FactoryPrefix">Factories are named PREFIX_001, ...</param>
/// <param name="Batch">Lines of a batch; the last one may be shorter.</param>
/// <param name="EventRate">Readings a second of event time, of all engines together.</param>
/// <param name="Start">The earliest time in it, UTC.</param>
/// <param name="Salt">Of the signatures.</param>
internal sealed record CorpusPlan(long Readings, int Factories, int Engines, string FactoryPrefix, int Batch, double EventRate, DateTime Start, SaltLength Salt)
{
    /// <summary>About the bytes of a line with the usual ids, with an RSA-2048 signature; for the estimate before signing.</summary>
    public const int UsualLineBytes = 605;

    [JsonIgnore]
    public long Batches => (Readings + Batch - 1) / Batch;

    /// <summary>From the first reading to the last.</summary>
    [JsonIgnore]
    public TimeSpan Span => Readings == 0 ? TimeSpan.Zero : MeasuredAt(Readings - 1) - Start;

    /// <summary>Event time between two readings of one engine.</summary>
    [JsonIgnore]
    public TimeSpan EngineInterval => TimeSpan.FromSeconds((double)Factories * Engines / EventRate);

    public string FactoryId(int factory) => $"{FactoryPrefix}_{factory + 1:D3}";

    public int FactoryOf(long batch) => (int)(batch % Factories);

    public int LinesOf(long batch) => (int)Math.Min(Batch, Readings - batch * Batch);

    /// <summary>The engine, from 0, of a line, counted over the whole corpus.</summary>
    public int EngineOf(long line) => (int)(IndexInFactory(line) % Engines);

    /// <summary>When a line, counted over the whole corpus, was measured.</summary>
    public DateTime MeasuredAt(long line)
    {
        var seconds = (IndexInFactory(line) * (double)Factories + FactoryOf(line / Batch) * (double)Batch) / EventRate;
        var ticks = (long)(seconds * TimeSpan.TicksPerSecond);
        // As coarse as keeps an engine's readings apart.
        var unit = EngineInterval >= TimeSpan.FromMilliseconds(2) ? TimeSpan.TicksPerMillisecond : TimeSpan.TicksPerMicrosecond;
        return Start.AddTicks(ticks - ticks % unit);
    }

    public void Save(string corpus) => File.WriteAllBytes(corpus + ".json", JsonSerializer.SerializeToUtf8Bytes(this, LoadJson.Default.CorpusPlan));

    /// <exception cref="UsageException">There is none beside that corpus.</exception>
    public static CorpusPlan Read(string corpus)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(corpus + ".json"), LoadJson.Default.CorpusPlan) ?? throw new JsonException("it is null");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UsageException($"{corpus}.json, which 'sign' writes beside the corpus, cannot be read: {exception.Message}", exception);
        }
    }

    private long IndexInFactory(long line) => line / Batch / Factories * Batch + line % Batch;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(CorpusPlan))]
[JsonSerializable(typeof(LoadReport))]
internal sealed partial class LoadJson : JsonSerializerContext;
