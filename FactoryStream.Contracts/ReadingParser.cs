using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace FactoryStream.Contracts;

/// <summary>
/// Reads envelopes, of one reading and of a batch. It keeps the exact bytes of <c>data</c> or <c>batch</c> and takes from it only what is needed.
/// One instance a thread: it reuses its buffers.
/// </summary>
public sealed class ReadingParser(Utf8StringPool? names = null)
{
    /// <summary>Longest factory, engine, key id and metric name, in UTF-16 characters.</summary>
    public const int MaxNameLength = 128;

    /// <summary>Most metrics of one reading.</summary>
    public const int MaxMetrics = 256;

    /// <summary>Most readings of one batch. A batch has one verdict and is one line: a machine that made one of all it has could not be told what is wrong with it, nor be made to wait in between.</summary>
    public const int MaxBatchReadings = 1_000;

    private readonly Utf8StringPool names = names ?? new Utf8StringPool();
    private readonly List<Metric> metrics = new(16);
    private readonly List<BatchReading> batch = [];
    private readonly UsualMembers usual = new();
    private (byte[] Utf8, int Length, string? Text) lastFactoryId = (new byte[MaxNameLength * 6], 0, null), lastEngineId = (new byte[MaxNameLength * 6], 0, null);
    private bool isInBatch;

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
                if (ParseData(span, ref json, ref factoryId, ref engineId, ref measuredAt) is { } wrong)
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
                if (ParseBatch(span, ref json, start, ref factoryId, ref oldestAt, ref measuredAt) is { } wrong)
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

    private string? ParseBatch(ReadOnlySpan<byte> line, ref Utf8JsonReader json, int arrayStart, ref string? factoryId, ref DateTime? oldestAt, ref DateTime? newestAt)
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
            var wrong = ParseData(line, ref json, ref factory, ref engineId, ref measuredAt);
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

    private string? ParseData(ReadOnlySpan<byte> line, ref Utf8JsonReader json, ref string? factoryId, ref string? engineId, ref DateTime? measuredAt)
    {
        string? wrong = null;
        int start = (int)json.TokenStartIndex, metricStart = metrics.Count, place = 0;
        var isUsual = true;
        Span<byte> unescaped = stackalloc byte[64];
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            MemberKind kind;
            string? name = null;
            // A machine names its members in the same order every time.
            if (isUsual && usual.TryMatch(place, ref json, out var member))
            {
                (kind, name) = (member.Kind, member.Name);
                place++;
            }
            else
            {
                isUsual = false;
                kind = UsualMembers.KindOf(ref json);
                if (kind == MemberKind.Metric && !TryName(ref json, out name))
                    return "a member's name is none";
            }
            json.Read();
            switch (kind)
            {
                case MemberKind.FactoryId:
                    if (factoryId is not null)
                        return "factory_id twice";
                    if (json.TokenType != JsonTokenType.String || !TryName(ref json, ref lastFactoryId, out factoryId))
                        return "factory_id is no id";
                    break;
                case MemberKind.EngineId:
                    if (engineId is not null)
                        return "engine_id twice";
                    if (json.TokenType != JsonTokenType.String || !TryName(ref json, ref lastEngineId, out engineId))
                        return "engine_id is no id";
                    break;
                case MemberKind.Timestamp:
                    if (measuredAt is not null)
                        return "timestamp twice";
                    if (json.TokenType != JsonTokenType.String || json.ValueSpan.Length > 64)
                        return "the timestamp is no time";
                    var text = json.ValueIsEscaped ? unescaped[..json.CopyString(unescaped)] : json.ValueSpan;
                    // A later member may still name the factory, so that the rejection can be put on its books.
                    if (Timestamps.TryParse(text, out var time, out var error))
                        measuredAt = time;
                    else
                        wrong ??= error;
                    break;
                case MemberKind.Metric:
                    if (json.TokenType != JsonTokenType.Number || !Numbers.TryGet(ref json, out var value))
                    {
                        wrong ??= $"metric {name} is no number";
                        json.Skip();
                        break;
                    }
                    // The usual members are all different.
                    if (!isUsual && Has(MetricsSpan[metricStart..], name!))
                        return $"member {name} twice";
                    if (metrics.Count - metricStart == MaxMetrics)
                        return $"more than {MaxMetrics} metrics";
                    metrics.Add(new Metric(name!, value));
                    break;
            }
        }
        if (wrong is not null)
            return wrong;
        if (factoryId is null)
            return "no factory_id";
        if (engineId is null)
            return "no engine_id";
        if (measuredAt is null)
            return "no timestamp";
        if (!isUsual)
            usual.Learn(line[start..(int)json.BytesConsumed], names);
        return null;
    }

    private static bool Has(ReadOnlySpan<Metric> metrics, string name)
    {
        foreach (ref readonly var metric in metrics)
        {
            if (metric.Name == name)
                return true;
        }
        return false;
    }

    /// <summary>As below, but first compared with the one before: an id seldom changes from one reading to the next.</summary>
    private bool TryName(ref Utf8JsonReader json, ref (byte[] Utf8, int Length, string? Text) last, out string? name)
    {
        if (!json.ValueIsEscaped && last.Text is not null && last.Utf8.AsSpan(0, last.Length).SequenceEqual(json.ValueSpan))
        {
            name = last.Text;
            return true;
        }
        if (!TryName(ref json, out name))
            return false;
        if (!json.ValueIsEscaped)
        {
            json.ValueSpan.CopyTo(last.Utf8);
            (last.Length, last.Text) = (json.ValueSpan.Length, name);
        }
        return true;
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
