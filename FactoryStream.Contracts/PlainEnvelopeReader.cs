using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace FactoryStream.Contracts;

/// <summary>
/// Reads envelopes as machines write them: printable ASCII without escapes, no members beside the known ones, numbers without an exponent.
/// It costs a quarter of what a general JSON reader does, for it looks at a byte once and expects the metrics of the reading before.
/// Whatever else it meets it leaves to <see cref="ReadingParser"/>'s general way; what it takes, that one would take with the same result.
/// </summary>
internal sealed class PlainEnvelopeReader(Utf8StringPool names, List<Metric> metrics, List<BatchReading> batch)
{
    // So many digits are exact in a double, and so is their power of ten: one division then rounds once, as IEEE 754 asks for.
    private const int ExactDigits = 15;

    private static readonly double[] PowersOfTen = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    // The names of the last reading's metrics, in their order; the first so many are known to differ from each other.
    private readonly List<(byte[] Utf8, string Text)> expected = new(16);
    private int distinct;

    /// <summary>Takes an envelope apart, or leaves it; then <paramref name="reading"/> and both lists hold nothing of use.</summary>
    public bool TryRead(ReadOnlyMemory<byte> line, out SignedReading reading)
    {
        reading = default;
        var span = line.Span;
        if (span.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E) || span.Contains((byte)'\\'))
            return false;

