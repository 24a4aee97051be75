namespace FactoryStream.Storage;

/// <summary>A batch as it was signed: the evidence of its readings, stored once.</summary>
public sealed class BatchRow
{
    /// <summary>The SHA-256 of <see cref="Data"/>, 32 bytes.</summary>
    public required byte[] Sha256 { get; set; }

    /// <summary>The event time of its newest reading, UTC.</summary>
    public DateTime MeasuredUntil { get; set; }

    /// <summary>The key that signed, <see cref="SigningKeyRow.KeyNo"/>.</summary>
    public int KeyNo { get; set; }

    /// <summary>When the Verifier accepted it, UTC.</summary>
    public DateTime VerdictAt { get; set; }

    /// <summary>The exact bytes that were signed, from <c>[</c> to <c>]</c>.</summary>
    public required byte[] Data { get; set; }

    /// <summary>The raw RSASSA-PSS signature over <see cref="Data"/>.</summary>
    public required byte[] Signature { get; set; }
}
