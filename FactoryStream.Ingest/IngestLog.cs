namespace FactoryStream.Ingest;

/// <summary>All that Ingest logs. Never a payload.</summary>
internal sealed partial class IngestLog(ILogger<IngestLog> logger)
{
    [LoggerMessage(1, LogLevel.Information, "Writing to {Topic} with {Partitions} partitions.", EventName = nameof(Opened))]
    public partial void Opened(string topic, int partitions);

    [LoggerMessage(2, LogLevel.Warning, "Kafka: {Reason}. Trying again.", EventName = nameof(KafkaTrouble))]
    public partial void KafkaTrouble(string reason);

    [LoggerMessage(3, LogLevel.Information, "Kafka answers again.", EventName = nameof(KafkaBack))]
    public partial void KafkaBack();

    [LoggerMessage(
        4,
        LogLevel.Warning,
        "Kafka did not acknowledge a message of {Readings} readings: {Reason}.",
        EventName = nameof(NotAcknowledged)
    )]
    public partial void NotAcknowledged(int readings, string reason);

    [LoggerMessage(
        5,
        LogLevel.Warning,
        "The backlog is full: {Readings} readings, {Bytes} bytes accepted and not stored. Machines are asked to wait.",
        EventName = nameof(BacklogFull)
    )]
    public partial void BacklogFull(long readings, long bytes);

    [LoggerMessage(6, LogLevel.Information, "The backlog has room again.", EventName = nameof(BacklogHasRoom))]
    public partial void BacklogHasRoom();

    [LoggerMessage(14, LogLevel.Error, "Nothing is accepted: {Reason}", EventName = nameof(Refuses))]
    public partial void Refuses(string reason);

    [LoggerMessage(
        15,
        LogLevel.Warning,
        "A partition has {Bytes} bytes that are not stored, "
            + "near what Kafka keeps of it (retention.bytes). Its machines are asked to wait.",
        EventName = nameof(RetentionNear)
    )]
    public partial void RetentionNear(long bytes);

    [LoggerMessage(16, LogLevel.Error, "{Reason}", EventName = nameof(RetentionTimeNear))]
    public partial void RetentionTimeNear(string reason);

    [LoggerMessage(
        17,
        LogLevel.Warning,
        "What the topics keep is not known, so nothing is held against it: {Reason}.",
        EventName = nameof(RetentionUnknown)
    )]
    public partial void RetentionUnknown(string reason);

    [LoggerMessage(
        18,
        LogLevel.Warning,
        "Engines are spread over {Partitions} partitions from now on. Ingest ends, to begin anew.",
        EventName = nameof(Repartitioned)
    )]
    public partial void Repartitioned(int partitions);

    [LoggerMessage(8, LogLevel.Information, "Pulling from {Source}.", EventName = nameof(SourceConnected))]
    public partial void SourceConnected(string source);

    [LoggerMessage(9, LogLevel.Warning, "Source {Source}: {Reason}. Connecting again in {Delay}.", EventName = nameof(SourceLost))]
    public partial void SourceLost(string source, string reason, TimeSpan delay);

    [LoggerMessage(
        10,
        LogLevel.Warning,
        "Source {Source}: its readings could not be stored; they are given to Kafka again.",
        EventName = nameof(SourceRetries)
    )]
    public partial void SourceRetries(string source);

    [LoggerMessage(
        11,
        LogLevel.Warning,
        "{Bytes} bytes were not acknowledged when Ingest had to stop; none of that was answered with 202.",
        EventName = nameof(NotDrained)
    )]
    public partial void NotDrained(long bytes);

    [LoggerMessage(12, LogLevel.Warning, "Live streams wait: {Reason}.", EventName = nameof(StreamTrouble))]
    public partial void StreamTrouble(string reason);

    [LoggerMessage(
        41,
        LogLevel.Warning,
        "The Verifier does not tell which factories have a key: {Reason}. Trying again; what it said last stands.",
        EventName = nameof(VerifierAway)
    )]
    public partial void VerifierAway(string reason);

    [LoggerMessage(42, LogLevel.Information, "The Verifier tells again which factories have a key.", EventName = nameof(VerifierBack))]
    public partial void VerifierBack();

    [LoggerMessage(
        43,
        LogLevel.Warning,
        "The database's clock is {Seconds} s ahead of this machine's. What arrives is stamped by this machine's clock; set both right.",
        EventName = nameof(ClockDiffers)
    )]
    public partial void ClockDiffers(double seconds);

    [LoggerMessage(44, LogLevel.Information, "The database's clock and this machine's agree again.", EventName = nameof(ClockAgrees))]
    public partial void ClockAgrees();

    [LoggerMessage(
        45,
        LogLevel.Warning,
        "Factories without a key have all of the backlog that they may have: {Readings} readings, {Bytes} bytes. They are asked to wait.",
        EventName = nameof(UnknownShareFull)
    )]
    public partial void UnknownShareFull(long readings, long bytes);

    [LoggerMessage(13, LogLevel.Error, "Source {Source} failed in a way that nobody foresaw.", EventName = nameof(SourceFailed))]
    public partial void SourceFailed(string source, Exception exception);
}
