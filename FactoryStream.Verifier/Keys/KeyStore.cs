using FactoryStream.Signatures;
using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;

namespace FactoryStream.Verifier.Keys;

/// <summary>
/// Keys in <c>factory.signing_keys</c>. Each change tells all replicas on the channel <see cref="Channel"/>, in its own transaction.
/// </summary>
internal sealed class KeyStore(IServiceScopeFactory scopes, VerifierLog log) : IKeyStore
{
    public const string Channel = "factory_keys";

    // Who changes keys has the admin token, or acts for an admin.
    private const string Role = "admin";

    // What .NET and a verdict can tell apart. PostgreSQL keeps -infinity and the year 294276 as well, and one such time would fail the
    // reading of every row.
    private static readonly DateTime First = DateTime.UnixEpoch,
        Last = new DateTime(9999, 12, 31, 23, 59, 59, DateTimeKind.Utc);

    public async Task<Enrolled> EnrolAsync(SigningKey key, string who, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        // Two replicas may enrol the same key at the same moment: the unique key_id decides, and both return the same.
        var enrolled = await database
            .Database.SqlQuery<string>(
                $"""
                WITH enrolled AS (
                    INSERT INTO factory.signing_keys (key_id, factory_id, algorithm, public_key, not_before, not_after, enrolled_at)
                    VALUES ({key.KeyId}, {key.FactoryId}, {SigningKey.Algorithm}, {key.PublicKey.SubjectPublicKeyInfo.ToArray()},
                        {key.NotBefore}, {key.NotAfter}, {key.EnrolledAt})
                    ON CONFLICT (key_id) DO NOTHING
                    RETURNING key_id, factory_id),
                audited AS (
                    INSERT INTO factory.audit_events (who, role, action, subject, detail)
                    SELECT {who}, {Role}, 'key_enrolled', key_id, 'factory ' || factory_id FROM enrolled)
                SELECT key_id AS "Value" FROM enrolled, pg_notify({Channel}, key_id)
                """
            )
            .ToListAsync(cancellationToken);
        if (enrolled.Count == 1)
            return new(key, IsNew: true);
        var row = await Rows(database).SingleAsync(row => row.KeyId == key.KeyId, cancellationToken);
        return new(FromRow(row), IsNew: false);
    }

    public async Task<SigningKey?> RevokeAsync(string keyId, DateTime effective, string who, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        await database
            .Database.SqlQuery<string>(
                $"""
                WITH revoked AS (
                    UPDATE factory.signing_keys SET revoked_at = {effective}
                    WHERE key_id = {keyId} AND (revoked_at IS NULL OR revoked_at > {effective})
                    RETURNING key_id, factory_id, revoked_at),
                audited AS (
                    INSERT INTO factory.audit_events (who, role, action, subject, detail)
                    SELECT {who}, {Role}, 'key_revoked', key_id,
                        'factory ' || factory_id || ', as from '
                            || to_char(revoked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC'
                    FROM revoked)
                SELECT key_id AS "Value" FROM revoked, pg_notify({Channel}, key_id)
                """
            )
            .ToListAsync(cancellationToken);
        var row = await Rows(database).SingleOrDefaultAsync(row => row.KeyId == keyId, cancellationToken);
        return row is null ? null : FromRow(row);
    }

    public async Task<SigningKey?> FindAsync(string keyId, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        var row = await Rows(database).SingleOrDefaultAsync(row => row.KeyId == keyId, cancellationToken);
        return row is null ? null : FromRow(row);
    }

    public async Task<IReadOnlyList<SigningKey>> ListAsync(string? factoryId, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        var rows = await Rows(database)
            .Where(row => factoryId == null || row.FactoryId == factoryId)
            .OrderBy(row => row.FactoryId)
            .ThenByDescending(row => row.EnrolledAt)
            .ThenBy(row => row.KeyId)
            .ToListAsync(cancellationToken);
        return Usable(rows, KeySnapshot.Empty);
    }

    public async Task<IReadOnlyList<SigningKey>> LoadAsync(KeySnapshot known, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        var rows = await Rows(database).ToListAsync(cancellationToken);
        return Usable(rows, known);
    }

    public async Task<KeyFingerprint> FingerprintAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        // Rows come and are revoked, and a revocation only ever moves to an earlier time. An infinity would swallow all others in the sum.
        var fingerprints = await database
            .Database.SqlQuery<string>(
                $"""
                SELECT count(*) || '/' || count(revoked_at) || '/'
                    || coalesce(sum(extract(epoch FROM greatest(least(revoked_at, {Last}), {First}))) FILTER (WHERE revoked_at IS NOT NULL),
                        0)
                    || '@' || (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS "Value"
                FROM factory.signing_keys
                """
            )
            .ToListAsync(cancellationToken);
        // Both in one round trip: it is asked every other second, and before a reading is rejected for want of a key.
        var parts = fingerprints.Single().Split('@');
        return new(parts[0], DateTime.UnixEpoch.AddMicroseconds(long.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture)));
    }

    /// <summary>The rows, with times outside 1970 to 9999 replaced by the nearer of these ends: what was revoked before all time is
    /// revoked for all that was ever measured.</summary>
    private static IQueryable<SigningKeyRow> Rows(FactoryDbContext database) =>
        database
            .SigningKeys.FromSql(
                $"""
                SELECT key_no, key_id, factory_id, algorithm, public_key,
                    CASE WHEN not_before IS NOT NULL THEN greatest(least(not_before, {Last}), {First}) END AS not_before,
                    CASE WHEN not_after IS NOT NULL THEN greatest(least(not_after, {Last}), {First}) END AS not_after,
                    greatest(least(enrolled_at, {Last}), {First}) AS enrolled_at,
                    CASE WHEN revoked_at IS NOT NULL THEN greatest(least(revoked_at, {Last}), {First}) END AS revoked_at
                FROM factory.signing_keys
                """
            )
            .AsNoTracking();

    /// <summary>The keys of the rows; a row that holds none is logged and left out, for it must not hide the others. All but the revocation
    /// of a known key stays as it was enrolled.</summary>
    private List<SigningKey> Usable(List<SigningKeyRow> rows, KeySnapshot known)
    {
        var keys = new List<SigningKey>(rows.Count);
        foreach (var row in rows)
        {
            if (known.Find(row.FactoryId, row.KeyId) is { } key)
                keys.Add(key with { RevokedAt = row.RevokedAt });
            else if (TryFromRow(row, out var error) is { } read)
                keys.Add(read);
            else
                log.KeyUnusable(row.KeyId, row.FactoryId, error!);
        }
        return keys;
    }

    private static SigningKey FromRow(SigningKeyRow row) =>
        TryFromRow(row, out var error)
        ?? throw new InvalidDataException($"factory.signing_keys has no usable key in the row {row.KeyId}; enrol the key again. {error}");

    private static SigningKey? TryFromRow(SigningKeyRow row, out string? error) =>
        RsaPublicKey.TryParsePem(
            System.Security.Cryptography.PemEncoding.WriteString("PUBLIC KEY", row.PublicKey),
            out var publicKey,
            out error
        )
            ? new(row.KeyId, row.FactoryId, publicKey, row.EnrolledAt, row.NotBefore, row.NotAfter, row.RevokedAt)
            : null;
}
