namespace FactoryStream.Storage;

/// <summary>
/// One stored reading with its evidence: a signature of its own, or the batch that was signed. Identity: engine, time and SHA-256 of its
/// bytes.
/// </summary>
public sealed class ReadingRow
{
    /// <summary>The engine's number, <see cref="EngineRow.EngineNo"/>.</summary>
    public int EngineNo { get; set; }

    /// <summary>Event time, UTC, in whole microseconds.</summary>
    public DateTime MeasuredAt { get; set; }

    /// <summary>The SHA-256 of <see cref="Data"/>'s bytes, 32 bytes.</summary>
    public required byte[] DataSha256 { get; set; }

    /// <summary>The exact bytes that were signed, by themselves or within a batch.</summary>
    public required string Data { get; set; }

    /// <summary>
    /// The raw RSASSA-PSS signature over <see cref="Data"/>; null: it was signed with others, as <see cref="BatchSha256"/> says.
    /// </summary>
    public byte[]? Signature { get; set; }

    /// <summary>The key that signed, <see cref="SigningKeyRow.KeyNo"/>.</summary>
    public int KeyNo { get; set; }

    /// <summary>When the Verifier accepted it, UTC.</summary>
    public DateTime VerdictAt { get; set; }

    /// <summary>The <see cref="BatchRow"/> whose bytes hold <see cref="Data"/>; null: it has a signature of its own.</summary>
    public byte[]? BatchSha256 { get; set; }
}
