using System.Security.Cryptography;
using Confluent.Kafka;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Consuming;

/// <summary>Reads the messages of <c>readings.verified</c>; used by <see cref="MessageDecoder"/> alone.</summary>
internal sealed class VerifiedDecoder(AggregatorLog log, AggregatorMetrics metrics)
{
    private readonly ReadingParser parser = new();

    /// <summary>Takes in the lines and moves the source position on.</summary>
    /// <returns>Why it is no message of the Verifier's; null: it is one.</returns>
    public string? Decode(ConsumeResult<Ignore, ReadOnlyMemory<byte>> message, PartitionProgress progress, PendingCommit pending)
    {
        if (message.Message.Headers.Text(MessageHeaders.Source) is not { } header || !SourcePositions.TryParse(header, out var sources))
            return "source: expected source positions, found none that can be read";
        if (message.Message.Headers.Text(MessageHeaders.SourceTopicId) is not { } sourceTopicId)
            return "source-topic-id: expected a topic id, found none";
        if (!MessageTime.TryParse(message.Message.Headers.Text(MessageHeaders.VerdictTime), out var verdictAt))
            return "verdict-time: expected a time, found none that can be read";
        int[]? share = null;
        if (
            message.Message.Headers.TryGetLastBytes(MessageHeaders.BatchShare, out var shareHeader)
            && !BatchShare.TryParse(shareHeader, out share)
        )
            return "batch-share: expected places in a batch, found none that can be read";
        var lines = MessageLines.Split(
            message.Message.Value,
            message.Message.Headers.Text(MessageHeaders.Framing) == MessageHeaders.FramingSingle
        );
        if (lines.Count != AcceptedOf(sources))
        {
            DecodeUnframed(lines, sources, sourceTopicId, message, verdictAt, progress, pending);
            return null;
        }

        var line = 0;
        foreach (var source in sources)
        {
            var count = source.LineCount - source.Rejected.Count;
            if (!TryAdvance(source, sourceTopicId, progress, pending))
            {
                line += count;
                continue;
            }
            for (var end = line + count; line < end; line++)
                DecodeLine(lines[line], share, message, verdictAt, pending);
        }
        return null;
    }

    private static long AcceptedOf(List<SourceMessage> sources) => sources.Sum(source => (long)source.LineCount - source.Rejected.Count);

    /// <summary>Takes the partition past a source message and counts its rejected lines; false when its verdicts came before.</summary>
    private bool TryAdvance(in SourceMessage source, string sourceTopicId, PartitionProgress progress, PendingCommit pending)
    {
        var partition = progress.TopicPartition.Partition.Value;
        if (progress.SourceTopicId == sourceTopicId && source.Offset <= progress.SourceOffset)
        {
            // A Verifier that crashed before it could commit, or lost the partition without knowing, gave these verdicts before.
            metrics.Redelivered.Add(1);
            return false;
        }
        // The Verifier names every source message, so one that is not named was lost before it. Behind a gap of readings.verified
        // itself that is not certain: the verified messages may be what is lost, and they are counted already.
        var expected = progress.SourceTopicId == sourceTopicId ? progress.SourceOffset + 1 : 0;
        if (source.Offset > expected && !progress.IsBehindGap)
        {
            log.Gap(TopicNames.Signed, partition, expected, source.Offset - 1);
            pending.CountLost(TopicNames.Signed, partition, source.Offset - expected);
        }
        progress.IsBehindGap = false;
        progress.SourceTopicId = sourceTopicId;
        progress.SourceOffset = source.Offset;
        foreach (var rejected in source.Rejected)
            pending.CountAccepted(partition, rejected.FactoryId, rejected.Readings);
        return true;
    }

