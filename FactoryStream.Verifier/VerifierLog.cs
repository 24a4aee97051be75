namespace FactoryStream.Verifier;

/// <summary>All that the Verifier logs. Never a payload, never a token or a private key.</summary>
internal sealed partial class VerifierLog(ILogger<VerifierLog> logger)
{
    [LoggerMessage(1, LogLevel.Information, "{Count} signing keys loaded.")]
    public partial void KeysLoaded(int count);

    [LoggerMessage(2, LogLevel.Warning, "The database does not answer; the signing keys stay as they are.")]
    public partial void DatabaseAway(Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "The connection that listens for key changes was lost; polling goes on, listening is tried again.")]
    public partial void ListenerLost(Exception exception);

    [LoggerMessage(4, LogLevel.Information, "Signing key {KeyId} of {FactoryId} enrolled.")]
    public partial void KeyEnrolled(string keyId, string factoryId);

    [LoggerMessage(5, LogLevel.Information, "Signing key {KeyId} of {FactoryId} revoked as from {RevokedAt:O}.")]
    public partial void KeyRevoked(string keyId, string factoryId, DateTime? revokedAt);

    [LoggerMessage(6, LogLevel.Information, "Partitions given to this replica: {Partitions}.")]
    public partial void Assigned(string partitions);

    [LoggerMessage(7, LogLevel.Information, "Partitions given up: {Partitions}.")]
    public partial void Revoked(string partitions);

    [LoggerMessage(8, LogLevel.Warning, "Partitions lost: {Partitions}. Their new owner answers again what was not committed; the second answers are ignored downstream.")]
    public partial void Lost(string partitions);

    [LoggerMessage(9, LogLevel.Warning, "Partition {Partition}: {Answers} answers were not acknowledged within {Timeout}; its next owner gives them again.")]
    public partial void NotDrained(int partition, int answers, TimeSpan timeout);

    [LoggerMessage(10, LogLevel.Warning, "Kafka: {Reason}. Trying again.")]
    public partial void KafkaTrouble(string reason);

    [LoggerMessage(11, LogLevel.Warning, "Checking pauses until the database confirms the signing keys.")]
    public partial void WaitingForKeys();

    [LoggerMessage(12, LogLevel.Warning, "Checking pauses: {Bytes} bytes of answers are not acknowledged by Kafka.")]
    public partial void WaitingForAcknowledgements(long bytes);

    [LoggerMessage(13, LogLevel.Information, "Checking goes on.")]
    public partial void GoingOn();

    [LoggerMessage(15, LogLevel.Error, "The signature backend {Backend} gave a wrong answer and was turned off: {Reason}")]
    public partial void BackendTurnedOff(string backend, string reason);

    [LoggerMessage(16, LogLevel.Information, "Signatures are checked by {Backend} on {Threads} threads.")]
    public partial void Backend(string backend, int threads);

    [LoggerMessage(17, LogLevel.Warning, "No admin token is configured: keys can be neither enrolled nor revoked.")]
    public partial void NoAdminToken();

    [LoggerMessage(18, LogLevel.Information, "The database answers again.")]
    public partial void DatabaseBack();

    [LoggerMessage(19, LogLevel.Information, "The last offsets could not be committed ({Reason}): their next owner answers again, which is known downstream by the source positions.")]
    public partial void NotCommitted(string reason);

    [LoggerMessage(31, LogLevel.Error, "Partition {Partition}, offset {Offset}, line {Line}: what is to be written would break the message's lines; it is rejected instead. This is a fault of the Verifier's.")]
    public partial void FramingRefused(int partition, long offset, int line);

    [LoggerMessage(41, LogLevel.Information,
        "Partition {Partition}: what was answered from offset {From} to {To} is answered the same again.")]
    public partial void Recalled(int partition, long from, long to);

    [LoggerMessage(42, LogLevel.Warning,
        "Partition {Partition}: what was answered from offset {From} on is not among the last {Messages} messages; it is decided anew.")]
    public partial void NotRecalled(int partition, long from, int messages);

    [LoggerMessage(20, LogLevel.Warning, "The signature backend {Backend} is not used; it is {State}.")]
    public partial void BackendNotUsed(string backend, string state);

    [LoggerMessage(21, LogLevel.Error, "The row of signing key {KeyId} of {FactoryId} holds no usable key and is left out: {Reason}")]
    public partial void KeyUnusable(string keyId, string factoryId, string reason);
}
