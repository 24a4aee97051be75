using Microsoft.Win32.SafeHandles;

namespace FactoryStream.Signatures.Backends;

/// <summary>An EVP_PKEY with a few ready verification contexts: a context costs as much as a third of a check to make.</summary>
internal sealed class LibCryptoPublicKey : SafeHandleZeroOrMinusOneIsInvalid
{
    // One for each thread that is likely to check with the same key at the same time; more are made and freed again.
    private readonly nint[] _contexts = new nint[4];

    private LibCryptoPublicKey(nint key)
        : base(ownsHandle: true) => SetHandle(key);

    public static LibCryptoPublicKey Create(ReadOnlySpan<byte> subjectPublicKeyInfo) => new(LibCrypto.ReadPublicKey(subjectPublicKeyInfo));

    /// <summary>Whether <paramref name="signature"/> is RSASSA-PSS of <paramref name="hash"/> for any length of salt.</summary>
    public bool Verify(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
    {
        var referenced = false;
        try
        {
            DangerousAddRef(ref referenced);
            var context = Rent();
            var valid = LibCrypto.Verify(context, hash, signature);
            Return(context);
            return valid;
        }
        finally
        {
            if (referenced)
                DangerousRelease();
        }
    }

    protected override bool ReleaseHandle()
    {
        foreach (var context in _contexts)
        {
            if (context != 0)
                LibCrypto.FreeContext(context);
        }

        LibCrypto.FreeKey(handle);
        return true;
    }

    private nint Rent()
    {
        for (var i = 0; i < _contexts.Length; i++)
        {
            if (_contexts[i] != 0 && Interlocked.Exchange(ref _contexts[i], 0) is var context and not 0)
                return context;
        }

        return LibCrypto.CreateVerifyContext(handle);
    }

    private void Return(nint context)
    {
        for (var i = 0; i < _contexts.Length; i++)
        {
            if (_contexts[i] == 0 && Interlocked.CompareExchange(ref _contexts[i], context, 0) == 0)
                return;
        }

        LibCrypto.FreeContext(context);
    }
}
