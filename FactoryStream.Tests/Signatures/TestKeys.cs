using System.Collections.Concurrent;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Signatures;

/// <summary>Key pairs made once for the whole run: a 4096-bit pair takes a second.</summary>
internal static class TestKeys
{
    private static readonly ConcurrentDictionary<(int Bits, int Number), Lazy<(ReadingSigner Signer, RsaPublicKey Key)>> Pairs = new();

    public static (ReadingSigner Signer, RsaPublicKey Key) Pair(int bits = 2048, int number = 0) =>
        Pairs
            .GetOrAdd(
                (bits, number),
                static id =>
                    new(() =>
                    {
                        var signer = ReadingSigner.Create(id.Bits);
                        return (signer, Public(signer.ExportPublicKeyPem()));
                    })
            )
            .Value;

    public static RsaPublicKey Public(string pem)
    {
        Assert.True(RsaPublicKey.TryParsePem(pem, out var key, out var error), error);
        return key;
    }

    /// <summary>An <c>RSA PUBLIC KEY</c> of any two numbers, sensible or not.</summary>
    public static string Pem(ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> exponent)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteIntegerUnsigned(modulus);
            writer.WriteIntegerUnsigned(exponent);
        }

        return PemEncoding.WriteString("RSA PUBLIC KEY", writer.Encode());
    }

    public static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    public static byte[] Bytes(BigInteger number, int length)
    {
        var bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[length - bytes.Length], .. bytes];
    }
}
