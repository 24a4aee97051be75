namespace FactoryStream.Signatures.Backends;

/// <summary>
/// Checks a few signatures at once. The caller has seen to it that all keys have one size, that lengths are exact and that every signature
/// is below its modulus.
/// </summary>
internal interface ISignatureBackend
{
    string Name { get; }

    /// <summary>At most so many at once.</summary>
    int Lanes { get; }

    /// <summary>Keys that have this backend's constants now.</summary>
    int PreparedKeys { get; }

    bool Supports(RsaPublicKey key);

    /// <summary>Sees to it that a supported key has what it takes to be checked fast; false when there is no place for it now.</summary>
    bool TryPrepare(RsaPublicKey key);

    /// <summary>How many of <paramref name="waiting"/> signatures to take now; 0 when one at a time is cheaper.</summary>
    int Take(int waiting);

    /// <summary>Bit i says whether <c>checks[indices[i]]</c> is valid.</summary>
    uint Verify(ReadOnlySpan<SignatureCheck> checks, ReadOnlySpan<int> indices);
}
