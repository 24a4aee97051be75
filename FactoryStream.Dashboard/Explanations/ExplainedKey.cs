using System.Numerics;
using System.Security.Cryptography;

namespace FactoryStream.Dashboard.Explanations;

/// <summary>An enrolled key that a signature is tried with.</summary>
internal sealed record ExplainedKey(string KeyId, string FactoryId, BigInteger Modulus, BigInteger Exponent)
{
    public int ModulusBits { get; } = (int)Modulus.GetBitLength();

    public int SignatureLength => (ModulusBits + 7) / 8;

    /// <summary>
    /// Reads a key as <c>factory.signing_keys</c> has it; null: it is no RSA public key, and the Verifier passes it over as well.
    /// </summary>
    public static ExplainedKey? TryRead(string keyId, string factoryId, byte[] subjectPublicKeyInfo)
    {
        using var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
        }
        catch (CryptographicException)
        {
            return null;
        }
        var parameters = rsa.ExportParameters(includePrivateParameters: false);
        return new(keyId, factoryId, Number(parameters.Modulus!), Number(parameters.Exponent!));
    }

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
