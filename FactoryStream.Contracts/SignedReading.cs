namespace FactoryStream.Contracts;

/// <summary>
/// The envelope <c>{"data": {reading}, "signature": "base64", "key_id": "optional"}</c>, taken apart.
/// <see cref="Data"/> and <see cref="Signature"/> are slices of the line it came in, valid as long as that buffer is.
/// </summary>
/// <param name="Data">The exact bytes that were signed, from <c>{</c> to <c>}</c>; never re-serialised.</param>
/// <param name="Signature">The signature as it came: base64 in UTF-8, already known to be well formed.</param>
/// <param name="FactoryId">Whose reading it is; 1 to 128 characters.</param>
/// <param name="EngineId">Which engine of that factory; 1 to 128 characters.</param>
/// <param name="KeyId">The signing key that the sender names, or null: any valid key of the factory.</param>
/// <param name="MeasuredAt">Event time, UTC, whole microseconds (PostgreSQL keeps no more).</param>
public readonly record struct SignedReading(
    ReadOnlyMemory<byte> Data,
    ReadOnlyMemory<byte> Signature,
    string FactoryId,
    string EngineId,
    string? KeyId,
    DateTime MeasuredAt);

/// <summary>A named number of a reading.</summary>
/// <param name="Name">The machine's own name, e.g. <c>temp_air</c>; 1 to 128 characters.</param>
/// <param name="Value">Finite.</param>
public readonly record struct Metric(string Name, double Value);
