using System.Text.Json;
using System.Text.Unicode;

namespace FactoryStream.Contracts;

/// <summary>
/// The general way of <see cref="ReadingParser"/>: whatever JSON allows, and for all else words that say which member is wrong, what was
/// found and what is expected.
/// </summary>
/// <param name="names">The pool that gives names and ids their one string.</param>
/// <param name="metrics">The list that metrics are added to.</param>
/// <param name="others">The list that the names of members are added to that are no metrics.</param>
/// <param name="batch">The list that a batch's readings are added to.</param>
internal sealed class EnvelopeReader(Utf8StringPool names, List<Metric> metrics, List<string> others, List<BatchReading> batch)
{
    private const string ExpectedName = "text of 1 to 128 characters without control characters";

    private readonly MemberNames members = new();
    private bool isInBatch;

    /// <summary>As <see cref="ReadingParser.TryParse"/>; the lists must be empty.</summary>
    /// <returns>What is wrong, in words for a person; null when nothing is.</returns>
    public string? Read(ReadOnlyMemory<byte> line, out SignedReading reading, out string factoryId)
    {
        string? factory = null;
        isInBatch = false;
        string? wrong;
        try
        {
            wrong = Parse(line, out reading, ref factory);
        }
        catch (JsonException exception)
        {
            reading = default;
            wrong = FoundWords.NotJson(line.Span, exception);
        }
        catch (InvalidOperationException)
        {
            // The reader's own word for a string that is no text; what is asked of strings here should leave it none to say it of.
            reading = default;
            wrong = "envelope: expected text, found half a surrogate pair";
        }
        if (wrong is not null && isInBatch)
            wrong = $"reading {batch.Count}: {wrong}";
        factoryId = factory ?? "";
        return wrong;
    }

    private string? Parse(ReadOnlyMemory<byte> line, out SignedReading reading, ref string? factoryId)
    {
        reading = default;
        var span = line.Span;
        // PostgreSQL stores text only as UTF-8; the reader itself lets broken sequences inside strings pass.
        if (!Utf8.IsValid(span))
            return "envelope: expected UTF-8, found other bytes";

        var json = new Utf8JsonReader(span, new JsonReaderOptions { MaxDepth = 8 });
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            return $$"""envelope: expected an object {"data": ..., "signature": ...}, found {{FoundWords.Of(json)}}""";

        ReadOnlyMemory<byte> data = default,
            signature = default;
        string? engineId = null,
            keyId = null;
        DateTime? measuredAt = null,
            oldestAt = null;
        bool hasData = false,
            hasBatch = false,
            hasSignature = false,
            hasKeyId = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (StorableText.IsBroken(json.ValueSpan))
                return $"member {FoundWords.Of(json)}: expected a name that is {ExpectedName}";
            if (json.ValueTextEquals("data"u8))
            {
                if (hasData)
                    return "data: given twice";
                if (hasBatch)
                    return "data: expected either data or batch, found both";
                hasData = true;
                json.Read();
                if (json.TokenType != JsonTokenType.StartObject)
                    return $"data: expected an object, found {FoundWords.Of(json)}";
                var start = (int)json.TokenStartIndex;
                if (ParseData(ref json, span, ref factoryId, ref engineId, ref measuredAt) is { } wrong)
                    return wrong;
                data = line[start..(int)json.BytesConsumed];
            }
            else if (json.ValueTextEquals("batch"u8))
            {
                if (hasBatch)
                    return "batch: given twice";
                if (hasData)
                    return "batch: expected either data or batch, found both";
                hasBatch = true;
                json.Read();
                if (json.TokenType != JsonTokenType.StartArray)
                    return $"batch: expected an array, found {FoundWords.Of(json)}";
                var start = (int)json.TokenStartIndex;
                if (ParseBatch(ref json, span, start, ref factoryId, ref oldestAt, ref measuredAt) is { } wrong)
                    return wrong;
                data = line[start..(int)json.BytesConsumed];
            }
            else if (json.ValueTextEquals("signature"u8))
            {
                if (hasSignature)
                    return "signature: given twice";
                hasSignature = true;
                json.Read();
                if (!MemberValues.TrySignature(json, line, out signature))
                    return $"signature: expected base64, found {FoundWords.Of(json)}";
            }
            else if (json.ValueTextEquals("key_id"u8))
            {
                if (hasKeyId)
                    return "key_id: given twice";
                hasKeyId = true;
                json.Read();
                if (json.TokenType != JsonTokenType.Null && !MemberValues.TryText(json, names, out keyId))
                    return $"key_id: expected {ExpectedName}, found {FoundWords.Of(json)}";
            }
            else
            {
                json.Skip();
            }
        }
        // Read to the end: anything but white space behind the envelope throws.
        while (json.Read()) { }

