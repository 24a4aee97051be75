namespace FactoryStream.Verifier.Keys;

/// <summary>Where keys are kept; a seam for the tests of the endpoints.</summary>
internal interface IKeyStore
{
    /// <summary>
    /// Enrols the key, or finds it enrolled already. What changes is an audit event of <paramref name="who"/>, in the same transaction.
    /// </summary>
    Task<Enrolled> EnrolAsync(SigningKey key, string who, CancellationToken cancellationToken);

    /// <summary>
    /// Revokes as from <paramref name="effective"/>; an earlier revocation stands. Null: there is no such key. What changes is an audit
    /// event of <paramref name="who"/>, in the same transaction.
    /// </summary>
    Task<SigningKey?> RevokeAsync(string keyId, DateTime effective, string who, CancellationToken cancellationToken);

    Task<SigningKey?> FindAsync(string keyId, CancellationToken cancellationToken);

    /// <summary>Newest first, by factory.</summary>
    Task<IReadOnlyList<SigningKey>> ListAsync(string? factoryId, CancellationToken cancellationToken);

    /// <summary>
    /// All keys; of one that is <paramref name="known"/> its <see cref="SigningKey.PublicKey"/> is taken over, with what the backends
    /// prepared for it.
    /// </summary>
    Task<IReadOnlyList<SigningKey>> LoadAsync(KeySnapshot known, CancellationToken cancellationToken);

    /// <summary>Changes whenever a key is enrolled or revoked, and costs less than reading them all.</summary>
    Task<KeyFingerprint> FingerprintAsync(CancellationToken cancellationToken);
}

/// <summary>What changes with the keys, and what the database's clock said then.</summary>
internal readonly record struct KeyFingerprint(string Text, DateTime Clock);

/// <summary>The key as it is enrolled now, and whether it was this call that did it.</summary>
internal readonly record struct Enrolled(SigningKey Key, bool IsNew);
