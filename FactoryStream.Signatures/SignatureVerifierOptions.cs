namespace FactoryStream.Signatures;

/// <summary>What a <see cref="SignatureVerifier"/> may use and how it watches itself. The defaults are right for production.</summary>
public sealed class SignatureVerifierOptions
{
    internal const int DefaultMaximumPreparedKeys = 16_384,
        LeastMaximumPreparedKeys = 16;

    /// <summary>The backends that may be used where CPU and machine have them. Default: all.</summary>
    public SignatureBackends AllowedBackends { get; init; } = SignatureBackends.All;

    /// <summary>
    /// One in so many signatures that a vectorised backend accepted is checked again, one at a time. At least 1; default 1024, which costs
    /// 1 %.
    /// </summary>
    public int AcceptRecheckInterval { get; init; } = 1024;

    /// <summary>
    /// What a vectorised backend rejected is checked again, but over time at most once in so many checks, so that a flood of forgeries
    /// slows the others by a tenth at most. At least 1; default 64.
    /// </summary>
    public int RejectRecheckInterval { get; init; } = 64;

    /// <summary>So many rejections may be checked again at once before the interval counts. At least 1; default 256.</summary>
    public int RejectRecheckBurst { get; init; } = 256;

    /// <summary>
    /// So many keys have their constants for a vectorised backend kept: 1 KB each for 2048 bits, 2 KB for 4096. With more keys in use
    /// OpenSSL checks the rest. At least 16, of which the known answers take 3; default 16,384, which is up to 32 MB.
    /// </summary>
    public int MaximumPreparedKeys { get; init; } = DefaultMaximumPreparedKeys;
}

/// <summary>The backends that may check a signature.</summary>
[Flags]
public enum SignatureBackends
{
    /// <summary>Managed code alone, one at a time: always there, and the last resort.</summary>
    Managed = 0,

    /// <summary>OpenSSL's libcrypto, one signature at a time.</summary>
    OpenSsl = 1,

    /// <summary>The AVX2 backend, four signatures at a time.</summary>
    Avx2 = 2,

    /// <summary>The AVX-512 backend, sixteen signatures at a time.</summary>
    Avx512 = 4,

    /// <summary>All that the machine has, the fastest first.</summary>
    All = OpenSsl | Avx2 | Avx512,
}
