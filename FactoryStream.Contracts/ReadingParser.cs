using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace FactoryStream.Contracts;

/// <summary>
/// Reads envelopes, of one reading and of a batch. It keeps the exact bytes of <c>data</c> or <c>batch</c> and takes from it only what is needed.
/// One instance a thread: it reuses its buffers.
/// </summary>
public sealed class ReadingParser
{
    /// <summary>Longest factory, engine, key id and metric name, in UTF-16 characters.</summary>
    public const int MaxNameLength = 128;

    /// <summary>Most metrics of one reading.</summary>
    public const int MaxMetrics = 256;

    /// <summary>Most readings of one batch. A batch has one verdict and is one line: a machine that made one of all it has could not be told what is wrong with it, nor be made to wait in between.</summary>
    public const int MaxBatchReadings = 1_000;

    /// <summary>Longest timestamp, in bytes as they stand in the JSON.</summary>
    internal const int MaxTimestampLength = 64;

    private readonly Utf8StringPool names;
    private readonly List<Metric> metrics = new(16);
    private readonly List<BatchReading> batch = [];
    private readonly PlainEnvelopeReader plain;
    private bool isInBatch;

    /// <param name="names">Shared with other parsers of the same thread; null: one of its own.</param>
    public ReadingParser(Utf8StringPool? names = null)
    {
        this.names = names ?? new Utf8StringPool();
        plain = new PlainEnvelopeReader(this.names, metrics, batch);
    }

    /// <summary>The metrics of the reading parsed last, in the machine's order; of a batch, those of all its readings. Overwritten by the next call.</summary>
    public IReadOnlyList<Metric> Metrics => metrics;

    /// <summary>As <see cref="Metrics"/>, without the interface in between.</summary>
    public ReadOnlySpan<Metric> MetricsSpan => CollectionsMarshal.AsSpan(metrics);

    /// <summary>The readings of the batch parsed last, in the array's order; none of an envelope of one reading. Overwritten by the next call.</summary>
    public ReadOnlySpan<BatchReading> BatchReadings => CollectionsMarshal.AsSpan(batch);

    /// <summary>The metrics of one of <see cref="BatchReadings"/>.</summary>
    public ReadOnlySpan<Metric> MetricsOf(in BatchReading reading) => MetricsSpan.Slice(reading.MetricStart, reading.MetricCount);

    /// <summary>
    /// Takes an envelope apart.
    /// Samples: <c>{"data": {"factory_id": "factory_001", "engine_id": "engine_001", "timestamp": "2026-02-25 06:13:20", "rpm": 3001}, "signature": "J5Bz…"}</c>,
    /// <c>{"batch": [{"factory_id": "factory_001", …}, {"factory_id": "factory_001", …}], "signature": "J5Bz…"}</c>
    /// </summary>
    /// <param name="line">One envelope, without the line's end. White space, line breaks included, may stand wherever JSON allows it.</param>
    /// <param name="reading">The parts; of a malformed envelope only <see cref="SignedReading.FactoryId"/> where it could be read, else empty.</param>
    /// <param name="detail">What is wrong, in words for a person; null when accepted.</param>
    /// <returns><see cref="Verdict.Accepted"/> (well formed, nothing more) or <see cref="Verdict.Malformed"/>.</returns>
    public Verdict TryParse(ReadOnlyMemory<byte> line, out SignedReading reading, out string? detail)
    {
        metrics.Clear();
        batch.Clear();
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
        metrics.Clear();
        batch.Clear();
        isInBatch = false;
        string? factoryId = null;
        try
        {
            detail = Parse(line, out reading, ref factoryId);
        }
        catch (JsonException exception)
        {
            reading = default;
            detail = $"not JSON: byte {exception.BytePositionInLine ?? 0}";
        }
        if (detail is null)
            return Verdict.Accepted;
        if (isInBatch)
            detail = $"reading {batch.Count}: {detail}";
        batch.Clear();
        reading = new SignedReading(default, default, factoryId ?? "", "", null, default);
        return Verdict.Malformed;
    }

