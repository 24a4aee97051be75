using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Verifier.Verification;

namespace FactoryStream.Verifier.Topics;

/// <summary>The form of what is written to <c>readings.verified</c> and <c>readings.rejected</c>: values and headers.</summary>
internal static class VerdictMessages
{
    private static readonly byte[] FramingSingle = "single"u8.ToArray();
    private static readonly byte[] ByVerifier = "verifier"u8.ToArray();
    private static readonly byte[] LedgerUnknown = Encoding.ASCII.GetBytes(MessageHeaders.LedgerUnknown);

    private static readonly byte[][] Reasons = [.. Enum.GetValues<Verdict>().Select(verdict => Encoding.ASCII.GetBytes(verdict.ToName()))];

    public static byte[] Utf8(DateTimeOffset moment) =>
        Encoding.ASCII.GetBytes(moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));

    /// <summary>
    /// Writes an accepted line: <c>{"data":{...},"signature":"...","key_id":"..."}</c>, or <c>{"batch":[...],...}</c>, the data byte for
    /// byte as it came. False, and nothing written, where it would be more than one line.
    /// </summary>
    public static bool TryWrite(ArrayBufferWriter<byte> value, in CheckedLine line, bool goesAlone)
    {
        var data = line.Reading.Data.Span;
        var signature = line.Reading.Signature.Span;
        var keyId = line.Key!.KeyIdUtf8;
        var span = value.GetSpan(data.Length + signature.Length + keyId.Length + 64);
        var length = 0;
        if (value.WrittenCount > 0)
            span[length++] = (byte)'\n';
        Append(span, line.Reading.IsBatch ? """{"batch":"""u8 : """{"data":"""u8, ref length);
        Append(span, data, ref length);
        Append(span, ""","signature":" """u8[..^1], ref length);
        Append(span, signature, ref length);
        Append(span, "\",\"key_id\":\""u8, ref length);
        Append(span, keyId, ref length);
        Append(span, "\"}"u8, ref length);
        if (!goesAlone && span[(value.WrittenCount > 0 ? 1 : 0)..length].Contains((byte)'\n'))
            return false;
        value.Advance(length);
        return true;

        static void Append(Span<byte> span, ReadOnlySpan<byte> part, ref int length)
        {
            part.CopyTo(span[length..]);
            length += part.Length;
        }
    }

    /// <summary>The message of the accepted lines, whose header <c>source</c> names the rejected ones.</summary>
    /// <param name="pending">The accepted lines and the source messages.</param>
    /// <param name="topicId">The source topic's id.</param>
    /// <param name="verdictTime">When the verdicts were given.</param>
    /// <param name="isSingle">The value is one envelope, line breaks and all.</param>
    /// <param name="share">The header of a signed batch that other partitions got as well; null: it is none.</param>
    /// <param name="trace">What the trace goes on from; default: there is none.</param>
    public static Message<byte[]?, byte[]> Verified(
        PendingVerdicts pending,
        byte[] topicId,
        byte[] verdictTime,
        bool isSingle,
        byte[]? share,
        ActivityContext trace
    )
    {
        var headers = new Headers
        {
            { MessageHeaders.Source, Encoding.ASCII.GetBytes(SourcePositions.Format(pending.Sources)) },
            { MessageHeaders.SourceTopicId, topicId },
            { MessageHeaders.VerdictTime, verdictTime },
        };
        if (isSingle)
            headers.Add(MessageHeaders.Framing, FramingSingle);
        if (share is not null)
            headers.Add(MessageHeaders.BatchShare, share);
        if (MessageTracing.TraceParentOf(trace) is { } traceParent)
            headers.Add(MessageHeaders.TraceParent, Encoding.ASCII.GetBytes(traceParent));
        return new()
        {
            Key = pending.Key,
            Value = pending.Value.WrittenSpan.ToArray(),
            Headers = headers,
        };
    }

    /// <summary>The message of a rejected line.</summary>
    /// <param name="line">The line, with its verdict.</param>
    /// <param name="source">Where it stands in <c>readings.signed</c>.</param>
    /// <param name="ledger">The factory in whose ledger it is counted; "" where there is none.</param>
    /// <param name="topicId">The source topic's id.</param>
    /// <param name="verdictTime">When the verdict was given.</param>
    /// <param name="trace">What the trace goes on from; default: there is none.</param>
    public static Message<byte[]?, byte[]> Rejected(
        in CheckedLine line,
        SourcePosition source,
        string ledger,
        byte[] topicId,
        byte[] verdictTime,
        ActivityContext trace
    )
    {
        var factoryId = line.Reading.FactoryId ?? "";
        var headers = new Headers
        {
            { MessageHeaders.Reason, Reasons[(int)line.Verdict] },
            { MessageHeaders.RejectedBy, ByVerifier },
            { MessageHeaders.RejectedAt, verdictTime },
            { MessageHeaders.Source, Encoding.ASCII.GetBytes(source.ToString()) },
            { MessageHeaders.SourceTopicId, topicId },
        };
        if (line.Count != 1)
            headers.Add(MessageHeaders.Readings, Encoding.ASCII.GetBytes(line.Count.ToString(CultureInfo.InvariantCulture)));
        if (line.Detail is not null)
            headers.Add(MessageHeaders.Detail, Encoding.UTF8.GetBytes(line.Detail));
        if (factoryId.Length > 0)
            headers.Add(MessageHeaders.FactoryId, Encoding.UTF8.GetBytes(factoryId));
        if (factoryId != ledger)
            headers.Add(MessageHeaders.Ledger, LedgerUnknown);
        if (MessageTracing.TraceParentOf(trace) is { } traceParent)
            headers.Add(MessageHeaders.TraceParent, Encoding.ASCII.GetBytes(traceParent));
        return new() { Value = line.Raw.ToArray(), Headers = headers };
    }
}
