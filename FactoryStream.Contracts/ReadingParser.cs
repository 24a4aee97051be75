using System.Runtime.InteropServices;

namespace FactoryStream.Contracts;

/// <summary>
/// Reads envelopes, of one reading and of a batch. It keeps the exact bytes of <c>data</c> or <c>batch</c> and takes from it only what is
/// needed. One instance a thread: it reuses its buffers.
/// </summary>
public sealed class ReadingParser
{
    /// <summary>Longest factory, engine, key id and metric name, in UTF-16 characters.</summary>
    public const int MaxNameLength = 128;

    /// <summary>The greatest number of metrics in one reading.</summary>
    public const int MaxMetrics = 256;

    /// <summary>Most members of one reading that are neither its ids and time nor numbers.</summary>
    public const int MaxOthers = 256;

    /// <summary>
    /// Most readings of one batch. A batch has one verdict and is one line: a machine that made one of all it has could not be told what is
    /// wrong with it, nor be made to wait in between.
    /// </summary>
    public const int MaxBatchReadings = 1_000;

    /// <summary>Longest timestamp, in bytes as they stand in the JSON.</summary>
    internal const int MaxTimestampLength = 64;

    private readonly List<Metric> metrics = new(16);
    private readonly List<string> others = [];
    private readonly List<BatchReading> batch = [];
    private readonly PlainEnvelopeReader plain;
    private readonly EnvelopeReader general;

    /// <param name="names">Shared with other parsers of the same thread; null: one of its own.</param>
    public ReadingParser(Utf8StringPool? names = null)
    {
        names ??= new Utf8StringPool();
        plain = new PlainEnvelopeReader(names, metrics, batch);
        general = new EnvelopeReader(names, metrics, others, batch);
    }

    /// <summary>
    /// The metrics of the reading parsed last, in the machine's order; of a batch, those of all its readings. Overwritten by the next call.
    /// </summary>
    public IReadOnlyList<Metric> Metrics => metrics;

    /// <summary>As <see cref="Metrics"/>, without the interface in between.</summary>
    public ReadOnlySpan<Metric> MetricsSpan => CollectionsMarshal.AsSpan(metrics);

    /// <summary>
    /// The names of the members parsed last that are no metrics, for they are strings, booleans, null, objects or arrays: they are signed,
    /// and kept as evidence, but nobody counts them. Of a batch, those of all its readings. Overwritten by the next call.
    /// </summary>
    public IReadOnlyList<string> Others => others;

    /// <summary>
    /// The readings of the batch parsed last, in the array's order; none of an envelope of one reading. Overwritten by the next call.
    /// </summary>
    public ReadOnlySpan<BatchReading> BatchReadings => CollectionsMarshal.AsSpan(batch);

    /// <summary>The metrics of one of <see cref="BatchReadings"/>.</summary>
    public ReadOnlySpan<Metric> MetricsOf(in BatchReading reading) => MetricsSpan.Slice(reading.MetricStart, reading.MetricCount);

    /// <summary>
    /// Takes an envelope apart.
    /// Samples: <c>{"data": {"factory_id": "factory_001", "engine_id": "engine_001", "timestamp": "2026-02-25 06:13:20", "rpm": 3001},
    /// "signature": "J5Bz…"}</c>, <c>{"batch": [{"factory_id": "factory_001", …}, {"factory_id": "factory_001", …}], "signature":
    /// "J5Bz…"}</c>
    /// </summary>
    /// <param name="line">One envelope, without the line's end. White space, line breaks included, may stand wherever JSON allows
    /// it.</param>
    /// <param name="reading">The parts; of a malformed envelope only <see cref="SignedReading.FactoryId"/> where it could be read, else
    /// empty.</param>
    /// <param name="detail">What is wrong, in words for a person; null when accepted.</param>
    /// <returns><see cref="Verdict.Accepted"/> (well formed, nothing more) or <see cref="Verdict.Malformed"/>.</returns>
    public Verdict TryParse(ReadOnlyMemory<byte> line, out SignedReading reading, out string? detail)
    {
        Clear();
        if (plain.TryRead(line, out reading))
        {
            detail = null;
            return Verdict.Accepted;
        }
        return ReadAny(line, out reading, out detail);
    }

    /// <summary>As <see cref="TryParse"/>, without the short cut for what machines usually write.</summary>
    internal Verdict ReadAny(ReadOnlyMemory<byte> line, out SignedReading reading, out string? detail)
    {
        Clear();
        detail = general.Read(line, out reading, out var factoryId);
        if (detail is null)
            return Verdict.Accepted;
        Clear();
        reading = new SignedReading(default, default, factoryId, "", null, default);
        return Verdict.Malformed;
    }

    private void Clear()
    {
        metrics.Clear();
        others.Clear();
        batch.Clear();
    }
}
