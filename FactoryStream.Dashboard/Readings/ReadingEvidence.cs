namespace FactoryStream.Dashboard.Readings;

/// <summary>A stored reading with what proves it.</summary>
/// <param name="FactoryId">Its factory.</param>
/// <param name="EngineId">Its engine.</param>
/// <param name="MeasuredAt">Event time, UTC.</param>
/// <param name="Late">False: no late reading is in its window. Null: that is not known, for its window was corrected, and which of its
/// readings were late is not kept, or it has no closed window.</param>
/// <param name="VerdictAt">When the Verifier accepted it, UTC.</param>
/// <param name="KeyId">The signing key.</param>
/// <param name="DataSha256">The SHA-256 of the exact bytes of <c>data</c>, which a receipt is asked by.</param>
/// <param name="DataBase64">Those bytes in base64.</param>
/// <param name="SignatureBase64">The signature over them in base64; null: they were signed in a batch.</param>
/// <param name="BatchSha256">The SHA-256 of the batch that was signed; null: the reading was signed by itself.</param>
internal sealed record ReadingEvidence(
    string FactoryId,
    string EngineId,
    DateTime MeasuredAt,
    bool? Late,
    DateTime VerdictAt,
    string KeyId,
    string DataSha256,
    string DataBase64,
    string? SignatureBase64,
    string? BatchSha256
);

/// <summary>The answer of <c>/api/readings</c>.</summary>
/// <param name="Readings">The newest first.</param>
/// <param name="NextCursor">What to give as <c>cursor</c>, all else as before, for the next page; null: there are no more.</param>
internal sealed record ReadingsResponse(IReadOnlyList<ReadingEvidence> Readings, string? NextCursor);
