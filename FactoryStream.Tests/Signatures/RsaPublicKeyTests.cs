using System.Security.Cryptography;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Signatures;

public sealed class RsaPublicKeyTests
{
    [Fact]
    public void Both_PEM_forms_of_a_key_are_the_same_key()
    {
        using var rsa = RSA.Create(2048);
        using var one = TestKeys.Public(rsa.ExportSubjectPublicKeyInfoPem());
        using var other = TestKeys.Public(rsa.ExportRSAPublicKeyPem());

        Assert.Equal(one.SubjectPublicKeyInfo.ToArray(), other.SubjectPublicKeyInfo.ToArray());
        Assert.Equal(rsa.ExportSubjectPublicKeyInfo(), one.SubjectPublicKeyInfo.ToArray());
        Assert.Equal((2048, 256), (one.KeySizeBits, one.SignatureLength));
        Assert.Equal(rsa.ExportSubjectPublicKeyInfoPem(), other.ExportPem());
    }

    [Fact]
    public void Text_around_the_block_does_not_matter()
    {
        var (signer, key) = TestKeys.Pair();
        using var parsed = TestKeys.Public($"subject: engine 7\r\n{signer.ExportPublicKeyPem()}\r\n\r\n");
        Assert.Equal(key.ExportPem(), parsed.ExportPem());
    }

    [Fact]
    public void A_private_key_is_refused_by_name()
    {
        using var rsa = RSA.Create(2048);
        foreach (var pem in new[] { rsa.ExportPkcs8PrivateKeyPem(), rsa.ExportRSAPrivateKeyPem() })
        {
            Assert.False(RsaPublicKey.TryParsePem(pem, out _, out var error));
            Assert.Contains("private key", error);
        }
    }

    [Fact]
    public void Whatever_is_no_acceptable_key_is_refused_with_a_reason()
    {
        using var small = RSA.Create(1024);
        using var curve = ECDsa.Create();
        using var good = RSA.Create(2048);
        var pem = good.ExportSubjectPublicKeyInfoPem();
        (string Pem, string Reason)[] cases =
        [
            ("", "No PEM block"),
            ("hello", "No PEM block"),
            (small.ExportSubjectPublicKeyInfoPem(), "1024 bits"),
            (curve.ExportSubjectPublicKeyInfoPem(), "does not hold an RSA public key"),
            (pem.Replace("PUBLIC KEY", "CERTIFICATE", StringComparison.Ordinal), "another kind"),
            (pem.Replace("PUBLIC KEY", "RSA PUBLIC KEY", StringComparison.Ordinal), "does not hold an RSA public key"),
            (pem + "\n" + good.ExportPkcs8PrivateKeyPem(), "More than one"),
            (PemEncoding.WriteString("PUBLIC KEY", [.. good.ExportSubjectPublicKeyInfo(), 0]), "does not hold an RSA public key"),
            (Rsa(good, modulus => modulus[^1] &= 0xFE), "even"),
            (Rsa(good, _ => { }, exponent: [1]), "exponent"),
            (Rsa(good, _ => { }, exponent: [1, 0, 0]), "exponent"),
            (Rsa(good, _ => { }, exponent: [1, 0, 0, 0, 0, 0, 0, 0, 1]), "exponent"),
        ];
        foreach (var (text, reason) in cases)
        {
            Assert.False(RsaPublicKey.TryParsePem(text, out var key, out var error), reason);
            Assert.Null(key);
            Assert.Contains(reason, error);
        }
    }

    [Fact]
    public void Noise_is_never_more_than_an_error()
    {
        var random = new Random(1);
        var der = TestKeys.Pair().Key.SubjectPublicKeyInfo.ToArray();
        for (var i = 0; i < 500; i++)
        {
            var broken = der.ToArray();
            for (var j = random.Next(1, 4); j > 0; j--)
                broken[random.Next(40)] = (byte)random.Next(256);
            if (RsaPublicKey.TryParsePem(PemEncoding.WriteString("PUBLIC KEY", broken), out var key, out var error))
                key.Dispose();
            else
                Assert.NotEmpty(error);
        }
    }

    private static string Rsa(RSA source, Action<byte[]> change, byte[]? exponent = null)
    {
        var parameters = source.ExportParameters(includePrivateParameters: false);
        change(parameters.Modulus!);
        return TestKeys.Pem(parameters.Modulus, exponent ?? parameters.Exponent);
    }
}
