namespace FactoryStream.Contracts;

/// <summary>
/// The envelope <c>{"data": {reading}, "signature": "base64", "key_id": "optional"}</c>, or one of a batch,
/// <c>{"batch": [{reading}, …], "signature": "base64", "key_id": "optional"}</c>, taken apart.
/// <see cref="Data"/> and, usually, <see cref="Signature"/> are slices of the line it came in, valid as long as that buffer is.
/// </summary>
/// <param name="Data">The exact bytes that were signed, from <c>{</c> to <c>}</c>, of a batch from <c>[</c> to <c>]</c>; never
/// re-serialised.</param>
/// <param name="Signature">The signature in base64 with padding and nothing else (RFC 4648, section 4), however it came: it goes onward as
/// it stands here.</param>
/// <param name="FactoryId">The factory that the reading is of; 1 to 128 characters.</param>
/// <param name="EngineId">The engine's id within that factory; 1 to 128 characters. Empty for a batch, whose readings may be of
/// several.</param>
/// <param name="KeyId">The signing key that the sender names, or null: any valid key of the factory.</param>
/// <param name="MeasuredAt">Event time, UTC, whole microseconds (PostgreSQL keeps no more); of a batch its newest.</param>
public readonly record struct SignedReading(
    ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Signature,
    string FactoryId,
    string EngineId,
    string? KeyId,
    DateTime MeasuredAt
)
{
    /// <summary>How many readings the signature is over, as an array; 0: it is over one reading by itself.</summary>
    public int BatchCount { get; init; }

    /// <summary>Of a batch its oldest event time; of one reading by itself not set.</summary>
    public DateTime OldestAt { get; init; }

    /// <summary>The signature is over an array of readings.</summary>
    public bool IsBatch => BatchCount > 0;

    /// <summary>How many readings there are; a line of which nothing could be read counts as one.</summary>
    public int Count => Math.Max(1, BatchCount);
}

/// <summary>A reading of a batch; its factory is the batch's.</summary>
/// <param name="EngineId">The engine's id within the batch's factory; 1 to 128 characters.</param>
/// <param name="MeasuredAt">Event time, UTC, whole microseconds.</param>
/// <param name="Start">Where its exact bytes begin in <see cref="SignedReading.Data"/> of the batch.</param>
/// <param name="Length">How many bytes they are, from <c>{</c> to <c>}</c>.</param>
/// <param name="MetricStart">Where its metrics begin in <see cref="ReadingParser.MetricsSpan"/>.</param>
/// <param name="MetricCount">How many metrics it has, 0 or more.</param>
public readonly record struct BatchReading(string EngineId, DateTime MeasuredAt, int Start, int Length, int MetricStart, int MetricCount);

/// <summary>A named number of a reading.</summary>
/// <param name="Name">The machine's own name, e.g. <c>temp_air</c>; 1 to 128 characters.</param>
/// <param name="Value">In the machine's own unit; never NaN or infinite.</param>
public readonly record struct Metric(string Name, double Value);
