using System.Numerics;
using System.Security.Cryptography;

namespace FactoryStream.Signatures.Backends;

/// <summary>
/// Checks one signature at a time: with OpenSSL, or with <see cref="BigInteger"/> where there is none. This is what every other backend is
/// held against, so it is plain.
/// </summary>
internal static class SingleCheck
{
    /// <summary>
    /// Whether the signature has the right length and is a number below the modulus. OpenSSL and .NET accept one that lost its leading zero
    /// byte; RFC 8017 8.1.2 does not.
    /// </summary>
    public static bool IsInRange(in SignatureCheck check) =>
        check.Signature.Length == check.Key.SignatureLength && check.Signature.Span.SequenceCompareTo(check.Key.Modulus) < 0;

    public static bool Verify(in SignatureCheck check, bool useOpenSsl)
    {
        if (!IsInRange(check))
            return false;
        Span<byte> hash = stackalloc byte[EmsaPss.HashLength];
        Hash(check.Data.Span, hash);
        return useOpenSsl ? check.Key.Native!.Verify(hash, check.Signature.Span) : VerifyManaged(check.Key, hash, check.Signature.Span);
    }

    public static void Hash(ReadOnlySpan<byte> data, Span<byte> hash)
    {
        if (LibCrypto.IsAvailable)
            LibCrypto.Sha256(data, hash);
        else
            SHA256.HashData(data, hash);
    }

    private static bool VerifyManaged(RsaPublicKey key, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
    {
        var value = new BigInteger(signature, isUnsigned: true, isBigEndian: true);
        Span<byte> little = stackalloc byte[RsaPublicKey.MaximumKeySizeBits / 8];
        little.Clear();
        BigInteger.ModPow(value, key.Exponent, key.ModulusValue).TryWriteBytes(little, out _, isUnsigned: true);
        var message = little[..key.SignatureLength];
        message.Reverse();
        return EmsaPss.Verify(message, key.KeySizeBits, hash);
    }
}
