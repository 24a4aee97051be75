using System.ComponentModel.DataAnnotations;

namespace FactoryStream.Ingest;

/// <summary>Ingest's settings; section <c>Ingest</c>.</summary>
internal sealed class IngestOptions : IValidatableObject
{
    public const string Section = "Ingest";

    /// <summary>Longest envelope; a longer one is refused as <c>too_large</c>. Default 64 KiB: 256 metrics with long names fit.</summary>
    [Range(1_024, 900_000)]
    public int MaxLineBytes { get; set; } = 64 << 10;

    /// <summary>Longest request body, decompressed. Default 64 MiB.</summary>
    [Range(1_024, long.MaxValue)]
    public long MaxBodyBytes { get; set; } = 64 << 20;

    /// <summary>How long the next piece of a request's body is waited for. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan BodyIdleTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Most requests whose body is read at once; one more is answered 429. Default 4,096.</summary>
    [Range(1, 1_000_000)]
    public int MaxOpenRequests { get; set; } = 4_096;

    /// <summary>Most lines of one request. Default 100,000.</summary>
    [Range(1, 10_000_000)]
    public int MaxLinesPerRequest { get; set; } = 100_000;

    /// <summary>
    /// Most lines of one request that may be refused; then the rest is not read. Each is kept as a message. Default 1000.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxRefusedPerRequest { get; set; } = 1_000;

    /// <summary>Most refused lines that an answer lists one by one; it counts them all. Default 100.</summary>
    [Range(0, 100_000)]
    public int MaxRejectedListed { get; set; } = 100;

    /// <summary>Most lines of a message. 1: a reading a message. Default 256.</summary>
    [Range(1, 100_000)]
    public int MaxLinesPerMessage { get; set; } = 256;

    /// <summary>
    /// Most bytes of a message; Kafka's own limit is 1 MB by default. Default 64 KiB: larger arrays would go to the large object heap.
    /// </summary>
    [Range(1_024, 900_000)]
    public int MaxMessageBytes { get; set; } = 64 << 10;

    /// <summary>Most bytes that wait for Kafka's acknowledgement. Default 32 MiB.</summary>
    [Range(1 << 20, 1 << 30)]
    public long MaxPendingBytes { get; set; } = 32 << 20;

    /// <summary>Most readings that are accepted but not stored yet. Default 1,000,000.</summary>
    [Range(1, 1_000_000_000)]
    public long MaxBacklogReadings { get; set; } = 1_000_000;

    /// <summary>Most bytes that are accepted but not stored yet. Default 1 GiB.</summary>
    [Range(1 << 20, 1L << 40)]
    public long MaxBacklogBytes { get; set; } = 1 << 30;

    /// <summary>
    /// How much of <see cref="MaxBacklogReadings"/> and <see cref="MaxBacklogBytes"/> the lines of factories without an enrolled key may
    /// take together, refused ones included; beyond it they are answered 429, while others are still accepted. Default 0.25. 1: as much
    /// as any.
    /// </summary>
    [Range(0.0, 1.0)]
    public double UnknownKeyShare { get; set; } = 0.25;

    /// <summary>How often the Verifier is asked which factories have a key; up to a minute while it is away. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan VerifierPollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How far the database's clock, as the Verifier tells it, may differ from this machine's before <c>/health</c> says degraded.
    /// Default 10 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan MaxClockDifference { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Most bytes of one partition that are accepted but not stored yet, for a broker that cannot say what it keeps, and is then not asked.
    /// Default: none, <see cref="RetentionShare"/> of what Kafka keeps.
    /// </summary>
    [Range(1 << 20, long.MaxValue)]
    public long? MaxPartitionBytes { get; set; }

    /// <summary>
    /// The share of what Kafka keeps of a partition (<c>retention.bytes</c>) that may be accepted and not stored: more is answered 429.
    /// Once the oldest message that waits is older than this share of <c>retention.ms</c>, a warning says so. Default 0.5: messages are
    /// larger on Kafka than their lines, and what others wrote is estimated.
    /// </summary>
    [Range(0.01, 0.95)]
    public double RetentionShare { get; set; } = 0.5;

    /// <summary>How often the backlog is looked at while there is one. Default 100 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan BacklogPollInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long the Verifier or the Aggregator may take nothing though messages wait for it before <c>/health</c> says degraded.
    /// Default 60 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan StalledAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a request that has begun waits for room before it is answered 429 or 503. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan AdmissionTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long Kafka has to acknowledge a message, retries included. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan DeliveryTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What <c>Retry-After</c> asks of clients, whole seconds. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Factories' own streams of envelopes to pull, e.g. <c>http://factory_001:8000/stream</c>. Default: none.</summary>
    public IReadOnlyList<string> Sources { get; set; } = [];

    /// <summary>How long a source's host may take to answer a connection before it is tried again later. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:05:00")]
    public TimeSpan SourceConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A source that sends nothing for so long is connected to anew. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan SourceIdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// First wait before a source is connected to again; it doubles up to <see cref="SourceMaxDelay"/>, with jitter. Default 0.5 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:10:00")]
    public TimeSpan SourceMinDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest wait before a source is connected to again. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan SourceMaxDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Most clients of <c>GET /stream</c> at once. Default 64.</summary>
    [Range(0, 10_000)]
    public int MaxStreamClients { get; set; } = 64;

    /// <summary>
    /// Messages that a slow client of <c>GET /stream</c> may be behind; then it misses the oldest and is told how many readings. Default
    /// 256.
    /// </summary>
    [Range(1, 100_000)]
    public int StreamBufferMessages { get; set; } = 256;

    /// <summary>A quiet <c>GET /stream</c> sends an empty line so often, so that a client that is gone is noticed. Default 15 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan StreamHeartbeat { get; set; } = TimeSpan.FromSeconds(15);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxMessageBytes < MaxLineBytes)
            yield return new($"{nameof(MaxMessageBytes)} must not be less than {nameof(MaxLineBytes)}.", [nameof(MaxMessageBytes)]);
        if (SourceMaxDelay < SourceMinDelay)
            yield return new($"{nameof(SourceMaxDelay)} must not be less than {nameof(SourceMinDelay)}.", [nameof(SourceMaxDelay)]);
        foreach (var source in Sources)
        {
            if (!Uri.TryCreate(source, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                yield return new($"{nameof(Sources)}: '{source}' is no absolute http or https address.", [nameof(Sources)]);
        }
    }
}
