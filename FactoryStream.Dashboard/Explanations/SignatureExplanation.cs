namespace FactoryStream.Dashboard.Explanations;

/// <summary>
/// Why a signature fails: the data and the signature that were sent, tried in the ways in which machines usually go wrong. Pure.
/// </summary>
/// <param name="Key">The enrolled key that signed.</param>
/// <param name="Causes">All that is not as it should be, in the order of <see cref="SignatureCause.All"/>; none: it is valid.</param>
internal sealed record SignatureExplanation(ExplainedKey Key, IReadOnlyList<SignatureCause> Causes)
{
    /// <summary>Looks for the key and the way that the signature was made with; null: nothing of what is tried holds.</summary>
    /// <param name="data">The exact bytes of <c>data</c> or <c>batch</c>, JSON.</param>
    /// <param name="signature">The bytes that were sent as the signature.</param>
    /// <param name="factoryId">The factory whose reading it is.</param>
    /// <param name="keyId">The key that the envelope names; null: any of the factory's.</param>
    /// <param name="keys">The keys to try, the likeliest first.</param>
    public static SignatureExplanation? Find(
        ReadOnlyMemory<byte> data,
        byte[] signature,
        string factoryId,
        string? keyId,
        IReadOnlyList<ExplainedKey> keys
    )
    {
        var forms = SignedForms.Of(data);
        var hashes = new Dictionary<(SignatureHash, SignedForm), byte[]>();
        foreach (var (signatureCause, meant) in SignatureForms.Of(signature))
        {
            foreach (var key in keys)
            {
                foreach (var encoding in SignatureEncoding.Read(key, meant))
                {
                    if (forms.FirstOrDefault(form => encoding.IsOver(HashOf(encoding.Hash, form))) is not { } signed)
                        continue;
                    var keyCause =
                        key.FactoryId != factoryId ? SignatureCause.OtherFactorysKey
                        : keyId is not null && key.KeyId != keyId ? SignatureCause.OtherKeyNamed
                        : null;
                    SignatureCause?[] found = [.. encoding.Causes, .. signed.Causes, signatureCause, keyCause];
                    return new(key, [.. SignatureCause.All.Where(found.Contains)]);
                }
            }
        }
        return null;

        byte[] HashOf(SignatureHash hash, SignedForm form)
        {
            if (!hashes.TryGetValue((hash, form), out var digest))
                hashes[(hash, form)] = digest = hash.Digest(form.Bytes);
            return digest;
        }
    }
}
