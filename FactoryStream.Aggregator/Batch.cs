using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.Signatures;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator;

/// <summary>
/// A reading out of a verified message. Its bytes are slices of the message's value and of the batch's own buffers.
/// It has a signature of its own, or is of the signed batch <see cref="SignedBatch"/> of <see cref="Batch.SignedBatches"/> (-1: of none).
/// </summary>
internal readonly record struct DecodedReading(
    int Partition, string FactoryId, string EngineId, string KeyId, DateTime MeasuredAt, DateTime VerdictAt,
    ReadOnlyMemory<byte> Data, int SignatureStart, int SignatureLength, int MetricStart, int MetricCount, int SignedBatch);

/// <summary>A signed batch out of a verified message: the evidence of several readings.</summary>
internal readonly record struct DecodedBatch(
    string KeyId, DateTime MeasuredUntil, DateTime VerdictAt, ReadOnlyMemory<byte> Data, byte[] Sha256, int SignatureStart, int SignatureLength);

/// <summary>
/// What several messages of several partitions bring, decoded and ready for one transaction. Filled by the consuming thread while the batch before it commits;
/// reused, so that its buffers grow once. Not thread-safe.
/// </summary>
internal sealed class Batch(ILogger logger, AggregatorMetrics instruments)
{
    private const int HashLength = 32;

    private readonly ReadingParser parser = new();
    private readonly List<DecodedReading> readings = [];
    private readonly List<DecodedBatch> signedBatches = [];
    private readonly List<Metric> metrics = [];
    private readonly HashSet<PartitionProgress> touched = [];
    private readonly BatchBytes bytes = new();
    private byte[] hashes = new byte[HashLength * 1024];
    private byte[] signatures = new byte[256 * 1024];
    private int signaturesLength;

    public IReadOnlyList<DecodedReading> Readings => readings;

    public IReadOnlyList<DecodedBatch> SignedBatches => signedBatches;

    public List<RejectionEntry> Rejections { get; } = [];

    /// <summary>As <see cref="Readings"/>, without the interface in between.</summary>
    public ReadOnlySpan<DecodedReading> ReadingsSpan => CollectionsMarshal.AsSpan(readings);

    /// <summary>Readings of <c>readings.signed</c> whose fate this batch settles though they are not among <see cref="Readings"/>, by partition and factory.</summary>
    public Dictionary<(int Partition, string FactoryId), long> AcceptedElsewhere { get; } = [];

    /// <summary>Messages that retention took before they were taken in, by topic and partition.</summary>
    public Dictionary<(string Topic, int Partition), long> Losses { get; } = [];

    /// <summary>The sampled traces of the batch's messages.</summary>
    public List<ActivityContext> Traces { get; } = [];

    public List<CheckpointStep> Steps { get; } = [];

    public int MessageCount { get; private set; }

    /// <summary>What its messages' values hold of memory.</summary>
    public long ByteCount { get; private set; }

    public ReadOnlyMemory<byte> Hash(int index) => hashes.AsMemory(index * HashLength, HashLength);

    public UInt128 Identity(int index) => MemoryMarshal.Read<UInt128>(hashes.AsSpan(index * HashLength));

    public ReadOnlyMemory<byte> Signature(in DecodedReading reading) => signatures.AsMemory(reading.SignatureStart, reading.SignatureLength);

    public ReadOnlyMemory<byte> Signature(in DecodedBatch signed) => signatures.AsMemory(signed.SignatureStart, signed.SignatureLength);

    public ReadOnlySpan<Metric> Metrics(in DecodedReading reading) => CollectionsMarshal.AsSpan(metrics).Slice(reading.MetricStart, reading.MetricCount);

    public void Clear()
    {
        readings.Clear();
        signedBatches.Clear();
        metrics.Clear();
        touched.Clear();
        signaturesLength = 0;
        Rejections.Clear();
        AcceptedElsewhere.Clear();
        Losses.Clear();
        ByteCount = 0;
        Traces.Clear();
        Steps.Clear();
        MessageCount = 0;
        bytes.Reset();
    }

    /// <summary>Ends the decoding: the steps that the transaction takes its partitions on.</summary>
    public void Seal(IEnumerable<PartitionProgress> alsoFenced)
    {
        foreach (var progress in alsoFenced)
            touched.Add(progress);
        foreach (var progress in touched)
            Steps.Add(progress.TakeStep());
    }

