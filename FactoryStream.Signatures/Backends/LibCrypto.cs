using System.Runtime.InteropServices;

namespace FactoryStream.Signatures.Backends;

/// <summary>
/// The few functions of OpenSSL's libcrypto (3 or 1.1) that are used, called directly: .NET's own RSA accepts no salt but 32 bytes
/// and makes its contexts anew for each check. Where no libcrypto is found <see cref="IsAvailable"/> is false and managed code does the
/// work.
/// </summary>
internal static unsafe class LibCrypto
{
    private static readonly string[] Names =
        OperatingSystem.IsWindows()
            ?
            [
                .. RuntimeInformation.ProcessArchitecture == Architecture.Arm64
                    ? (ReadOnlySpan<string>)["libcrypto-3-arm64.dll", "libcrypto-1_1-arm64.dll"]
                    : ["libcrypto-3-x64.dll", "libcrypto-1_1-x64.dll"],
            ]
        : OperatingSystem.IsMacOS()
            // macOS' own libcrypto.dylib aborts a process that loads it by that name: only Homebrew's is asked for.
            ? ["/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib", "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib"]
        : ["libcrypto.so.3", "libcrypto.so.1.1"];

    public const int PaddingPss = 6,
        SaltLengthAuto = -2;
    private const int KeyTypeRsa = 6,
        AnyOperation = -1,
        ControlDigest = 1,
        ControlPadding = 0x1001,
        ControlSaltLength = 0x1002,
        ControlMgf1Digest = 0x1005;

    private static readonly delegate* unmanaged<nint*, byte**, nint, nint> d2iPublicKey;
    private static readonly delegate* unmanaged<nint*, byte**, nint, nint> d2iPrivateKey;
    private static readonly delegate* unmanaged<nint, void> keyFree;
    private static readonly delegate* unmanaged<nint, nint, nint> contextNew;
    private static readonly delegate* unmanaged<nint, void> contextFree;
    private static readonly delegate* unmanaged<nint, int> verifyInit;
    private static readonly delegate* unmanaged<nint, byte*, nuint, byte*, nuint, int> verify;
    private static readonly delegate* unmanaged<nint, int> signInit;
    private static readonly delegate* unmanaged<nint, byte*, nuint*, byte*, nuint, int> sign;
    private static readonly delegate* unmanaged<nint, int, int, int, int, nint, int> contextControl;
    private static readonly delegate* unmanaged<nint> sha256;
    private static readonly delegate* unmanaged<void> clearErrors;
    private static readonly delegate* unmanaged<Sha256Context*, int> sha256Init;
    private static readonly delegate* unmanaged<Sha256Context*, byte*, nuint, int> sha256Update;
    private static readonly delegate* unmanaged<byte*, Sha256Context*, int> sha256Final;

    static LibCrypto()
    {
        foreach (var name in Names)
        {
            if (!NativeLibrary.TryLoad(name, out var library))
                continue;
            d2iPublicKey = (delegate* unmanaged<nint*, byte**, nint, nint>)Find(library, "d2i_PUBKEY");
            d2iPrivateKey = (delegate* unmanaged<nint*, byte**, nint, nint>)Find(library, "d2i_AutoPrivateKey");
            keyFree = (delegate* unmanaged<nint, void>)Find(library, "EVP_PKEY_free");
            contextNew = (delegate* unmanaged<nint, nint, nint>)Find(library, "EVP_PKEY_CTX_new");
            contextFree = (delegate* unmanaged<nint, void>)Find(library, "EVP_PKEY_CTX_free");
            verifyInit = (delegate* unmanaged<nint, int>)Find(library, "EVP_PKEY_verify_init");
            verify = (delegate* unmanaged<nint, byte*, nuint, byte*, nuint, int>)Find(library, "EVP_PKEY_verify");
            signInit = (delegate* unmanaged<nint, int>)Find(library, "EVP_PKEY_sign_init");
            sign = (delegate* unmanaged<nint, byte*, nuint*, byte*, nuint, int>)Find(library, "EVP_PKEY_sign");
            contextControl = (delegate* unmanaged<nint, int, int, int, int, nint, int>)Find(library, "EVP_PKEY_CTX_ctrl");
            sha256 = (delegate* unmanaged<nint>)Find(library, "EVP_sha256");
            clearErrors = (delegate* unmanaged<void>)Find(library, "ERR_clear_error");
            sha256Init = (delegate* unmanaged<Sha256Context*, int>)Find(library, "SHA256_Init");
            sha256Update = (delegate* unmanaged<Sha256Context*, byte*, nuint, int>)Find(library, "SHA256_Update");
            sha256Final = (delegate* unmanaged<byte*, Sha256Context*, int>)Find(library, "SHA256_Final");
            IsAvailable =
                d2iPublicKey != null
                && d2iPrivateKey != null
                && keyFree != null
                && contextNew != null
                && contextFree != null
                && verifyInit != null
                && verify != null
                && signInit != null
                && sign != null
                && contextControl != null
                && sha256 != null
                && clearErrors != null
                && sha256Init != null
                && sha256Update != null
                && sha256Final != null;
            if (IsAvailable)
                return;
        }

        static nint Find(nint library, string function) => NativeLibrary.TryGetExport(library, function, out var address) ? address : 0;
    }

