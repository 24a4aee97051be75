namespace FactoryStream.Aggregator;

/// <summary>All that the Aggregator logs. Never a payload, never a token.</summary>
internal sealed partial class AggregatorLog(ILogger<AggregatorLog> logger)
{
    [LoggerMessage(
        1,
        LogLevel.Information,
        "{Count} partitions assigned: {Partitions}; {Engines} engines and {Readings} readings of open windows read again in "
            + "{Milliseconds} ms.",
        EventName = nameof(Assigned)
    )]
    public partial void Assigned(int count, string partitions, int engines, int readings, long milliseconds);

    [LoggerMessage(2, LogLevel.Information, "{Count} partitions given up: {Partitions}.", EventName = nameof(Revoked))]
    public partial void Revoked(int count, string partitions);

    [LoggerMessage(
        3,
        LogLevel.Warning,
        "A pending commit was dropped; its messages are read again from the checkpoints in {Seconds} s: {Reason}",
        EventName = nameof(CommitDropped)
    )]
    public partial void CommitDropped(double seconds, string reason);

    [LoggerMessage(
        4,
        LogLevel.Warning,
        "{Topic} [{Partition}] is another log than the checkpoint's (offset {Offset}), so it is read from its beginning. "
            + "See whether its broker lost data.",
        EventName = nameof(LogShortened)
    )]
    public partial void LogShortened(string topic, int partition, long offset);

    [LoggerMessage(
        5,
        LogLevel.Error,
        "{Topic} [{Partition}]: Kafka dropped messages {From} to {To} before they were read. They are counted in factory.losses. "
            + "Keep messages longer (Migrations:Retention, Migrations:RetentionMebibytes), or find out why reading was behind.",
        EventName = nameof(Gap)
    )]
    public partial void Gap(string topic, int partition, long from, long to);

    [LoggerMessage(
        6,
        LogLevel.Warning,
        "{Topic} [{Partition}] offset {Offset} is no message of FactoryStream ({Detail}); it is kept as a rejection. "
            + "Find out which program writes to the topic.",
        EventName = nameof(ForeignMessage)
    )]
    public partial void ForeignMessage(string topic, int partition, long offset, string detail);

    [LoggerMessage(7, LogLevel.Warning, "Kafka: {Reason}. Trying again.", EventName = nameof(KafkaError))]
    public partial void KafkaError(string reason);

    [LoggerMessage(
        8,
        LogLevel.Information,
        "Retention: {Count} table partitions dropped, whose readings are older than {Days} days.",
        EventName = nameof(Retained)
    )]
    public partial void Retained(int count, int days);

    [LoggerMessage(
        9,
        LogLevel.Information,
        "Retention waits because another session reads the table partitions; it is tried again in a minute.",
        EventName = nameof(RetentionWaits)
    )]
    public partial void RetentionWaits();

    [LoggerMessage(
        10,
        LogLevel.Warning,
        "{Topic} [{Partition}] ends at {End}, before source offset {Offset} of the checkpoint: its broker lost messages. "
            + "Offsets from there on are read as new ones.",
        EventName = nameof(SourceShortened)
    )]
    public partial void SourceShortened(string topic, int partition, long end, long offset);

    [LoggerMessage(
        11,
        LogLevel.Warning,
        "A reading is stored that the open windows do not have; the next commits ask the database which readings are new: {Reason}",
        EventName = nameof(ConflictTolerant)
    )]
    public partial void ConflictTolerant(string reason);

    [LoggerMessage(
        12,
        LogLevel.Warning,
        "All readings, windows, rejections and the ledger were deleted, as requested with the admin token.",
        EventName = nameof(Purged)
    )]
    public partial void Purged();

    [LoggerMessage(13, LogLevel.Warning, "Retention failed; it is tried again in a minute: {Reason}", EventName = nameof(RetentionFailed))]
    public partial void RetentionFailed(string reason);

    [LoggerMessage(
        14,
        LogLevel.Information,
        "Retention: {Count} rejections dropped that were too old or too many.",
        EventName = nameof(RejectionsDropped)
    )]
    public partial void RejectionsDropped(long count);

    [LoggerMessage(EventId = 15, Message = "Kafka's client: {Text}", EventName = nameof(KafkaClient))]
    public partial void KafkaClient(LogLevel level, string text);

    [LoggerMessage(
        31,
        LogLevel.Error,
        "{Topic} [{Partition}] offset {Offset} has {Lines} lines, but its source positions name {Accepted}. Whole lines are stored, the "
            + "rest is kept as a rejection. This is a fault of the Verifier; please report it.",
        EventName = nameof(Unframed)
    )]
    public partial void Unframed(string topic, int partition, long offset, int lines, long accepted);

    [LoggerMessage(
        32,
        LogLevel.Error,
        "The database did not take a rejection of partition {Partition}; it is kept without its detail and its line: {Reason}",
        EventName = nameof(RejectionBared)
    )]
    public partial void RejectionBared(int partition, string reason);

    [LoggerMessage(33, LogLevel.Error, "{Reason}", EventName = nameof(Enlarged))]
    public partial void Enlarged(string reason);

    [LoggerMessage(
        34,
        LogLevel.Warning,
        "The losses could not be read from the database; they are read again in a few seconds: {Reason}",
        EventName = nameof(LossesUnknown)
    )]
    public partial void LossesUnknown(string reason);

    [LoggerMessage(
        35,
        LogLevel.Warning,
        "Alerts of silence and rejections could not be evaluated; they are again in {Seconds} s: {Reason}",
        EventName = nameof(AlertWatchFailed)
    )]
    public partial void AlertWatchFailed(double seconds, string reason);

    [LoggerMessage(
        36,
        LogLevel.Information,
        "Windows are rolled up until {RolledUntil} (UTC) at least; {Minutes} minutes written so far, and more are due.",
        EventName = nameof(RollupBehind)
    )]
    public partial void RollupBehind(DateTime rolledUntil, long minutes);

    [LoggerMessage(
        37,
        LogLevel.Warning,
        "Windows could not be rolled up; it is tried again in {Seconds} s: {Reason}",
        EventName = nameof(RollupFailed)
    )]
    public partial void RollupFailed(double seconds, string reason);

    [LoggerMessage(
        38,
        LogLevel.Information,
        "Retention: {Count} table partitions of {Table} dropped, whose windows are older than {Days} days.",
        EventName = nameof(WindowsDropped)
    )]
    public partial void WindowsDropped(int count, string table, int days);

    [LoggerMessage(
        39,
        LogLevel.Information,
        "Retention: {Count} windows of an hour dropped that are older than {Days} days.",
        EventName = nameof(HoursDropped)
    )]
    public partial void HoursDropped(long count, int days);

    [LoggerMessage(
        40,
        LogLevel.Information,
        "Retention: {Count} alerts dropped that were over more than {Days} days ago.",
        EventName = nameof(AlertsDropped)
    )]
    public partial void AlertsDropped(long count, int days);
}
