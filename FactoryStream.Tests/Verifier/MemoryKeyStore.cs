using FactoryStream.Verifier.Keys;

namespace FactoryStream.Tests.Verifier;

/// <summary>Keys without a database.</summary>
internal sealed class MemoryKeyStore : IKeyStore
{
    private readonly Dictionary<string, SigningKey> keys = [];

    public int Loads { get; private set; }

    public int Comparisons { get; private set; }

    /// <summary>When set, the database "does not respond".</summary>
    public Exception? Failure { get; set; }

    public Task<Enrolled> EnrolAsync(SigningKey key, string who, CancellationToken cancellationToken)
    {
        ThrowIfAway();
        var isNew = keys.TryAdd(key.KeyId, key);
        return Task.FromResult(new Enrolled(keys[key.KeyId], isNew));
    }

    public Task<SigningKey?> RevokeAsync(string keyId, DateTime effective, string who, CancellationToken cancellationToken)
    {
        if (!keys.TryGetValue(keyId, out var key))
            return Task.FromResult<SigningKey?>(null);
        if (key.RevokedAt is null || key.RevokedAt > effective)
            keys[keyId] = key with { RevokedAt = effective };
        return Task.FromResult<SigningKey?>(keys[keyId]);
    }

    public Task<SigningKey?> FindAsync(string keyId, CancellationToken cancellationToken) => Task.FromResult(keys.GetValueOrDefault(keyId));

    public Task<IReadOnlyList<SigningKey>> ListAsync(string? factoryId, CancellationToken cancellationToken)
    {
        ThrowIfAway();
        return Task.FromResult<IReadOnlyList<SigningKey>>([
            .. keys.Values.Where(key => factoryId is null || key.FactoryId == factoryId).OrderByDescending(key => key.EnrolledAt),
        ]);
    }

    public Task<IReadOnlyList<SigningKey>> LoadAsync(KeySnapshot known, CancellationToken cancellationToken)
    {
        Loads++;
        return ListAsync(null, cancellationToken);
    }

    /// <summary>What the database's clock says.</summary>
    public DateTime Clock { get; set; } = Factories.Noon;

    public Task<KeyFingerprint> FingerprintAsync(CancellationToken cancellationToken)
    {
        ThrowIfAway();
        Comparisons++;
        return Task.FromResult(new KeyFingerprint(string.Join(';', keys.Values.Select(key => $"{key.KeyId}{key.RevokedAt:O}")), Clock));
    }

    private void ThrowIfAway()
    {
        if (Failure is not null)
            throw Failure;
    }
}
