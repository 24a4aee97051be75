using FactoryStream.Contracts;

namespace FactoryStream.Audit.Evidence;

/// <summary>A stored reading with all of its evidence.</summary>
/// <param name="FactoryId">As signed.</param>
/// <param name="EngineId">As signed.</param>
/// <param name="MeasuredAt">As signed, UTC, in microseconds.</param>
/// <param name="VerdictAt">When it was found true, UTC.</param>
/// <param name="KeyId">By which key.</param>
/// <param name="Data">The signed bytes, which are UTF-8.</param>
/// <param name="Signature">Of those.</param>
internal sealed record ArchivedReading(
    string FactoryId,
    string EngineId,
    DateTime MeasuredAt,
    DateTime VerdictAt,
    string KeyId,
    string Data,
    byte[] Signature
)
{
    /// <summary>
    /// Where the columns say something else than the signed bytes: readers search by the columns, so they must not be able to lie. Null:
    /// nowhere.
    /// </summary>
    public string? Contradiction(in SignedReading signed) =>
        signed.FactoryId != FactoryId ? $"column factory_id says {FactoryId}, the signed bytes {signed.FactoryId}"
        : signed.EngineId != EngineId ? $"column engine_id says {EngineId}, the signed bytes {signed.EngineId}"
        // PostgreSQL and Parquet keep microseconds.
        : signed.MeasuredAt.Ticks / TimeSpan.TicksPerMicrosecond != MeasuredAt.Ticks / TimeSpan.TicksPerMicrosecond
            ? $"column measured_at says {MeasuredAt:O}, the signed bytes {signed.MeasuredAt:O}"
        : null;
}