    private string? Parse(ReadOnlyMemory<byte> line, out SignedReading reading, ref string? factoryId)
    {
        reading = default;
        var span = line.Span;
        // PostgreSQL stores text only as UTF-8; the reader itself lets broken sequences inside strings pass.
        if (!Utf8.IsValid(span))
            return "not UTF-8";

        var json = new Utf8JsonReader(span, new JsonReaderOptions { MaxDepth = 8 });
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            return "not an object";

        ReadOnlyMemory<byte> data = default, signature = default;
        string? engineId = null, keyId = null;
        DateTime? measuredAt = null, oldestAt = null;
        bool hasData = false, hasBatch = false, hasSignature = false, hasKeyId = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("data"u8))
            {
                if (hasData)
                    return "data twice";
                if (hasBatch)
                    return "data and batch";
                hasData = true;
                json.Read();
                if (json.TokenType != JsonTokenType.StartObject)
                    return "data is not an object";
                var start = (int)json.TokenStartIndex;
                if (ParseData(ref json, ref factoryId, ref engineId, ref measuredAt) is { } wrong)
                    return wrong;
                data = line[start..(int)json.BytesConsumed];
            }
            else if (json.ValueTextEquals("batch"u8))
            {
                if (hasBatch)
                    return "batch twice";
                if (hasData)
                    return "data and batch";
                hasBatch = true;
                json.Read();
                if (json.TokenType != JsonTokenType.StartArray)
                    return "batch is not an array";
                var start = (int)json.TokenStartIndex;
                if (ParseBatch(ref json, start, ref factoryId, ref oldestAt, ref measuredAt) is { } wrong)
                    return wrong;
                data = line[start..(int)json.BytesConsumed];
            }
            else if (json.ValueTextEquals("signature"u8))
            {
                if (hasSignature)
                    return "signature twice";
                hasSignature = true;
                json.Read();
                if (json.TokenType != JsonTokenType.String)
                    return "the signature is not a string";
                if (json.ValueIsEscaped)
                {
                    // JSON may write "/" as "\/": rare, so it costs a copy.
                    var unescaped = new byte[json.ValueSpan.Length];
                    signature = unescaped.AsMemory(0, json.CopyString(unescaped));
                }
                else
                {
                    signature = line.Slice((int)json.TokenStartIndex + 1, json.ValueSpan.Length);
                }
                if (signature.IsEmpty || !Base64.IsValid(signature.Span))
                    return "the signature is not base64";
            }
            else if (json.ValueTextEquals("key_id"u8))
            {
                if (hasKeyId)
                    return "key_id twice";
                hasKeyId = true;
                json.Read();
                if (json.TokenType == JsonTokenType.Null)
                    continue;
                if (json.TokenType != JsonTokenType.String || !TryName(ref json, out keyId))
                    return "key_id is no id";
            }
            else
            {
                json.Skip();
            }
        }
        // Read to the end: anything but white space behind the envelope throws.
        while (json.Read())
        {
        }

        if (!hasData && !hasBatch)
            return "no data";
        if (!hasSignature)
            return "no signature";
        reading = hasData
            ? new SignedReading(data, signature, factoryId!, engineId!, keyId, measuredAt!.Value)
            : new SignedReading(data, signature, factoryId!, "", keyId, measuredAt!.Value) { BatchCount = batch.Count, OldestAt = oldestAt!.Value };
        return null;
    }

    private string? ParseBatch(ref Utf8JsonReader json, int arrayStart, ref string? factoryId, ref DateTime? oldestAt, ref DateTime? newestAt)
    {
        isInBatch = true;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (batch.Count == MaxBatchReadings)
            {
                isInBatch = false;
                return $"more than {MaxBatchReadings} readings";
            }
            if (json.TokenType != JsonTokenType.StartObject)
                return "it is not an object";
            int start = (int)json.TokenStartIndex, metricStart = metrics.Count;
            string? factory = null, engineId = null;
            DateTime? measuredAt = null;
            var wrong = ParseData(ref json, ref factory, ref engineId, ref measuredAt);
            // One key signs them all, and a key is one factory's.
            if (wrong is null && factoryId is not null && factory != factoryId)
                wrong = $"it is of {factory}, the others of {factoryId}";
            factoryId ??= factory;
            if (wrong is not null)
                return wrong;
            var time = measuredAt!.Value;
            batch.Add(new BatchReading(engineId!, time, start - arrayStart, (int)json.BytesConsumed - start, metricStart, metrics.Count - metricStart));
            if (!(oldestAt <= time))
                oldestAt = time;
            if (!(newestAt >= time))
                newestAt = time;
        }
        isInBatch = false;
        return batch.Count == 0 ? "a batch without readings" : null;
    }

    private string? ParseData(ref Utf8JsonReader json, ref string? factoryId, ref string? engineId, ref DateTime? measuredAt)
    {
        string? wrong = null;
        var metricStart = metrics.Count;
        Span<byte> unescaped = stackalloc byte[MaxTimestampLength];
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("factory_id"u8))
            {
                if (factoryId is not null)
                    return "factory_id twice";
                json.Read();
                if (json.TokenType != JsonTokenType.String || !TryName(ref json, out factoryId))
                    return "factory_id is no id";
            }
            else if (json.ValueTextEquals("engine_id"u8))
            {
                if (engineId is not null)
                    return "engine_id twice";
                json.Read();
                if (json.TokenType != JsonTokenType.String || !TryName(ref json, out engineId))
                    return "engine_id is no id";
            }
            else if (json.ValueTextEquals("timestamp"u8))
            {
                if (measuredAt is not null)
                    return "timestamp twice";
                json.Read();
                if (json.TokenType != JsonTokenType.String || json.ValueSpan.Length > MaxTimestampLength)
                    return "the timestamp is no time";
                var text = json.ValueIsEscaped ? unescaped[..json.CopyString(unescaped)] : json.ValueSpan;
                // A later member may still name the factory, so that the rejection can be put on its books.
                if (Timestamps.TryParse(text, out var time, out var error))
                    measuredAt = time;
                else
                    wrong ??= error;
            }
            else
            {
                if (!TryName(ref json, out var name))
                    return "a member's name is none";
                json.Read();
                if (json.TokenType != JsonTokenType.Number || !json.TryGetDouble(out var value) || !double.IsFinite(value))
                {
                    wrong ??= $"metric {name} is no number";
                    json.Skip();
                    continue;
                }
                foreach (ref readonly var metric in MetricsSpan[metricStart..])
                {
                    if (metric.Name == name)
                        return $"member {name} twice";
                }
                if (metrics.Count - metricStart == MaxMetrics)
                    return $"more than {MaxMetrics} metrics";
                metrics.Add(new Metric(name!, value));
            }
        }
        if (wrong is not null)
            return wrong;
        if (factoryId is null)
            return "no factory_id";
        if (engineId is null)
            return "no engine_id";
        return measuredAt is null ? "no timestamp" : null;
    }

    /// <summary>Reads an id or a name: 1 to 128 characters, none of them a control character or half a surrogate pair (PostgreSQL's text takes neither).</summary>
    private bool TryName(ref Utf8JsonReader json, out string? name)
    {
        name = null;
        if (json.ValueSpan.IsEmpty || json.ValueSpan.Length > MaxNameLength * 6)
            return false;
        if (!json.ValueIsEscaped)
        {
            // Unescaped JSON strings hold no control characters below 0x20, so the pool's text needs no further look but for its length and DEL.
            name = names.Get(json.ValueSpan);
        }
        else
        {
            Span<byte> unescaped = stackalloc byte[MaxNameLength * 6];
            try
            {
                name = names.Get(unescaped[..json.CopyString(unescaped)]);
            }
            catch (InvalidOperationException)
            {
                // Half a surrogate pair, written as an escape: no text.
                return false;
            }
            foreach (var character in name)
            {
                if (char.IsControl(character))
                    return false;
            }
        }
        return name.Length is > 0 and <= MaxNameLength;
    }
}
