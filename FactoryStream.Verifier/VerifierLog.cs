namespace FactoryStream.Verifier;

/// <summary>All that the Verifier logs. Never a payload, never a token or a private key.</summary>
internal static partial class VerifierLog
{
    [LoggerMessage(1, LogLevel.Information, "{Count} signing keys loaded.")]
    public static partial void KeysLoaded(this ILogger logger, int count);

    [LoggerMessage(2, LogLevel.Warning, "The database does not answer; the signing keys stay as they are.")]
    public static partial void DatabaseAway(this ILogger logger, Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "The connection that listens for key changes was lost; polling goes on, listening is tried again.")]
    public static partial void ListenerLost(this ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Information, "Signing key {KeyId} of {FactoryId} enrolled.")]
    public static partial void KeyEnrolled(this ILogger logger, string keyId, string factoryId);

    [LoggerMessage(5, LogLevel.Information, "Signing key {KeyId} of {FactoryId} revoked as from {RevokedAt:O}.")]
    public static partial void KeyRevoked(this ILogger logger, string keyId, string factoryId, DateTime? revokedAt);

    [LoggerMessage(6, LogLevel.Information, "Partitions given to this replica: {Partitions}.")]
    public static partial void Assigned(this ILogger logger, string partitions);

    [LoggerMessage(7, LogLevel.Information, "Partitions given up: {Partitions}.")]
    public static partial void Revoked(this ILogger logger, string partitions);

    [LoggerMessage(
        8,
        LogLevel.Warning,
        "Partitions lost: {Partitions}. Their new owner answers again what was not committed; the second answers are ignored downstream."
    )]
    public static partial void Lost(this ILogger logger, string partitions);

    [LoggerMessage(
        9,
        LogLevel.Warning,
        "Partition {Partition}: {Answers} answers were not acknowledged within {Timeout}; its next owner gives them again."
    )]
    public static partial void NotDrained(this ILogger logger, int partition, int answers, TimeSpan timeout);

    [LoggerMessage(10, LogLevel.Warning, "Kafka: {Reason}. Trying again.")]
    public static partial void KafkaTrouble(this ILogger logger, string reason);

    [LoggerMessage(11, LogLevel.Warning, "Checking pauses until the database confirms the signing keys.")]
    public static partial void WaitingForKeys(this ILogger logger);

    [LoggerMessage(12, LogLevel.Warning, "Checking pauses: {Bytes} bytes of answers are not acknowledged by Kafka.")]
    public static partial void WaitingForAcknowledgements(this ILogger logger, long bytes);

    [LoggerMessage(13, LogLevel.Information, "Checking goes on.")]
    public static partial void GoingOn(this ILogger logger);

    [LoggerMessage(15, LogLevel.Error, "The signature backend {Backend} gave a wrong answer and was turned off: {Reason}")]
    public static partial void BackendTurnedOff(this ILogger logger, string backend, string reason);

    [LoggerMessage(16, LogLevel.Information, "Signatures are checked by {Backend} on {Threads} threads.")]
    public static partial void BackendUsed(this ILogger logger, string backend, int threads);

    [LoggerMessage(18, LogLevel.Information, "The database answers again.")]
    public static partial void DatabaseBack(this ILogger logger);

    [LoggerMessage(
        19,
        LogLevel.Information,
        "The last offsets could not be committed ({Reason}): their next owner answers again, which is known "
            + "downstream by the source positions."
    )]
    public static partial void NotCommitted(this ILogger logger, string reason);

    [LoggerMessage(
        31,
        LogLevel.Error,
        "Partition {Partition}, offset {Offset}, line {Line}: what is to be written would break the message's lines; it is rejected "
            + "instead. This is a fault of the Verifier's."
    )]
    public static partial void FramingRefused(this ILogger logger, int partition, long offset, int line);

    [LoggerMessage(
        41,
        LogLevel.Information,
        "Partition {Partition}: what was answered from offset {From} to {To} is answered the same again."
    )]
    public static partial void Recalled(this ILogger logger, int partition, long from, long to);

    [LoggerMessage(
        42,
        LogLevel.Warning,
        "Partition {Partition}: what was answered from offset {From} on is not among the last {Messages} messages; it is decided anew."
    )]
    public static partial void NotRecalled(this ILogger logger, int partition, long from, int messages);

    [LoggerMessage(20, LogLevel.Warning, "The signature backend {Backend} is not used; it is {State}.")]
    public static partial void BackendNotUsed(this ILogger logger, string backend, string state);

    [LoggerMessage(21, LogLevel.Error, "The row of signing key {KeyId} of {FactoryId} holds no usable key and is left out: {Reason}")]
    public static partial void KeyUnusable(this ILogger logger, string keyId, string factoryId, string reason);
}