    /// <summary>Takes readings out whose signing key nobody has enrolled: another hand than the Verifier's wrote them.</summary>
    public void RejectUnknownKeys(Func<string, bool> isKnown) =>
        Reject(i => isKnown(readings[i].KeyId) ? null
            : (Verdict.UnknownKey, $"verified with key {readings[i].KeyId}, which is not enrolled"));

    /// <summary>Takes readings out that are not to be stored: each becomes a rejection, and counts as accepted by Ingest.</summary>
    /// <param name="reasonOf">Why not, by a reading's index; null: it stays. Asked in order, once each.</param>
    public void Reject(Func<int, (Verdict Reason, string Detail)?> reasonOf)
    {
        var kept = 0;
        for (var i = 0; i < readings.Count; i++)
        {
            var reading = readings[i];
            if (reasonOf(i) is not { } wrong)
            {
                readings[kept] = reading;
                Hash(i).CopyTo(hashes.AsMemory(kept * HashLength));
                kept++;
                continue;
            }
            CountAccepted(reading.Partition, reading.FactoryId, 1);
            Rejections.Add(new RejectionEntry(reading.Partition, reading.VerdictAt, reading.FactoryId, wrong.Reason.ToName(), false,
                wrong.Detail, reading.Data.ToArray(), null, null));
        }
        readings.RemoveRange(kept, readings.Count - kept);
    }

    /// <summary>Takes a message in, with a copy of its value.</summary>
    public void Add(ConsumeResult<Ignore, ReadOnlyMemory<byte>> message, PartitionProgress progress)
    {
        message.Message.Value = bytes.Keep(message.Message.Value.Span);
        MessageCount++;
        ByteCount += message.Message.Value.Length;
        touched.Add(progress);
        if (message.Offset > progress.NextOffset)
        {
            // Kafka's logs have no holes of their own here, for nothing is compacted and nothing transactional: this one is retention's.
            logger.Gap(message.Topic, message.Partition, progress.NextOffset, message.Offset - 1);
            Lose(message.Topic, message.Partition, message.Offset - progress.NextOffset);
            progress.IsBehindGap = true;
        }
        progress.NextOffset = message.Offset + 1;
        if (MessageTracing.TryParse(Text(message, MessageHeaders.TraceParent), out var trace))
            Traces.Add(trace);
        var wrong = message.Topic == Topics.Verified ? AddVerified(message, progress) : AddRejected(message, progress);
        if (wrong is null)
            return;
        // Somebody else wrote to the topic. It is nobody's reading, so it is on no factory's books, but it is kept.
        logger.ForeignMessage(message.Topic, message.Partition, message.Offset, wrong);
        Rejections.Add(new RejectionEntry(message.Partition, MessageTime.Of(message.Message.Timestamp), null, Verdict.Malformed.ToName(), true,
            $"{message.Topic}: {wrong}", message.Message.Value.ToArray(), null, null));
    }

    private void Lose(string topic, int partition, long messages) =>
        CollectionsMarshal.GetValueRefOrAddDefault(Losses, (topic, partition), out _) += messages;

    private string? AddVerified(ConsumeResult<Ignore, ReadOnlyMemory<byte>> message, PartitionProgress progress)
    {
        if (Text(message, MessageHeaders.Source) is not { } header || !SourcePositions.TryParse(header, out var sources))
            return "no source positions";
        if (Text(message, MessageHeaders.SourceTopicId) is not { } sourceTopicId)
            return "no source topic id";
        if (!MessageTime.TryParse(Text(message, MessageHeaders.VerdictTime), out var verdictAt))
            return "no verdict time";
        int[]? share = null;
        if (message.Message.Headers.TryGetLastBytes(MessageHeaders.BatchShare, out var shareHeader) && !BatchShare.TryParse(shareHeader, out share))
            return "no share of a batch";
        var lines = MessageLines.Split(message.Message.Value, Text(message, MessageHeaders.Framing) == MessageHeaders.FramingSingle);
        if (lines.Count != AcceptedOf(sources))
        {
            AddUnframed(lines, sources, sourceTopicId, message, verdictAt, progress);
            return null;
        }

        var line = 0;
        foreach (var source in sources)
        {
            var count = source.LineCount - source.Rejected.Count;
            if (!TryAdvance(source, sourceTopicId, message.Partition, progress))
            {
                line += count;
                continue;
            }
            for (var end = line + count; line < end; line++)
                AddLine(lines[line], share, message, verdictAt);
        }
        return null;
    }

