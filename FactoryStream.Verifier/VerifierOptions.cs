using System.ComponentModel.DataAnnotations;

namespace FactoryStream.Verifier;

/// <summary>The Verifier's settings; section <c>Verifier</c>.</summary>
internal sealed class VerifierOptions
{
    public const string Section = "Verifier";

    /// <summary>
    /// The token that enrolling and revoking need, as <c>Authorization: Bearer</c>. Default: none, and then neither is possible.
    /// </summary>
    public string? AdminToken { get; set; }

    /// <summary>
    /// How far clocks may differ: a reading measured later than this after it was received is of the future, and a key enrolled later than
    /// this after it does not vouch for it. Default 60 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan MaxClockSkew { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The earliest moment, UTC, that a reading may be of; what was measured before is rejected (<c>too_old</c>).
    /// Default 1970-01-01, before which no reading is one.
    /// </summary>
    [Range(typeof(DateTime), "1970-01-01", "9999-12-31", ParseLimitsInInvariantCulture = true)]
    public DateTime MinMeasuredAt
    {
        get;
        // Out of configuration a time with an offset comes as a local one.
        set => field = value.Kind == DateTimeKind.Unspecified ? DateTime.SpecifyKind(value, DateTimeKind.Utc) : value.ToUniversalTime();
    } = DateTime.UnixEpoch;

    /// <summary>
    /// How long after a key's revocation or expiry a reading may arrive that was measured before it; later ones are rejected
    /// (<c>key_revoked</c>, <c>key_not_valid</c>), whatever time they claim. Default 7 days.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan LateArrivalAfterRevocation { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How often the keys are compared with the database when no notification came. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:03")]
    public TimeSpan KeyPollInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Longest that keys are trusted since they were last compared with the database; then checking pauses until they are again. Below 5 s,
    /// within which a revocation is promised to take effect. Default 4 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.2", "00:00:05")]
    public TimeSpan MaxKeyAge { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>Most lines that are checked at once (the last message may exceed it). Default 4096.</summary>
    [Range(1, 1_000_000)]
    public int MaxPolledLines { get; set; } = 4_096;

    /// <summary>Most bytes that are checked at once (the last message may exceed it). Default 8 MiB.</summary>
    [Range(1, 1 << 30)]
    public int MaxPolledBytes { get; set; } = 8 << 20;

    /// <summary>Threads that check signatures. Default 0: one for each processor.</summary>
    [Range(0, 1_024)]
    public int CheckThreads { get; set; }

    /// <summary>Most lines of one verified message that is for several source messages. 1: none is. Default 1000.</summary>
    [Range(1, 1_000_000)]
    public int MaxLinesPerMessage { get; set; } = 1_000;

    /// <summary>
    /// Most bytes of one verified message that is for several source messages. Default 64 KiB: larger arrays would go to the large object
    /// heap.
    /// </summary>
    [Range(1, 16 << 20)]
    public int MaxMessageBytes { get; set; } = 64 << 10;

    /// <summary>Bytes of verdict messages that may wait for Kafka's acknowledgement; beyond it nothing more is taken in. Default 32
    /// MiB.</summary>
    [Range(1 << 16, 1 << 30)]
    public int MaxInFlightBytes { get; set; } = 32 << 20;

    /// <summary>
    /// Most messages, of <c>readings.rejected</c> and of <c>readings.verified</c>, that are read back when a partition is taken over, for
    /// what its last owner verified without committing: that gets the same verdicts again. Default 100,000.
    /// </summary>
    [Range(128, 10_000_000)]
    public int MaxRecalledMessages { get; set; } = 100_000;

    /// <summary>
    /// How often acknowledged offsets are committed. Ingest's back-pressure looks at them, so it is short. Default 100 ms.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan CommitInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a replica may send no heartbeat before Kafka gives its partitions to the others: what a crash costs in delay. Kafka's own
    /// lower bound is 6 s. Default 6 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan SessionTimeout { get; set; } = TimeSpan.FromSeconds(6);

    /// <summary>
    /// How long a partition that is to be given up, or the service that is to stop, waits for the acknowledgement of its last verdicts.
    /// Default 10 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Verdicts unacknowledged for longer make the service unhealthy. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan UnhealthyAfter { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Bytes that make Kafka respond to a fetch at once; less waits up to <see cref="FetchWait"/> for more. Few large responses cost the
    /// broker much less than many small ones. Default 128 KiB.
    /// </summary>
    [Range(1, 16 << 20)]
    public int FetchMinBytes { get; set; } = 128 << 10;

    /// <summary>Longest that Kafka waits for <see cref="FetchMinBytes"/>. Default 20 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan FetchWait { get; set; } = TimeSpan.FromMilliseconds(20);
}