        var at = 0;
        string? factoryId = null,
            engineId = null,
            keyId = null;
        ReadOnlyMemory<byte> data = default,
            signature = default;
        DateTime measuredAt = default,
            oldestAt = default;
        if (!Take(span, ref at, (byte)'{'))
            return false;
        do
        {
            if (!TryText(span, ref at, out var name) || !Take(span, ref at, (byte)':'))
                return false;
            SkipSpaces(span, ref at);
            var start = at;
            if (name.SequenceEqual("data"u8))
            {
                if (!data.IsEmpty || !TryReading(span, ref at, out factoryId, out engineId, out measuredAt))
                    return false;
                data = line[start..at];
            }
            else if (name.SequenceEqual("signature"u8))
            {
                if (!signature.IsEmpty || !TryText(span, ref at, out var base64) || !SignatureText.IsCanonical(base64))
                    return false;
                signature = line.Slice(start + 1, base64.Length);
            }
            else if (name.SequenceEqual("key_id"u8))
            {
                if (keyId is not null || !TryName(span, ref at, out keyId))
                    return false;
            }
            else if (name.SequenceEqual("batch"u8))
            {
                if (!data.IsEmpty || !TryBatch(span, ref at, out factoryId, out oldestAt, out measuredAt))
                    return false;
                data = line[start..at];
            }
            else
            {
                return false;
            }
        } while (Take(span, ref at, (byte)','));
        if (!Take(span, ref at, (byte)'}'))
            return false;
        SkipSpaces(span, ref at);
        if (at != span.Length || data.IsEmpty || signature.IsEmpty)
            return false;
        reading = engineId is not null
            ? new SignedReading(data, signature, factoryId!, engineId, keyId, measuredAt)
            : new SignedReading(data, signature, factoryId!, "", keyId, measuredAt) { BatchCount = batch.Count, OldestAt = oldestAt };
        return true;
    }

    private bool TryBatch(ReadOnlySpan<byte> span, ref int at, out string? factoryId, out DateTime oldestAt, out DateTime newestAt)
    {
        (factoryId, oldestAt, newestAt) = (null, DateTime.MaxValue, DateTime.MinValue);
        var arrayStart = at;
        if (!Take(span, ref at, (byte)'['))
            return false;
        do
        {
            SkipSpaces(span, ref at);
            int start = at,
                metricStart = metrics.Count;
            if (
                batch.Count == ReadingParser.MaxBatchReadings
                || !TryReading(span, ref at, out var factory, out var engineId, out var measuredAt)
            )
                return false;
            if (factoryId is not null && factory != factoryId)
                return false;
            factoryId = factory;
            batch.Add(new BatchReading(engineId!, measuredAt, start - arrayStart, at - start, metricStart, metrics.Count - metricStart));
            if (measuredAt < oldestAt)
                oldestAt = measuredAt;
            if (measuredAt > newestAt)
                newestAt = measuredAt;
        } while (Take(span, ref at, (byte)','));
        return Take(span, ref at, (byte)']');
    }

    private bool TryReading(ReadOnlySpan<byte> span, ref int at, out string? factoryId, out string? engineId, out DateTime measuredAt)
    {
        (factoryId, engineId, measuredAt) = (null, null, default);
        var hasTime = false;
        var count = 0;
        if (!Take(span, ref at, (byte)'{'))
            return false;
        do
        {
            if (!TryText(span, ref at, out var name) || !Take(span, ref at, (byte)':'))
                return false;
            SkipSpaces(span, ref at);
            if ((uint)at >= (uint)span.Length)
                return false;
            // A metric is a number, and an id is none.
            var valueStart = at;
            if (span[at] != '"')
            {
                if (name.SequenceEqual("timestamp"u8))
                {
                    if (
                        hasTime
                        || !TryNumber(span, ref at, out _)
                        || at - valueStart > ReadingParser.MaxTimestampLength
                        || !Timestamps.TryParseNumber(span[valueStart..at], out measuredAt, out _)
                    )
                        return false;
                    hasTime = true;
                    continue;
                }
                if (!TryNumber(span, ref at, out var value) || !TryMetric(name, count, out var text))
                    return false;
                metrics.Add(new Metric(text, value));
                count++;
            }
            else if (name.SequenceEqual("engine_id"u8))
            {
                if (engineId is not null || !TryName(span, ref at, out engineId))
                    return false;
            }
            else if (name.SequenceEqual("factory_id"u8))
            {
                if (factoryId is not null || !TryName(span, ref at, out factoryId))
                    return false;
            }
            else if (
                !name.SequenceEqual("timestamp"u8)
                || hasTime
                || !TryText(span, ref at, out var time)
                || time.Length > ReadingParser.MaxTimestampLength
                || !Timestamps.TryParse(time, out measuredAt, out _)
            )
            {
                return false;
            }
            else
            {
                hasTime = true;
            }
        } while (Take(span, ref at, (byte)','));
        return Take(span, ref at, (byte)'}') && hasTime && factoryId is not null && engineId is not null;
    }

    /// <summary>The one string of a metric's name, if it is a name and no metric before it in this reading has it.</summary>
    private bool TryMetric(ReadOnlySpan<byte> name, int index, out string text)
    {
        text = "";
        if (index < expected.Count)
        {
            ref var likely = ref CollectionsMarshal.AsSpan(expected)[index];
            if (name.SequenceEqual(likely.Utf8))
            {
                text = likely.Text;
                if (index < distinct)
                    return true;
            }
        }
        if (
            name.IsEmpty
            || name.Length > ReadingParser.MaxNameLength
            || index == ReadingParser.MaxMetrics
            || name.SequenceEqual("factory_id"u8)
            || name.SequenceEqual("engine_id"u8)
            || name.SequenceEqual("timestamp"u8)
        )
            return false;
        if (text.Length == 0)
        {
            text = names.Get(name);
            if (index < expected.Count)
                expected[index] = (name.ToArray(), text);
            else
                expected.Add((name.ToArray(), text));
        }
        distinct = index;
        foreach (ref readonly var earlier in CollectionsMarshal.AsSpan(expected)[..index])
        {
            if (earlier.Text == text)
                return false;
        }
        distinct = index + 1;
        return true;
    }

    private bool TryName(ReadOnlySpan<byte> span, ref int at, out string? name)
    {
        name = null;
        if (!TryText(span, ref at, out var text) || text.IsEmpty || text.Length > ReadingParser.MaxNameLength)
            return false;
        name = names.Get(text);
        return true;
    }

    /// <summary>A string, which here has neither escapes nor control characters.</summary>
    private static bool TryText(ReadOnlySpan<byte> span, ref int at, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (!Take(span, ref at, (byte)'"'))
            return false;
        var length = span[at..].IndexOf((byte)'"');
        if (length < 0)
            return false;
        text = span.Slice(at, length);
        at += length + 1;
        return true;
    }

    /// <summary>A number without an exponent.</summary>
    private static bool TryNumber(ReadOnlySpan<byte> span, ref int at, out double value)
    {
        value = 0;
        var start = at;
        var isNegative = span[at] == '-';
        if (isNegative)
            at++;
        ulong digits = 0;
        var first = at;
        while ((uint)at < (uint)span.Length && (uint)(span[at] - '0') <= 9)
            digits = digits * 10 + (uint)(span[at++] - '0');
        var whole = at - first;
        // JSON wants a digit, and no zero before another.
        if (whole == 0 || (whole > 1 && span[first] == '0'))
            return false;
        var fraction = 0;
        if ((uint)at < (uint)span.Length && span[at] == '.')
        {
            var point = at++;
            while ((uint)at < (uint)span.Length && (uint)(span[at] - '0') <= 9)
                digits = digits * 10 + (uint)(span[at++] - '0');
            fraction = at - point - 1;
            if (fraction == 0)
                return false;
        }
        if ((uint)at >= (uint)span.Length || span[at] is not ((byte)',' or (byte)'}' or (byte)' '))
            return false;
        if (whole + fraction > ExactDigits)
            return Utf8Parser.TryParse(span[start..at], out value, out var length) && length == at - start && double.IsFinite(value);
        value = digits / PowersOfTen[fraction];
        if (isNegative)
            value = -value;
        return true;
    }

    private static bool Take(ReadOnlySpan<byte> span, ref int at, byte wanted)
    {
        SkipSpaces(span, ref at);
        if ((uint)at >= (uint)span.Length || span[at] != wanted)
            return false;
        at++;
        return true;
    }

    private static void SkipSpaces(ReadOnlySpan<byte> span, ref int at)
    {
        while ((uint)at < (uint)span.Length && span[at] == ' ')
            at++;
    }
}
