namespace FactoryStream.Aggregator;

internal static partial class AggregatorLog
{
    [LoggerMessage(1, LogLevel.Information, "Given {Count} partitions: {Partitions}; {Engines} engines, {Readings} readings in open windows, built again in {Milliseconds} ms")]
    public static partial void Assigned(this ILogger logger, int count, string partitions, int engines, int readings, long milliseconds);

    [LoggerMessage(2, LogLevel.Information, "Gave up {Count} partitions: {Partitions}")]
    public static partial void Revoked(this ILogger logger, int count, string partitions);

    [LoggerMessage(3, LogLevel.Warning, "Batch dropped, to be taken again from the checkpoints in {Seconds} s: {Reason}")]
    public static partial void BatchDropped(this ILogger logger, double seconds, string reason);

    [LoggerMessage(4, LogLevel.Warning, "{Topic} [{Partition}] is another log than the checkpoint's (offset {Offset}): taken in from its beginning")]
    public static partial void NewIncarnation(this ILogger logger, string topic, int partition, long offset);

    [LoggerMessage(5, LogLevel.Error, "{Topic} [{Partition}] has lost messages {From} to {To} before they were taken in: the broker's retention is shorter than the backlog")]
    public static partial void Gap(this ILogger logger, string topic, int partition, long from, long to);

    [LoggerMessage(6, LogLevel.Warning, "{Topic} [{Partition}] offset {Offset} is no message of FactoryStream's ({Detail}): kept as a rejection")]
    public static partial void ForeignMessage(this ILogger logger, string topic, int partition, long offset, string detail);

    [LoggerMessage(7, LogLevel.Warning, "Kafka: {Reason}")]
    public static partial void KafkaError(this ILogger logger, string reason);

    [LoggerMessage(8, LogLevel.Information, "Retention: dropped {Count} partitions of readings older than {Days} days")]
    public static partial void Retained(this ILogger logger, int count, int days);
}
