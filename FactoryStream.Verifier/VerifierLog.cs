namespace FactoryStream.Verifier;

/// <summary>All that the Verifier logs. Never a payload, never a token or a private key.</summary>
internal sealed partial class VerifierLog(ILogger<VerifierLog> logger)
{
    [LoggerMessage(1, LogLevel.Information, "{Count} signing keys loaded.", EventName = nameof(KeysLoaded))]
    public partial void KeysLoaded(int count);

    [LoggerMessage(
        2,
        LogLevel.Warning,
        "The database does not respond; the signing keys stay as they are. See whether PostgreSQL runs and can be reached.",
        EventName = nameof(DatabaseAway)
    )]
    public partial void DatabaseAway(Exception exception);

    [LoggerMessage(
        3,
        LogLevel.Warning,
        "The connection that listens for key changes was lost. It is opened again; until then the keys are polled.",
        EventName = nameof(ListenerLost)
    )]
    public partial void ListenerLost(Exception exception);

    [LoggerMessage(4, LogLevel.Information, "Signing key {KeyId} of {FactoryId} enrolled.", EventName = nameof(KeyEnrolled))]
    public partial void KeyEnrolled(string keyId, string factoryId);

    [LoggerMessage(
        5,
        LogLevel.Information,
        "Signing key {KeyId} of {FactoryId} revoked as from {RevokedAt:O}.",
        EventName = nameof(KeyRevoked)
    )]
    public partial void KeyRevoked(string keyId, string factoryId, DateTime? revokedAt);

    [LoggerMessage(6, LogLevel.Information, "Partitions assigned to this replica: {Partitions}.", EventName = nameof(Assigned))]
    public partial void Assigned(string partitions);

    [LoggerMessage(7, LogLevel.Information, "Partitions given up: {Partitions}.", EventName = nameof(Revoked))]
    public partial void Revoked(string partitions);

    [LoggerMessage(
        8,
        LogLevel.Warning,
        "Partitions lost: {Partitions}. Their new owner gives the uncommitted verdicts again; the Aggregator ignores the second ones.",
        EventName = nameof(Lost)
    )]
    public partial void Lost(string partitions);

    [LoggerMessage(
        9,
        LogLevel.Warning,
        "Partition {Partition}: Kafka did not acknowledge {Deliveries} verdict messages within {Timeout}; its next owner sends them again.",
        EventName = nameof(NotDrained)
    )]
    public partial void NotDrained(int partition, int deliveries, TimeSpan timeout);

    [LoggerMessage(10, LogLevel.Warning, "Kafka: {Reason}. Trying again.", EventName = nameof(KafkaTrouble))]
    public partial void KafkaTrouble(string reason);

    [LoggerMessage(
        11,
        LogLevel.Warning,
        "Checking pauses until the database confirms the signing keys. See whether PostgreSQL runs and can be reached.",
        EventName = nameof(WaitingForKeys)
    )]
    public partial void WaitingForKeys();

    [LoggerMessage(
        12,
        LogLevel.Warning,
        "Checking pauses: Kafka has not acknowledged {Bytes} bytes of verdict messages. See whether its brokers keep up.",
        EventName = nameof(WaitingForAcknowledgements)
    )]
    public partial void WaitingForAcknowledgements(long bytes);

    [LoggerMessage(13, LogLevel.Information, "Checking goes on.", EventName = nameof(GoingOn))]
    public partial void GoingOn();

    [LoggerMessage(
        15,
        LogLevel.Error,
        "The signature backend {Backend} gave a wrong result and was turned off; another one checks in its place. "
            + "Have the machine's processor and memory tested. {Reason}",
        EventName = nameof(BackendTurnedOff)
    )]
    public partial void BackendTurnedOff(string backend, string reason);

    [LoggerMessage(
        16,
        LogLevel.Information,
        "Signatures are checked by the backend {Backend} on {Threads} threads.",
        EventName = nameof(BackendUsed)
    )]
    public partial void BackendUsed(string backend, int threads);

    [LoggerMessage(18, LogLevel.Information, "The database responds again.", EventName = nameof(DatabaseBack))]
    public partial void DatabaseBack();

    [LoggerMessage(
        19,
        LogLevel.Information,
        "The last offsets could not be committed ({Reason}). The partitions' next owner gives these verdicts again, and the Aggregator "
            + "ignores the second ones.",
        EventName = nameof(NotCommitted)
    )]
    public partial void NotCommitted(string reason);

    [LoggerMessage(
        20,
        LogLevel.Warning,
        "The signature backend {Backend} is not used; it is {State}. A slower one checks in its place.",
        EventName = nameof(BackendNotUsed)
    )]
    public partial void BackendNotUsed(string backend, string state);

    [LoggerMessage(
        21,
        LogLevel.Error,
        "The row of signing key {KeyId} of {FactoryId} holds no usable key and is left out; enrol the key again. {Reason}",
        EventName = nameof(KeyUnusable)
    )]
    public partial void KeyUnusable(string keyId, string factoryId, string reason);

    [LoggerMessage(
        31,
        LogLevel.Error,
        "Partition {Partition}, offset {Offset}, line {Line}: the verified line has a line break, so it is rejected. "
            + "This is a fault of the Verifier; please report it.",
        EventName = nameof(FramingRefused)
    )]
    public partial void FramingRefused(int partition, long offset, int line);

    [LoggerMessage(
        41,
        LogLevel.Information,
        "Partition {Partition}: offsets {From} to {To} keep the verdicts that its last owner gave.",
        EventName = nameof(Recalled)
    )]
    public partial void Recalled(int partition, long from, long to);

    [LoggerMessage(
        42,
        LogLevel.Warning,
        "Partition {Partition}: the verdicts from offset {From} on are not among the last {Messages} messages, so these are verified "
            + "again. Verifier:MaxRecalledMessages says how many are read.",
        EventName = nameof(NotRecalled)
    )]
    public partial void NotRecalled(int partition, long from, int messages);

    [LoggerMessage(
        43,
        LogLevel.Warning,
        "Notifications do not come through to this connection (a pooler of transactions?), so keys are polled every 2 s.",
        EventName = nameof(NotificationsNotHeard)
    )]
    public partial void NotificationsNotHeard();
}
