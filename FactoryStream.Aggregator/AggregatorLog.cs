namespace FactoryStream.Aggregator;

internal static partial class AggregatorLog
{
    [LoggerMessage(
        1,
        LogLevel.Information,
        "Given {Count} partitions: {Partitions}; {Engines} engines, {Readings} readings in open windows, built again in {Milliseconds} ms"
    )]
    public static partial void Assigned(this ILogger logger, int count, string partitions, int engines, int readings, long milliseconds);

    [LoggerMessage(2, LogLevel.Information, "Gave up {Count} partitions: {Partitions}")]
    public static partial void Revoked(this ILogger logger, int count, string partitions);

    [LoggerMessage(3, LogLevel.Warning, "Commit dropped, to be taken again from the checkpoints in {Seconds} s: {Reason}")]
    public static partial void CommitDropped(this ILogger logger, double seconds, string reason);

    [LoggerMessage(
        4,
        LogLevel.Warning,
        "{Topic} [{Partition}] is another log than the checkpoint's (offset {Offset}): taken in from its beginning"
    )]
    public static partial void LogShortened(this ILogger logger, string topic, int partition, long offset);

    [LoggerMessage(
        5,
        LogLevel.Error,
        "{Topic} [{Partition}] has lost messages {From} to {To} before they were taken in: "
            + "the broker's retention is shorter than the backlog. They are counted in factory.losses"
    )]
    public static partial void Gap(this ILogger logger, string topic, int partition, long from, long to);

    [LoggerMessage(33, LogLevel.Error, "{Reason}")]
    public static partial void Enlarged(this ILogger logger, string reason);

    [LoggerMessage(34, LogLevel.Warning, "Losses cannot be asked for: {Reason}")]
    public static partial void LossesUnknown(this ILogger logger, string reason);

    [LoggerMessage(
        6,
        LogLevel.Warning,
        "{Topic} [{Partition}] offset {Offset} is no message of FactoryStream's ({Detail}): kept as a rejection"
    )]
    public static partial void ForeignMessage(this ILogger logger, string topic, int partition, long offset, string detail);

    [LoggerMessage(7, LogLevel.Warning, "Kafka: {Reason}")]
    public static partial void KafkaError(this ILogger logger, string reason);

    [LoggerMessage(8, LogLevel.Information, "Retention: dropped {Count} partitions of readings older than {Days} days")]
    public static partial void Retained(this ILogger logger, int count, int days);

    [LoggerMessage(9, LogLevel.Information, "Retention waits: readings are being read by another; to be tried again in a minute")]
    public static partial void RetentionWaits(this ILogger logger);

    [LoggerMessage(13, LogLevel.Warning, "Retention failed, to be tried again in a minute: {Reason}")]
    public static partial void RetentionFailed(this ILogger logger, string reason);

    [LoggerMessage(14, LogLevel.Information, "Retention: dropped {Count} rejections that were too old or too many")]
    public static partial void RejectionsDropped(this ILogger logger, long count);

    [LoggerMessage(
        10,
        LogLevel.Warning,
        "{Topic} [{Partition}] ends at {End}, before source offset {Offset} that was taken in: its broker lost messages; offsets "
            + "from there on are new ones"
    )]
    public static partial void SourceShortened(this ILogger logger, string topic, int partition, long end, long offset);

    [LoggerMessage(
        11,
        LogLevel.Warning,
        "A reading is stored that the state does not know; for a while the database is asked what is new: {Reason}"
    )]
    public static partial void ConflictTolerant(this ILogger logger, string reason);

    [LoggerMessage(
        31,
        LogLevel.Error,
        "{Topic} [{Partition}] offset {Offset} has {Lines} lines, though its source positions say {Accepted}: what is whole is "
            + "taken in, the rest is kept as a rejection. This is a fault of the Verifier's."
    )]
    public static partial void Unframed(this ILogger logger, string topic, int partition, long offset, int lines, long accepted);

    [LoggerMessage(
        32,
        LogLevel.Error,
        "A rejection of partition {Partition} could not be stored as it is and was kept without its words: {Reason}"
    )]
    public static partial void RejectionBared(this ILogger logger, int partition, string reason);

    [LoggerMessage(12, LogLevel.Warning, "All readings, windows, rejections and the ledger were deleted, as asked with the admin token")]
    public static partial void Purged(this ILogger logger);
}
