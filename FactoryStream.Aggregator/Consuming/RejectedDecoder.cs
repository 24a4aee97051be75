using System.Globalization;
using Confluent.Kafka;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Consuming;

/// <summary>Reads the messages of <c>readings.rejected</c>; used by <see cref="MessageDecoder"/> alone.</summary>
internal sealed class RejectedDecoder(AggregatorMetrics metrics)
{
    /// <summary>Takes in the rejection and moves the source position on.</summary>
    /// <returns>Why it is no message of Ingest's or the Verifier's; null: it is one.</returns>
    public string? Decode(ConsumeResult<Ignore, ReadOnlyMemory<byte>> message, PartitionProgress progress, PendingCommit pending)
    {
        if (message.Message.Headers.Text(MessageHeaders.Reason) is not { } reason || !VerdictNames.TryParse(reason, out _))
            return "no reason";
        if (!MessageTime.TryParse(message.Message.Headers.Text(MessageHeaders.RejectedAt), out var rejectedAt))
            return "no time";
        var refused = message.Message.Headers.Text(MessageHeaders.RejectedBy) == MessageHeaders.ByIngest;
        long? sourceOffset = null;
        int? sourceLine = null;
        if (!refused)
        {
            if (
                !SourcePosition.TryParse(message.Message.Headers.Text(MessageHeaders.Source), out var source)
                || message.Message.Headers.Text(MessageHeaders.SourceTopicId) is not { } sourceTopicId
            )
                return "no source position";
            if (progress.SourceTopicId == sourceTopicId && source <= new SourcePosition(progress.SourceOffset, progress.SourceLine))
            {
                metrics.Redelivered.Add(1);
                return null;
            }
            progress.SourceTopicId = sourceTopicId;
            (progress.SourceOffset, progress.SourceLine) = source;
            (sourceOffset, sourceLine) = (source.Offset, source.Line);
        }
        if (
            message.Message.Headers.Text(MessageHeaders.Readings) is not { } text
            || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || count is < 1 or > ReadingParser.MaxBatchReadings
        )
            count = 1;
        var factoryId = message.Message.Headers.Text(MessageHeaders.FactoryId);
        pending.Rejections.Add(
            new RejectionEntry(
                message.Partition,
                rejectedAt,
                string.IsNullOrEmpty(factoryId) ? null : factoryId,
                reason,
                refused,
                message.Message.Headers.Text(MessageHeaders.Detail),
                message.Message.Value.ToArray(),
                sourceOffset,
                sourceLine,
                count,
                IsOfUnknownFactory: message.Message.Headers.Text(MessageHeaders.Ledger) == MessageHeaders.LedgerUnknown
            )
        );
        return null;
    }
}
