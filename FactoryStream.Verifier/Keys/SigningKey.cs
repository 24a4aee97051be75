using System.Security.Cryptography;
using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Signatures;

namespace FactoryStream.Verifier.Keys;

/// <summary>
/// An enrolled key as the verdict needs it. Immutable; a revocation makes a new one around the same <see cref="PublicKey"/>.
/// </summary>
internal sealed record SigningKey(
    string KeyId,
    string FactoryId,
    RsaPublicKey PublicKey,
    DateTime EnrolledAt,
    DateTime? NotBefore = null,
    DateTime? NotAfter = null,
    DateTime? RevokedAt = null
)
{
    public const string Algorithm = "RSASSA-PSS-SHA256";

    // 128 bits of SHA-256 in hexadecimal: no collision by chance or design, and short in every stored reading.
    private const int IdBytes = 16;

    /// <summary>The id in UTF-8, as it goes into every verified line; it needs no escape.</summary>
    public byte[] KeyIdUtf8 { get; } = Encoding.ASCII.GetBytes(KeyId);

    /// <summary>
    /// The id of a factory's key: the beginning of SHA-256 over factory, a zero byte and the SubjectPublicKeyInfo; so one key pair may
    /// serve several factories.
    /// </summary>
    public static string IdOf(string factoryId, RsaPublicKey publicKey)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(factoryId));
        hash.AppendData([0]);
        hash.AppendData(publicKey.SubjectPublicKeyInfo.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, IdBytes));
    }

    /// <summary>The verdict on a reading that this key verifies: its validity and revocation count by the time of measurement.</summary>
    public Verdict VerdictFor(DateTime measuredAt)
    {
        if (measuredAt < NotBefore || measuredAt >= NotAfter)
            return Verdict.KeyNotValid;
        return measuredAt >= RevokedAt ? Verdict.KeyRevoked : Verdict.Accepted;
    }

    /// <summary>The verdict on a signed batch that this key verifies: that of its worst reading.</summary>
    public Verdict VerdictFor(DateTime oldestAt, DateTime newestAt) =>
        VerdictFor(oldestAt) == Verdict.KeyNotValid ? Verdict.KeyNotValid : VerdictFor(newestAt);

    /// <summary>
    /// The verdict on a reading that arrives after the key's end: who has stolen a key can write any time of measurement, so that time
    /// alone must not be enough for ever. A machine has this long to send what it had to buffer.
    /// </summary>
    /// <param name="receivedAt">When it arrived.</param>
    /// <param name="lateArrival">How long after the key's expiry or revocation what was measured before may arrive.</param>
    public Verdict VerdictForArrival(DateTime receivedAt, TimeSpan lateArrival) =>
        receivedAt - RevokedAt > lateArrival ? Verdict.KeyRevoked
        : receivedAt - NotAfter > lateArrival ? Verdict.KeyNotValid
        : Verdict.Accepted;
}
