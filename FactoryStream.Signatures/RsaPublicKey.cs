using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using FactoryStream.Signatures.Backends;

namespace FactoryStream.Signatures;

/// <summary>
/// An RSA public key, parsed once and then cheap to check with: it carries what the backends prepared for it (a native
/// handle, Montgomery constants). Immutable and safe for any number of threads. Left to the garbage collector it frees its
/// native parts by itself; <see cref="Dispose"/> it only when no check can still be under way.
/// </summary>
public sealed class RsaPublicKey : IDisposable
{
    /// <summary>Bounds of the modulus' size in bits; a size between them need not be a multiple of 8.</summary>
    public const int MinimumKeySizeBits = 2048,
        MaximumKeySizeBits = 4096;

    private const string RsaEncryption = "1.2.840.113549.1.1.1";

    // What the backends keep with the key: a kilobyte each for 2048 bits, made at the first use, and of a bounded number of keys
    // (PreparedKeys).
    internal long[]? Avx512Constants;
    internal int[]? Avx2Constants;

    private readonly byte[] _modulus;
    private readonly byte[] _subjectPublicKeyInfo;

    private RsaPublicKey(byte[] modulus, ulong exponent, byte[] subjectPublicKeyInfo)
    {
        _modulus = modulus;
        _subjectPublicKeyInfo = subjectPublicKeyInfo;
        Exponent = exponent;
        ModulusValue = new BigInteger(modulus, isUnsigned: true, isBigEndian: true);
        KeySizeBits = (int)ModulusValue.GetBitLength();
        Native = LibCrypto.IsAvailable ? LibCryptoPublicKey.Create(subjectPublicKeyInfo) : null;
    }

    /// <summary>Size of the modulus in bits, 2048 to 4096.</summary>
    public int KeySizeBits { get; }

    /// <summary>Length in bytes that every signature of this key has (RFC 8017 8.1.2: no more and no fewer).</summary>
    public int SignatureLength => _modulus.Length;

    /// <summary>The key as a DER SubjectPublicKeyInfo, the same bytes for the same key in whichever form it came.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo => _subjectPublicKeyInfo;

    /// <summary>The modulus, big-endian, without a leading zero.</summary>
    internal ReadOnlySpan<byte> Modulus => _modulus;

    internal BigInteger ModulusValue { get; }

    internal ulong Exponent { get; }

    internal LibCryptoPublicKey? Native { get; }

    internal bool IsDisposed { get; private set; }

    /// <summary>
    /// Reads one key: a PEM block <c>PUBLIC KEY</c> (SubjectPublicKeyInfo, of rsaEncryption or id-RSASSA-PSS), <c>RSA PUBLIC KEY</c> (PKCS
    /// #1) or <c>CERTIFICATE</c> (X.509; its key), or the
    /// base64 of such a DER without armour; line breaks may be written as <c>\n</c>, a byte order mark may precede. RSA, 2048 to 4096 bits,
    /// odd exponent from 3 to 64 bits.
    /// For anything else <paramref name="error"/> says why, in words fit for an enrolling client and without a part of the text, which may
    /// be a private key.
    /// </summary>
    public static bool TryParsePem(
        ReadOnlySpan<char> pem,
        [NotNullWhen(true)] out RsaPublicKey? key,
        [NotNullWhen(false)] out string? error
    )
    {
        key = null;
        if (!PublicKeyText.TryRead(NormalizeText(pem), out var modulus, out var exponent, out error))
            return false;

        var bits = new BigInteger(modulus, isUnsigned: true, isBigEndian: true).GetBitLength();
        if (bits is < MinimumKeySizeBits or > MaximumKeySizeBits)
        {
            error = $"The key has {bits} bits; {MinimumKeySizeBits} to {MaximumKeySizeBits} are accepted.";
            return false;
        }

        if (modulus[^1] % 2 == 0)
        {
            error = "The modulus is even: this is no RSA key.";
            return false;
        }

        var exponentValue = exponent.Length <= 8 ? (ulong)new BigInteger(exponent, isUnsigned: true, isBigEndian: true) : 0;
        if (exponentValue < 3 || exponentValue % 2 == 0)
        {
            error = "The exponent must be odd, at least 3 and of at most 64 bits; 65537 is the usual one.";
            return false;
        }

        key = new RsaPublicKey(modulus, exponentValue, WriteSubjectPublicKeyInfo(modulus, exponent));
        error = null;
        return true;
    }

    /// <summary>A text with real line breaks for those written as <c>\n</c>, and without byte order marks: what holds several PEM blocks
    /// can then be taken apart.</summary>
    public static string NormalizeText(ReadOnlySpan<char> text) => PublicKeyText.Normalize(text);

    /// <summary>The key as a <c>PUBLIC KEY</c> PEM block.</summary>
    public string ExportPem() => PemEncoding.WriteString("PUBLIC KEY", _subjectPublicKeyInfo);

    /// <summary>Frees the native handle now. Checks with this key afterwards throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        IsDisposed = true;
        Native?.Dispose();
    }

    private static byte[] WriteSubjectPublicKeyInfo(byte[] modulus, byte[] exponent)
    {
        var key = new AsnWriter(AsnEncodingRules.DER);
        using (key.PushSequence())
        {
            key.WriteIntegerUnsigned(modulus);
            key.WriteIntegerUnsigned(exponent);
        }

        var info = new AsnWriter(AsnEncodingRules.DER);
        using (info.PushSequence())
        {
            using (info.PushSequence())
            {
                info.WriteObjectIdentifier(RsaEncryption);
                info.WriteNull();
            }

            info.WriteBitString(key.Encode());
        }

        return info.Encode();
    }
}