    private static long AcceptedOf(List<SourceMessage> sources) => sources.Sum(source => (long)source.LineCount - source.Rejected.Count);

    /// <summary>Takes the partition past a source message and puts its rejected lines on the books; false when it was answered before.</summary>
    private bool TryAdvance(in SourceMessage source, string sourceTopicId, int partition, PartitionProgress progress)
    {
        if (progress.SourceTopicId == sourceTopicId && source.Offset <= progress.SourceOffset)
        {
            // A Verifier that crashed before it could commit, or lost the partition unawares, answered this one before.
            instruments.Redelivered.Add(1);
            return false;
        }
        // Every source message is answered, so one that was not was gone before the Verifier had it. Behind a gap of the answers' own log
        // that cannot be told: the answers may be what is gone, and they are counted already.
        var expected = progress.SourceTopicId == sourceTopicId ? progress.SourceOffset + 1 : 0;
        if (source.Offset > expected && !progress.IsBehindGap)
        {
            logger.Gap(Topics.Signed, partition, expected, source.Offset - 1);
            Lose(Topics.Signed, partition, source.Offset - expected);
        }
        progress.IsBehindGap = false;
        progress.SourceTopicId = sourceTopicId;
        progress.SourceOffset = source.Offset;
        foreach (var rejected in source.Rejected)
            CountAccepted(partition, rejected.FactoryId, rejected.Readings);
        return true;
    }

    /// <summary>
    /// A message whose lines are not as many as its source positions say: which line is whose cannot be known, yet every source line gets an outcome. The lines that are whole are
    /// readings that were found true, and are taken in; the rest are kept as one rejection for as many source lines as are left, so that the books balance and nothing waits for ever.
    /// </summary>
    private void AddUnframed(
        List<ReadOnlyMemory<byte>> lines, List<SourceMessage> sources, string sourceTopicId, ConsumeResult<Ignore, ReadOnlyMemory<byte>> message, DateTime verdictAt, PartitionProgress progress)
    {
        logger.Unframed(message.Topic, message.Partition, message.Offset, lines.Count, AcceptedOf(sources));
        instruments.Unframed.Add(1);
        var fresh = sources.FindAll(source => TryAdvance(source, sourceTopicId, message.Partition, progress));
        var left = AcceptedOf(fresh);
        var whole = lines.FindAll(line => parser.TryParse(line, out var reading, out _) == Verdict.Accepted && reading.KeyId is not null && !reading.IsBatch);
        // More lines than were accepted, or some that were answered before: then none can be told to be one of those that are left.
        if (fresh.Count == sources.Count && whole.Count <= left)
        {
            foreach (var line in whole)
                AddLine(line, null, message, verdictAt);
            left -= whole.Count;
        }
        if (left == 0)
            return;
        var readings = (int)Math.Min(left, int.MaxValue);
        CountAccepted(message.Partition, "", readings);
        Rejections.Add(new RejectionEntry(message.Partition, verdictAt, null, Verdict.Malformed.ToName(), false,
            $"{message.Topic}: offset {message.Offset.Value} has {lines.Count} lines, though its source positions say {AcceptedOf(sources)}; which of them is which cannot be told",
            message.Message.Value.ToArray(), fresh[0].Offset, 0, readings));
    }

    private void AddLine(ReadOnlyMemory<byte> line, int[]? share, ConsumeResult<Ignore, ReadOnlyMemory<byte>> message, DateTime verdictAt)
    {
        var verdict = parser.TryParse(line, out var reading, out var detail);
        if (verdict != Verdict.Accepted || reading.KeyId is null || (share is not null && share[^1] >= reading.BatchCount))
        {
            // The Verifier has parsed this line, so this is a fault of ours; the reading is not lost, and the books show it.
            var factoryId = reading.FactoryId ?? "";
            detail ??= reading.KeyId is null ? "no key id" : "another batch's share";
            logger.ForeignMessage(message.Topic, message.Partition, message.Offset, detail);
            CountAccepted(message.Partition, factoryId, reading.Count);
            Rejections.Add(new RejectionEntry(message.Partition, verdictAt, factoryId.Length == 0 ? null : factoryId, Verdict.Malformed.ToName(), false,
                $"verified, yet {detail}", line.ToArray(), null, null, reading.Count));
            return;
        }
        var (signatureStart, signatureLength) = AddSignature(reading);
        if (!reading.IsBatch)
        {
            AddReading(reading.Data, reading.EngineId, reading.MeasuredAt, parser.MetricsSpan, reading, message.Partition, verdictAt, signatureStart, signatureLength, -1);
            return;
        }
        signedBatches.Add(new DecodedBatch(reading.KeyId, reading.MeasuredAt, verdictAt, reading.Data, SHA256.HashData(reading.Data.Span), signatureStart, signatureLength));
        var of = parser.BatchReadings;
        for (var i = 0; i < (share?.Length ?? of.Length); i++)
        {
            ref readonly var part = ref of[share?[i] ?? i];
            AddReading(reading.Data.Slice(part.Start, part.Length), part.EngineId, part.MeasuredAt, parser.MetricsOf(part), reading, message.Partition, verdictAt, 0, 0, signedBatches.Count - 1);
        }
    }