        if (!hasData && !hasBatch)
            return "data: missing";
        if (!hasSignature)
            return "signature: missing";
        reading = hasData
            ? new SignedReading(data, signature, factoryId!, engineId!, keyId, measuredAt!.Value)
            : new SignedReading(data, signature, factoryId!, "", keyId, measuredAt!.Value)
            {
                BatchCount = batch.Count,
                OldestAt = oldestAt!.Value,
            };
        return null;
    }

    private string? ParseBatch(
        ref Utf8JsonReader json,
        ReadOnlySpan<byte> span,
        int arrayStart,
        ref string? factoryId,
        ref DateTime? oldestAt,
        ref DateTime? newestAt
    )
    {
        isInBatch = true;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (batch.Count == ReadingParser.MaxBatchReadings)
            {
                isInBatch = false;
                return $"batch: expected at most {ReadingParser.MaxBatchReadings} readings, found more";
            }
            if (json.TokenType != JsonTokenType.StartObject)
                return $"expected an object, found {FoundWords.Of(json)}";
            int start = (int)json.TokenStartIndex,
                metricStart = metrics.Count;
            string? factory = null,
                engineId = null;
            DateTime? measuredAt = null;
            var wrong = ParseData(ref json, span, ref factory, ref engineId, ref measuredAt);
            // One key signs them all, and a key is one factory's.
            if (wrong is null && factoryId is not null && factory != factoryId)
                wrong = $"factory_id: expected '{factoryId}' as in the readings before, found '{factory}'";
            factoryId ??= factory;
            if (wrong is not null)
                return wrong;
            var time = measuredAt!.Value;
            batch.Add(
                new BatchReading(
                    engineId!,
                    time,
                    start - arrayStart,
                    (int)json.BytesConsumed - start,
                    metricStart,
                    metrics.Count - metricStart
                )
            );
            if (!(oldestAt <= time))
                oldestAt = time;
            if (!(newestAt >= time))
                newestAt = time;
        }
        isInBatch = false;
        return batch.Count == 0 ? "batch: expected 1 to 1000 readings, found none" : null;
    }

    /// <summary>
    /// Reads a reading. A wrong value does not end it: a later member may still name the factory, so that the rejection is counted in its
    /// ledger.
    /// </summary>
    private string? ParseData(
        ref Utf8JsonReader json,
        ReadOnlySpan<byte> span,
        ref string? factoryId,
        ref string? engineId,
        ref DateTime? measuredAt
    )
    {
        string? wrong = null;
        bool hasFactory = false,
            hasEngine = false,
            hasTime = false;
        members.Clear();
        int metricStart = metrics.Count,
            otherStart = others.Count;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (!MemberValues.TryText(json, names, out var name))
                return $"member {FoundWords.Of(json)}: expected a name that is {ExpectedName}";
            var isNew = name switch
            {
                "factory_id" => !hasFactory,
                "engine_id" => !hasEngine,
                "timestamp" => !hasTime,
                _ => members.TryAdd(name),
            };
            if (!isNew)
                return $"{name}: given twice";
            if (MemberValues.NoNumber(span[(int)json.BytesConsumed..]) is { } noNumber)
                return $"{name}: expected a finite number, found {noNumber}; leave the member out, or send null, where there is no value";
            json.Read();
            switch (name)
            {
                case "factory_id":
                    hasFactory = true;
                    if (!MemberValues.TryText(json, names, out factoryId))
                        wrong ??= $"factory_id: expected {ExpectedName}, found {FoundWords.Of(json)}";
                    break;
                case "engine_id":
                    hasEngine = true;
                    if (!MemberValues.TryText(json, names, out engineId))
                        wrong ??= $"engine_id: expected {ExpectedName}, found {FoundWords.Of(json)}";
                    break;
                case "timestamp":
                    hasTime = true;
                    if (MemberValues.TryTime(json, out var time, out var expected))
                        measuredAt = time;
                    else
                        wrong ??= $"timestamp: expected {expected}, found {FoundWords.Of(json)}";
                    break;
                default:
                    if (json.TokenType != JsonTokenType.Number)
                        others.Add(name);
                    else if (json.TryGetDouble(out var value) && double.IsFinite(value))
                        metrics.Add(new Metric(name, value));
                    else
                        wrong ??=
                            $"{name}: expected a finite number, found {FoundWords.Of(json)}; leave the member out, or send null, where "
                            + "there is no value";
                    if (metrics.Count - metricStart > ReadingParser.MaxMetrics)
                        return $"data: expected at most {ReadingParser.MaxMetrics} metrics, found more";
                    if (others.Count - otherStart > ReadingParser.MaxOthers)
                        return $"data: expected at most {ReadingParser.MaxOthers} members that are no numbers, found more";
                    break;
            }
            if (!MemberValues.TrySkipText(ref json))
                wrong ??= $"{name}: expected text, found a NUL character or half a surrogate pair";
        }
        return wrong
            ?? (
                factoryId is null ? "factory_id: missing"
                : engineId is null ? "engine_id: missing"
                : measuredAt is null ? "timestamp: missing"
                : null
            );
    }
}
