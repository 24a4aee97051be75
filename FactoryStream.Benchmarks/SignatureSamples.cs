using System.Text;
using FactoryStream.Signatures;

namespace FactoryStream.Benchmarks;

/// <summary>Signed readings of 220 bytes, neighbours of different factories.</summary>
internal static class SignatureSamples
{
    public static SignatureCheck[] Create(int keySizeBits, SaltLength salt, int count, int keys)
    {
        var signers = new ReadingSigner[keys];
        var publicKeys = new RsaPublicKey[keys];
        Parallel.For(0, keys, i =>
        {
            signers[i] = ReadingSigner.Create(keySizeBits);
            publicKeys[i] = RsaPublicKey.TryParsePem(signers[i].ExportPublicKeyPem(), out var key, out var error) ? key : throw new InvalidOperationException(error);
        });
        var checks = new SignatureCheck[count];
        Parallel.For(0, count, i =>
        {
            var text = $$"""{"factory_id": "factory_{{i % keys:D3}}", "engine_id": "engine_{{i:D4}}", "timestamp": "2026-02-25 06:13:20", "temp_air": 99.74, "temp_oil": 90.51}""";
            var data = Encoding.UTF8.GetBytes(text.PadRight(220));
            var signature = new byte[keySizeBits / 8];
            signers[i % keys].Sign(data, signature, salt);
            checks[i] = new SignatureCheck(publicKeys[i % keys], data, signature);
        });
        foreach (var signer in signers)
            signer.Dispose();
        return checks;
    }
}
