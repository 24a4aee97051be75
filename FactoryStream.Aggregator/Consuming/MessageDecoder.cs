using Confluent.Kafka;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Consuming;

/// <summary>
/// Reads the messages of <c>readings.verified</c> and <c>readings.rejected</c> into a pending commit. Used by the consuming thread alone.
/// </summary>
internal sealed class MessageDecoder(AggregatorLog log, AggregatorMetrics metrics)
{
    private readonly VerifiedDecoder verified = new(log, metrics);
    private readonly RejectedDecoder rejected = new(metrics);

    /// <summary>Takes a message in, with a copy of its value, and the partition on to the next.</summary>
    public void Decode(ConsumeResult<Ignore, ReadOnlyMemory<byte>> message, PartitionProgress progress, PendingCommit pending)
    {
        message.Message.Value = pending.AddMessage(message.Message.Value.Span, progress);
        if (message.Offset > progress.NextOffset)
        {
            // These topics are neither compacted nor transactional, so a gap of offsets is what retention dropped.
            log.Gap(message.Topic, message.Partition, progress.NextOffset, message.Offset - 1);
            pending.CountLost(message.Topic, message.Partition, message.Offset - progress.NextOffset);
            progress.IsBehindGap = true;
        }
        progress.NextOffset = message.Offset + 1;
        if (MessageTracing.TryParse(message.Message.Headers.Text(MessageHeaders.TraceParent), out var trace))
            pending.Traces.Add(trace);
        var wrong =
            message.Topic == TopicNames.Verified
                ? verified.Decode(message, progress, pending)
                : rejected.Decode(message, progress, pending);
        if (wrong is null)
            return;
        // Another program wrote to the topic. It is no accepted reading, so it is in no factory's ledger, but it is kept.
        log.ForeignMessage(message.Topic, message.Partition, message.Offset, wrong);
        pending.Rejections.Add(
            new RejectionEntry(
                message.Partition,
                MessageTime.Of(message.Message.Timestamp),
                null,
                Verdict.Malformed.ToName(),
                true,
                $"{message.Topic}: {wrong}",
                message.Message.Value.ToArray(),
                null,
                null
            )
        );
    }
}
