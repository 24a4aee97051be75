namespace FactoryStream.Dashboard.Rejections;

/// <summary>A line that was refused by Ingest or rejected later.</summary>
/// <param name="Id">Given in the order in which they were stored.</param>
/// <param name="RejectedAt">When it was refused or rejected, UTC.</param>
/// <param name="FactoryId">The factory that the line names; <c>unknown</c> where that could not be read.</param>
/// <param name="UnknownFactory">The factory had no key, so the line is in no factory's ledger, whatever it named.</param>
/// <param name="Reason">A verdict's name, e.g. <c>bad_signature</c>.</param>
/// <param name="Refused">True: refused by Ingest, never had a 202. False: accepted by Ingest, rejected later.</param>
/// <param name="Detail">What is wrong, in words; null: the reason says all.</param>
/// <param name="Partition">The partition of <c>readings.signed</c>; null where the line never was there.</param>
/// <param name="Offset">The offset of its message there.</param>
/// <param name="Line">The line in that message, from 0.</param>
/// <param name="Readings">How many readings it counts: more than one of a batch.</param>
/// <param name="DataSha256">The SHA-256 of the exact bytes of <c>data</c> or <c>batch</c>, which a receipt is asked by; null where neither
/// is whole in the line.</param>
/// <param name="Sha256">The SHA-256 of what is kept of the line.</param>
/// <param name="Size">Bytes that are kept of it.</param>
internal sealed record Rejection(
    long Id,
    DateTime RejectedAt,
    string FactoryId,
    bool UnknownFactory,
    string Reason,
    bool Refused,
    string? Detail,
    int? Partition,
    long? Offset,
    int? Line,
    int Readings,
    string? DataSha256,
    string Sha256,
    int Size
);

/// <summary>The answer of <c>/api/rejections</c>.</summary>
/// <param name="Rejections">The newest first.</param>
/// <param name="NextCursor">What to give as <c>cursor</c>, all else as before, for the next page; null: there are no more.</param>
internal sealed record RejectionsResponse(IReadOnlyList<Rejection> Rejections, string? NextCursor);

/// <summary>The answer of <c>/api/rejections/{id}</c>: the kept line is in one of two members.</summary>
/// <param name="Rejection">What is said of it.</param>
/// <param name="Envelope">The line as it came; null: it is no UTF-8.</param>
/// <param name="EnvelopeBase64">Its bytes in base64; null: it is UTF-8.</param>
internal sealed record RejectionDetails(Rejection Rejection, string? Envelope, string? EnvelopeBase64);