    private void AddReading(
        ReadOnlyMemory<byte> data, string engineId, DateTime measuredAt, ReadOnlySpan<Metric> values, in SignedReading envelope, int partition, DateTime verdictAt,
        int signatureStart, int signatureLength, int signedBatch)
    {
        var index = readings.Count;
        if ((index + 1) * HashLength > hashes.Length)
            Array.Resize(ref hashes, hashes.Length * 2);
        Sha256Batch.Hash(data.Span, hashes.AsSpan(index * HashLength, HashLength));
        readings.Add(new DecodedReading(partition, envelope.FactoryId, engineId, envelope.KeyId!, measuredAt, verdictAt,
            data, signatureStart, signatureLength, metrics.Count, values.Length, signedBatch));
        metrics.AddRange(values);
    }

    private (int Start, int Length) AddSignature(in SignedReading reading)
    {
        var space = Base64.GetMaxDecodedFromUtf8Length(reading.Signature.Length);
        if (signaturesLength + space > signatures.Length)
            Array.Resize(ref signatures, Math.Max(signatures.Length * 2, signaturesLength + space));
        // The parser has seen that it is base64.
        Base64.DecodeFromUtf8(reading.Signature.Span, signatures.AsSpan(signaturesLength), out _, out var length);
        var start = signaturesLength;
        signaturesLength += length;
        return (start, length);
    }

    private string? AddRejected(ConsumeResult<Ignore, ReadOnlyMemory<byte>> message, PartitionProgress progress)
    {
        if (Text(message, MessageHeaders.Reason) is not { } reason || !VerdictNames.TryParse(reason, out _))
            return "no reason";
        if (!MessageTime.TryParse(Text(message, MessageHeaders.RejectedAt), out var rejectedAt))
            return "no time";
        var refused = Text(message, MessageHeaders.RejectedBy) == MessageHeaders.ByIngest;
        long? sourceOffset = null;
        int? sourceLine = null;
        if (!refused)
        {
            if (!SourcePosition.TryParse(Text(message, MessageHeaders.Source), out var source) || Text(message, MessageHeaders.SourceTopicId) is not { } sourceTopicId)
                return "no source position";
            if (progress.SourceTopicId == sourceTopicId && source <= new SourcePosition(progress.SourceOffset, progress.SourceLine))
            {
                instruments.Redelivered.Add(1);
                return null;
            }
            progress.SourceTopicId = sourceTopicId;
            (progress.SourceOffset, progress.SourceLine) = source;
            (sourceOffset, sourceLine) = (source.Offset, source.Line);
        }
        if (Text(message, MessageHeaders.Readings) is not { } text || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > ReadingParser.MaxBatchReadings)
            count = 1;
        var factoryId = Text(message, MessageHeaders.FactoryId);
        Rejections.Add(new RejectionEntry(message.Partition, rejectedAt, string.IsNullOrEmpty(factoryId) ? null : factoryId, reason, refused,
            Text(message, MessageHeaders.Detail), message.Message.Value.ToArray(), sourceOffset, sourceLine, count,
            IsOfUnknownFactory: Text(message, MessageHeaders.Books) == MessageHeaders.BooksUnknown));
        return null;
    }

    // A header of another hand may name what no factory can be called: on the books that is the factory that could not be read.
    private void CountAccepted(int partition, string factoryId, int count) =>
        CollectionsMarshal.GetValueRefOrAddDefault(AcceptedElsewhere, (partition, StorableText.IsName(factoryId) ? factoryId : ""), out _) += count;

    private static string? Text(ConsumeResult<Ignore, ReadOnlyMemory<byte>> message, string name) =>
        message.Message.Headers is { } headers && headers.TryGetLastBytes(name, out var value) && value is not null ? Encoding.UTF8.GetString(value) : null;
}
