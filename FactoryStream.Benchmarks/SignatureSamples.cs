using System.Text;
using FactoryStream.Signatures;

namespace FactoryStream.Benchmarks;

/// <summary>Signed readings of 220 bytes, neighbours of different factories.</summary>
internal static class SignatureSamples
{
    public static SignatureCheck[] Create(int keySizeBits, SaltLength salt, int count, int keys) =>
        Create(keySizeBits, count, keys, [salt])[salt];

    /// <summary>The same readings of the same keys with either length of salt.</summary>
    public static Dictionary<SaltLength, SignatureCheck[]> Create(int keySizeBits, int count, int keys) =>
        Create(keySizeBits, count, keys, [SaltLength.Digest, SaltLength.Maximum]);

    private static Dictionary<SaltLength, SignatureCheck[]> Create(int keySizeBits, int count, int keys, SaltLength[] salts)
    {
        var signers = new ReadingSigner[keys];
        var publicKeys = new RsaPublicKey[keys];
        Parallel.For(
            0,
            keys,
            i =>
            {
                signers[i] = ReadingSigner.Create(keySizeBits);
                publicKeys[i] = RsaPublicKey.TryParsePem(signers[i].ExportPublicKeyPem(), out var key, out var error)
                    ? key
                    : throw new InvalidOperationException(error);
            }
        );
        var samples = salts.ToDictionary(
            salt => salt,
            salt =>
            {
                var checks = new SignatureCheck[count];
                Parallel.For(
                    0,
                    count,
                    i =>
                    {
                        var text =
                            $$"""{"factory_id": "factory_{{i % keys:D3}}", "engine_id": "engine_{{i:D4}}","""
                            + """ "timestamp": "2026-02-25 06:13:20", "temp_air": 99.74, "temp_oil": 90.51}""";
                        var data = Encoding.UTF8.GetBytes(text.PadRight(220));
                        var signature = new byte[keySizeBits / 8];
                        signers[i % keys].Sign(data, signature, salt);
                        checks[i] = new SignatureCheck(publicKeys[i % keys], data, signature);
                    }
                );
                return checks;
            }
        );
        foreach (var signer in signers)
            signer.Dispose();
        return samples;
    }
}
