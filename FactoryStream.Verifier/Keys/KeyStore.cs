using FactoryStream.Signatures;
using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;

namespace FactoryStream.Verifier.Keys;

/// <summary>Keys in <c>factory.signing_keys</c>. Each change tells all replicas on the channel <see cref="Channel"/>, in its own transaction.</summary>
internal sealed class KeyStore(IServiceScopeFactory scopes) : IKeyStore
{
    public const string Channel = "factory_keys";

    public async Task<Enrolled> EnrolAsync(SigningKey key, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        // Two replicas may enrol the same key at the same moment: the unique key_id decides, and both answer the same.
        var enrolled = await database.Database.SqlQuery<string>($"""
            WITH enrolled AS (
                INSERT INTO factory.signing_keys (key_id, factory_id, algorithm, public_key, not_before, not_after, enrolled_at)
                VALUES ({key.KeyId}, {key.FactoryId}, {SigningKey.Algorithm}, {key.PublicKey.SubjectPublicKeyInfo.ToArray()}, {key.NotBefore}, {key.NotAfter}, {key.EnrolledAt})
                ON CONFLICT (key_id) DO NOTHING
                RETURNING key_id)
            SELECT key_id AS "Value" FROM enrolled, pg_notify({Channel}, key_id)
            """).ToListAsync(cancellationToken);
        if (enrolled.Count == 1)
            return new(key, IsNew: true);
        var row = await database.SigningKeys.AsNoTracking().SingleAsync(row => row.KeyId == key.KeyId, cancellationToken);
        return new(FromRow(row), IsNew: false);
    }

    public async Task<SigningKey?> RevokeAsync(string keyId, DateTime effective, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        await database.Database.SqlQuery<string>($"""
            WITH revoked AS (
                UPDATE factory.signing_keys SET revoked_at = {effective}
                WHERE key_id = {keyId} AND (revoked_at IS NULL OR revoked_at > {effective})
                RETURNING key_id)
            SELECT key_id AS "Value" FROM revoked, pg_notify({Channel}, key_id)
            """).ToListAsync(cancellationToken);
        var row = await database.SigningKeys.AsNoTracking().SingleOrDefaultAsync(row => row.KeyId == keyId, cancellationToken);
        return row is null ? null : FromRow(row);
    }

    public async Task<SigningKey?> FindAsync(string keyId, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        var row = await database.SigningKeys.AsNoTracking().SingleOrDefaultAsync(row => row.KeyId == keyId, cancellationToken);
        return row is null ? null : FromRow(row);
    }

    public async Task<IReadOnlyList<SigningKey>> ListAsync(string? factoryId, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        var rows = await database.SigningKeys.AsNoTracking()
            .Where(row => factoryId == null || row.FactoryId == factoryId)
            .OrderBy(row => row.FactoryId).ThenByDescending(row => row.EnrolledAt).ThenBy(row => row.KeyId)
            .ToListAsync(cancellationToken);
        return rows.ConvertAll(FromRow);
    }

    public async Task<IReadOnlyList<SigningKey>> LoadAsync(KeySnapshot known, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        var rows = await database.SigningKeys.AsNoTracking().ToListAsync(cancellationToken);
        // All but the revocation of a key stays as it was enrolled.
        return rows.ConvertAll(row => known.Find(row.FactoryId, row.KeyId) is { } key ? key with { RevokedAt = row.RevokedAt } : FromRow(row));
    }

    public async Task<string> FingerprintAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        // Rows come and are revoked, and a revocation only ever moves to an earlier time.
        var fingerprints = await database.Database.SqlQuery<string>($"""
            SELECT count(*) || '/' || count(revoked_at) || '/' || coalesce(sum(extract(epoch FROM revoked_at)), 0) AS "Value" FROM factory.signing_keys
            """).ToListAsync(cancellationToken);
        return fingerprints.Single();
    }

    private static SigningKey FromRow(SigningKeyRow row)
    {
        if (!RsaPublicKey.TryParsePem(System.Security.Cryptography.PemEncoding.WriteString("PUBLIC KEY", row.PublicKey), out var publicKey, out var error))
            throw new InvalidDataException($"factory.signing_keys holds no usable key under {row.KeyId}: {error}");
        return new(row.KeyId, row.FactoryId, publicKey, row.EnrolledAt, row.NotBefore, row.NotAfter, row.RevokedAt);
    }
}
