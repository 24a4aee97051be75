using FactoryStream.Signatures.Backends;
using FactoryStream.Signatures.Backends.Avx2;
using FactoryStream.Signatures.Backends.Avx512;

namespace FactoryStream.Tests.Signatures;

/// <summary>The vectorised backends that this processor has.</summary>
internal static class VectorBackends
{
    public static ISignatureBackend Require(string name)
    {
        var backend = Find(name);
        Skip.If(backend is null, $"This processor has no {name}, or it is switched off.");
        return backend!;
    }

    public static ISignatureBackend? Find(string name) =>
        name switch
        {
            "avx512" when Avx512Backend.IsSupported => new Avx512Backend(),
            "avx2" when Avx2Backend.IsSupported => new Avx2Backend(),
            _ => null,
        };
}
