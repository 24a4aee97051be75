using FactoryStream.Dashboard.Rejections;

namespace FactoryStream.Dashboard.Receipts;

/// <summary>What became of one reading.</summary>
/// <param name="Sha256">The SHA-256 that was asked for, of the exact bytes of <c>data</c>; of a rejected batch those of
/// <c>batch</c>.</param>
/// <param name="Outcome"><c>stored</c>; <c>rejected</c>, after a 202; <c>refused</c>, without one; <c>pending</c>: not seen, but accepted
/// readings are still on the way, and it may be among them; <c>unknown</c>: not seen, and nothing is on the way.</param>
/// <param name="Stored">Where it is stored; null: it is not. A reading that was rejected and later stored is stored.</param>
/// <param name="Rejection">The newest rejection of these bytes; null: there is none, or they are stored.</param>
/// <param name="SearchedFrom">Not set, or of a reading that was not found: what was measured before was not searched.</param>
internal sealed record Receipt(
    string Sha256,
    string Outcome,
    StoredReading? Stored = null,
    Rejection? Rejection = null,
    DateTime? SearchedFrom = null
);

/// <summary>A stored reading.</summary>
/// <param name="FactoryId">Its factory.</param>
/// <param name="EngineId">Its engine.</param>
/// <param name="MeasuredAt">Event time, UTC.</param>
/// <param name="KeyId">The signing key.</param>
/// <param name="VerdictAt">When the Verifier accepted it, UTC.</param>
/// <param name="BatchSha256">The SHA-256 of the batch that it was signed in; null: it was signed by itself.</param>
/// <param name="Window">The closed window that it counts in; null: that is not closed yet, or the reading has no metrics.</param>
internal sealed record StoredReading(
    string FactoryId,
    string EngineId,
    DateTime MeasuredAt,
    string KeyId,
    DateTime VerdictAt,
    string? BatchSha256,
    ReceiptWindow? Window
);

/// <summary>A closed window, start inclusive, end exclusive, and how often late readings corrected it.</summary>
internal sealed record ReceiptWindow(DateTime WindowStart, DateTime WindowEnd, int Revision);

/// <summary>The body of <c>POST /api/receipts</c>.</summary>
/// <param name="Sha256">1 to 1,000 hashes of 64 hexadecimal digits.</param>
/// <param name="MeasuredAt">When all of them were measured, a moment or a day; null: at any time.</param>
internal sealed record ReceiptsRequest(IReadOnlyList<string?>? Sha256, string? MeasuredAt);

/// <summary>The answer of <c>POST /api/receipts</c>: a receipt for each hash, in their order.</summary>
internal sealed record ReceiptsResponse(IReadOnlyList<Receipt> Receipts);
