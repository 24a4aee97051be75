namespace FactoryStream.Signatures;

/// <summary>One question to a <see cref="SignatureVerifier"/>: is this the signature of that data by this key?</summary>
/// <param name="key">The enrolled key that the signature claims to be of.</param>
/// <param name="data">The exact bytes that were signed; they must not change while they are checked.</param>
/// <param name="signature">The signature, raw (not base64). A length other than the key's own is simply invalid.</param>
public readonly struct SignatureCheck(RsaPublicKey key, ReadOnlyMemory<byte> data, ReadOnlyMemory<byte> signature)
{
    /// <summary>The enrolled key that the signature claims to be of.</summary>
    public RsaPublicKey Key { get; } = key;

    /// <summary>The exact bytes that were signed.</summary>
    public ReadOnlyMemory<byte> Data { get; } = data;

    /// <summary>The raw signature; one of another length than the key's modulus is not valid.</summary>
    public ReadOnlyMemory<byte> Signature { get; } = signature;
}