    public static bool IsAvailable { get; }

    public static nint ReadPublicKey(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        fixed (byte* bytes = subjectPublicKeyInfo)
        {
            var position = bytes;
            return Checked(d2iPublicKey(null, &position, subjectPublicKeyInfo.Length), "d2i_PUBKEY");
        }
    }

    public static nint ReadPrivateKey(ReadOnlySpan<byte> privateKeyInfo)
    {
        fixed (byte* bytes = privateKeyInfo)
        {
            var position = bytes;
            return Checked(d2iPrivateKey(null, &position, privateKeyInfo.Length), "d2i_AutoPrivateKey");
        }
    }

    public static void FreeKey(nint key) => keyFree(key);

    public static void FreeContext(nint context) => contextFree(context);

    public static nint CreateVerifyContext(nint key)
    {
        var context = Checked(contextNew(key, 0), "EVP_PKEY_CTX_new");
        Checked(verifyInit(context), "EVP_PKEY_verify_init");
        SetPss(context, SaltLengthAuto);
        return context;
    }

    public static nint CreateSignContext(nint key, int saltLength)
    {
        var context = Checked(contextNew(key, 0), "EVP_PKEY_CTX_new");
        Checked(signInit(context), "EVP_PKEY_sign_init");
        SetPss(context, saltLength);
        return context;
    }

    public static bool Verify(nint context, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
    {
        fixed (
            byte* hashBytes = hash,
                signatureBytes = signature
        )
        {
            if (verify(context, signatureBytes, (nuint)signature.Length, hashBytes, (nuint)hash.Length) == 1)
                return true;
        }

        // The thread's error queue is shared with .NET's own use of OpenSSL: nothing of ours may be found there.
        clearErrors();
        return false;
    }

    public static void Sign(nint context, ReadOnlySpan<byte> hash, Span<byte> signature)
    {
        fixed (
            byte* hashBytes = hash,
                signatureBytes = signature
        )
        {
            var length = (nuint)signature.Length;
            Checked(sign(context, signatureBytes, &length, hashBytes, (nuint)hash.Length), "EVP_PKEY_sign");
        }
    }

    /// <summary>SHA-256 in 0.06 us plus the blocks; <c>SHA256.HashData</c> takes 0.4 us for a reading.</summary>
    public static void Sha256(ReadOnlySpan<byte> data, Span<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(hash.Length, 32);
        Sha256Context context;
        fixed (
            byte* dataBytes = data,
                hashBytes = hash
        )
        {
            sha256Init(&context);
            sha256Update(&context, dataBytes, (nuint)data.Length);
            sha256Final(hashBytes, &context);
        }
    }

    private static void SetPss(nint context, int saltLength)
    {
        Checked(contextControl(context, KeyTypeRsa, AnyOperation, ControlPadding, PaddingPss, 0), "padding");
        Checked(contextControl(context, AnyOperation, AnyOperation, ControlDigest, 0, sha256()), "digest");
        Checked(contextControl(context, KeyTypeRsa, AnyOperation, ControlSaltLength, saltLength, 0), "salt length");
        Checked(contextControl(context, KeyTypeRsa, AnyOperation, ControlMgf1Digest, 0, sha256()), "MGF1 digest");
    }

    private static nint Checked(nint result, string call)
    {
        if (result > 0)
            return result;
        clearErrors();
        throw new InvalidOperationException($"OpenSSL refused {call} ({result}).");
    }

    /// <summary>SHA256_CTX is 112 bytes in every version; the rest is margin.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private struct Sha256Context;
}
