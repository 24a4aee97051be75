using System.Numerics;
using System.Security.Cryptography;
using FactoryStream.Signatures.Backends;

namespace FactoryStream.Signatures;

/// <summary>How much salt a signature gets. Both verify anywhere that follows RFC 8017; <see cref="Digest"/> is the common form.</summary>
public enum SaltLength
{
    /// <summary>32 bytes, as long as the hash: the PS256 of JOSE, and all that .NET's own RSA accepts.</summary>
    Digest,

    /// <summary>As much as fits, 222 bytes for 2048 bits: what Python's <c>PSS.MAX_LENGTH</c> does.</summary>
    Maximum,
}

/// <summary>
/// Signs readings as a machine does: RSASSA-PSS with SHA-256. For simulated factories and devices. Safe for several threads.
/// </summary>
public sealed class ReadingSigner : IDisposable
{
    private readonly RSA _rsa;
    private readonly LibCryptoPrivateKey? _native;
    private readonly Lock _managedSigning = new();

    private ReadingSigner(RSA rsa)
    {
        _rsa = rsa;
        KeySizeBits = rsa.KeySize;
        if (LibCrypto.IsAvailable)
        {
            var privateKey = rsa.ExportPkcs8PrivateKey();
            _native = LibCryptoPrivateKey.Create(privateKey);
            CryptographicOperations.ZeroMemory(privateKey);
        }
    }

    /// <summary>The size of the key's modulus in bits.</summary>
    public int KeySizeBits { get; }

    /// <summary>Length of a signature in bytes.</summary>
    public int SignatureLength => (KeySizeBits + 7) / 8;

    /// <summary>Makes a signer with a new RSA key pair.</summary>
    public static ReadingSigner Create(int keySizeBits = 2048) => new(RSA.Create(keySizeBits));

    /// <summary>Reads a private key: <c>PRIVATE KEY</c> (PKCS #8) or <c>RSA PRIVATE KEY</c> (PKCS #1).</summary>
    /// <exception cref="ArgumentException">There is no such PEM block.</exception>
    /// <exception cref="CryptographicException">It holds no RSA private key.</exception>
    public static ReadingSigner FromPem(string privateKeyPem)
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(privateKeyPem);
            return new ReadingSigner(rsa);
        }
        catch
        {
            rsa.Dispose();
            throw;
        }
    }

    /// <summary>The private key as a <c>PRIVATE KEY</c> PEM block. Keep it where only its owner can read.</summary>
    public string ExportPrivateKeyPem() => _rsa.ExportPkcs8PrivateKeyPem();

    /// <summary>The public key as a <c>PUBLIC KEY</c> PEM block, to be enrolled.</summary>
    public string ExportPublicKeyPem() => _rsa.ExportSubjectPublicKeyInfoPem();

    /// <summary>Signs and returns the signature's length, always <see cref="SignatureLength"/>.</summary>
    /// <exception cref="ArgumentException"><paramref name="signature"/> is too short.</exception>
    public int Sign(ReadOnlySpan<byte> data, Span<byte> signature, SaltLength salt = SaltLength.Digest) =>
        Sign(data, signature, salt is SaltLength.Maximum ? EmsaPss.MaximumSaltLength(KeySizeBits) : EmsaPss.HashLength);

    internal int Sign(ReadOnlySpan<byte> data, Span<byte> signature, int saltLength)
    {
        if (signature.Length < SignatureLength)
            throw new ArgumentException($"{SignatureLength} bytes are needed.", nameof(signature));
        signature = signature[..SignatureLength];
        Span<byte> hash = stackalloc byte[EmsaPss.HashLength];
        if (_native is not null)
        {
            LibCrypto.Sha256(data, hash);
            _native.Sign(hash, signature, saltLength);
            return signature.Length;
        }

        SHA256.HashData(data, hash);
        SignManaged(hash, signature, saltLength);
        return signature.Length;
    }

    /// <summary>Raw RSA by private key, for tests that need encodings which no honest signer makes.</summary>
    internal void SignRaw(ReadOnlySpan<byte> message, Span<byte> signature)
    {
        var parameters = _rsa.ExportParameters(includePrivateParameters: true);
        var (p, q) = (Read(parameters.P), Read(parameters.Q));
        var byP = BigInteger.ModPow(Read(message), Read(parameters.DP), p);
        var byQ = BigInteger.ModPow(Read(message), Read(parameters.DQ), q);
        var value = byQ + (byP - byQ % p + p) * Read(parameters.InverseQ) % p * q; // Chinese remainders: four times faster
        signature.Clear();
        value.TryWriteBytes(signature[^value.GetByteCount(isUnsigned: true)..], out _, isUnsigned: true, isBigEndian: true);
    }

    /// <summary>Frees the private key; nothing can be signed afterwards.</summary>
    public void Dispose()
    {
        _native?.Dispose();
        _rsa.Dispose();
    }

    private static BigInteger Read(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    /// <summary>
    /// Without libcrypto: .NET signs with 32 bytes of salt; any other length takes slow arithmetic on the private exponent, fit for
    /// simulations.
    /// </summary>
    private void SignManaged(ReadOnlySpan<byte> hash, Span<byte> signature, int saltLength)
    {
        lock (_managedSigning)
        {
            if (saltLength == EmsaPss.HashLength)
            {
                _rsa.SignHash(hash, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
                return;
            }

            Span<byte> message = stackalloc byte[signature.Length];
            Span<byte> salt = stackalloc byte[saltLength];
            RandomNumberGenerator.Fill(salt);
            EmsaPss.Encode(message, KeySizeBits, hash, salt);
            SignRaw(message, signature);
        }
    }
}
