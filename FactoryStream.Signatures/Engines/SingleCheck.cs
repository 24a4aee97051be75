using System.Numerics;
using System.Security.Cryptography;

namespace FactoryStream.Signatures.Engines;

/// <summary>
/// Checks one signature at a time: with OpenSSL, or with <see cref="BigInteger"/> where there is none. This is what every other engine is
/// held against, so it is plain.
/// </summary>
internal static class SingleCheck
{
    public static bool Verify(in SignatureCheck check, bool useOpenSsl)
    {
        // OpenSSL and .NET accept a signature that lost its leading zero byte; RFC 8017 8.1.2 does not.
        if (check.Signature.Length != check.Key.SignatureLength)
            return false;

        Span<byte> hash = stackalloc byte[EmsaPss.HashLength];
        if (useOpenSsl)
        {
            LibCrypto.Sha256(check.Data.Span, hash);
            return check.Key.Native!.Verify(hash, check.Signature.Span);
        }

        SHA256.HashData(check.Data.Span, hash);
        return VerifyManaged(check.Key, hash, check.Signature.Span);
    }

    private static bool VerifyManaged(RsaPublicKey key, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
    {
        ObjectDisposedException.ThrowIf(key.IsDisposed, key);
        var value = new BigInteger(signature, isUnsigned: true, isBigEndian: true);
        if (value >= key.ModulusValue)
            return false;
        Span<byte> little = stackalloc byte[RsaPublicKey.MaximumKeySizeBits / 8];
        little.Clear();
        BigInteger.ModPow(value, key.Exponent, key.ModulusValue).TryWriteBytes(little, out _, isUnsigned: true);
        var message = little[..key.SignatureLength];
        message.Reverse();
        return EmsaPss.Verify(message, key.KeySizeBits, hash);
    }
}