    /// <summary>
    /// A message whose lines are not as many as its source positions say: which line is whose cannot be known, yet every source line gets
    /// an outcome. The lines that are whole are readings that were found true, and are taken in; the rest are kept as one rejection for as
    /// many source lines as are left, so that the ledger balances and nothing waits for ever.
    /// </summary>
    private void DecodeUnframed(
        List<ReadOnlyMemory<byte>> lines,
        List<SourceMessage> sources,
        string sourceTopicId,
        ConsumeResult<Ignore, ReadOnlyMemory<byte>> message,
        DateTime verdictAt,
        PartitionProgress progress,
        PendingCommit pending
    )
    {
        log.Unframed(message.Topic, message.Partition, message.Offset, lines.Count, AcceptedOf(sources));
        metrics.Unframed.Add(1);
        var remaining = sources.FindAll(source => TryAdvance(source, sourceTopicId, progress, pending));
        var left = AcceptedOf(remaining);
        var whole = lines.FindAll(line =>
            parser.TryParse(line, out var reading, out _) == Verdict.Accepted && reading.KeyId is not null && !reading.IsBatch
        );
        // With more lines than were accepted, or some whose verdicts came before, it is not known which lines are the ones left.
        if (remaining.Count == sources.Count && whole.Count <= left)
        {
            foreach (var line in whole)
                DecodeLine(line, null, message, verdictAt, pending);
            left -= whole.Count;
        }
        if (left == 0)
            return;
        var readings = (int)Math.Min(left, int.MaxValue);
        pending.CountAccepted(message.Partition, "", readings);
        pending.Rejections.Add(
            new RejectionEntry(
                message.Partition,
                verdictAt,
                null,
                Verdict.Malformed.ToName(),
                false,
                $"{message.Topic}: offset {message.Offset.Value} has {lines.Count} lines, but its source positions name "
                    + $"{AcceptedOf(sources)}",
                message.Message.Value.ToArray(),
                remaining[0].Offset,
                0,
                readings
            )
        );
    }

    private void DecodeLine(
        ReadOnlyMemory<byte> line,
        int[]? share,
        ConsumeResult<Ignore, ReadOnlyMemory<byte>> message,
        DateTime verdictAt,
        PendingCommit pending
    )
    {
        var verdict = parser.TryParse(line, out var reading, out var detail);
        if (verdict != Verdict.Accepted || reading.KeyId is null || (share is not null && share[^1] >= reading.BatchCount))
        {
            // The Verifier has parsed this line, so this is a fault of FactoryStream; the reading is kept, and the ledger counts it.
            var factoryId = reading.FactoryId ?? "";
            detail ??= reading.KeyId is null
                ? "key_id: expected the signing key's id, found none"
                : "batch-share: expected places in this batch, found one beyond it";
            log.ForeignMessage(message.Topic, message.Partition, message.Offset, detail);
            pending.CountAccepted(message.Partition, factoryId, reading.Count);
            pending.Rejections.Add(
                new RejectionEntry(
                    message.Partition,
                    verdictAt,
                    factoryId.Length == 0 ? null : factoryId,
                    Verdict.Malformed.ToName(),
                    false,
                    $"verified, yet {detail}",
                    line.ToArray(),
                    null,
                    null,
                    reading.Count
                )
            );
            return;
        }
        var (signatureStart, signatureLength) = pending.AddSignature(reading.Signature.Span);
        if (!reading.IsBatch)
        {
            pending.AddReading(
                new(
                    message.Partition,
                    reading.FactoryId,
                    reading.EngineId,
                    reading.KeyId,
                    reading.MeasuredAt,
                    verdictAt,
                    reading.Data,
                    signatureStart,
                    signatureLength,
                    0,
                    0,
                    SignedBatch: -1
                ),
                parser.MetricsSpan
            );
            return;
        }
        var signedBatch = pending.AddSignedBatch(
            new DecodedBatch(
                reading.KeyId,
                reading.MeasuredAt,
                verdictAt,
                reading.Data,
                SHA256.HashData(reading.Data.Span),
                signatureStart,
                signatureLength
            )
        );
        var all = parser.BatchReadings;
        for (var i = 0; i < (share?.Length ?? all.Length); i++)
        {
            ref readonly var part = ref all[share?[i] ?? i];
            pending.AddReading(
                new(
                    message.Partition,
                    reading.FactoryId,
                    part.EngineId,
                    reading.KeyId,
                    part.MeasuredAt,
                    verdictAt,
                    reading.Data.Slice(part.Start, part.Length),
                    0,
                    0,
                    0,
                    0,
                    signedBatch
                ),
                parser.MetricsOf(part)
            );
        }
    }
}
