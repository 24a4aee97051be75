namespace FactoryStream.Signatures;

/// <summary>What a <see cref="SignatureVerifier"/> may use. The defaults are right for production.</summary>
public sealed class SignatureVerifierOptions
{
    /// <summary>The engines that may be used where CPU and machine have them. Default: all.</summary>
    public SignatureEngines AllowedEngines { get; init; } = SignatureEngines.All;
}

/// <summary>The ways to check a signature.</summary>
[Flags]
public enum SignatureEngines
{
    /// <summary>Managed code alone, one at a time: always there, and the last resort.</summary>
    Managed = 0,

    /// <summary>libcrypto, one at a time.</summary>
    OpenSsl = 1,

    /// <summary>AVX2, a few at a time.</summary>
    Avx2 = 2,

    /// <summary>AVX-512, sixteen at a time.</summary>
    Avx512 = 4,

    /// <summary>Whatever there is.</summary>
    All = OpenSsl | Avx2 | Avx512,
}
