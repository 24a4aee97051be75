using Microsoft.Win32.SafeHandles;

namespace FactoryStream.Signatures.Backends;

/// <summary>An EVP_PKEY that signs. A context is made for each signature: next to 250 us of signing its cost does not show.</summary>
internal sealed class LibCryptoPrivateKey : SafeHandleZeroOrMinusOneIsInvalid
{
    private LibCryptoPrivateKey(nint key)
        : base(ownsHandle: true) => SetHandle(key);

    public static LibCryptoPrivateKey Create(ReadOnlySpan<byte> privateKeyInfo) => new(LibCrypto.ReadPrivateKey(privateKeyInfo));

    public void Sign(ReadOnlySpan<byte> hash, Span<byte> signature, int saltLength)
    {
        var referenced = false;
        nint context = 0;
        try
        {
            DangerousAddRef(ref referenced);
            context = LibCrypto.CreateSignContext(handle, saltLength);
            LibCrypto.Sign(context, hash, signature);
        }
        finally
        {
            if (context != 0)
                LibCrypto.FreeContext(context);
            if (referenced)
                DangerousRelease();
        }
    }

    protected override bool ReleaseHandle()
    {
        LibCrypto.FreeKey(handle);
        return true;
    }
}
