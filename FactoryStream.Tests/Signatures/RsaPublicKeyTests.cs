using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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
    public void A_key_is_the_same_in_every_form_that_it_is_handed_on_in()
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=machine", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        using var certificate = request.CreateSelfSigned(
            new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero),
            new DateTimeOffset(2021, 1, 1, 0, 0, 0, TimeSpan.Zero)
        );
        string pem = rsa.ExportSubjectPublicKeyInfoPem(),
            base64 = Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo());
        string[] forms =
        [
            rsa.ExportRSAPublicKeyPem(),
            certificate.ExportCertificatePem(),
            Convert.ToBase64String(certificate.RawData),
            base64,
            base64.TrimEnd('=').Replace('+', '-').Replace('/', '_'),
            Convert.ToBase64String(rsa.ExportRSAPublicKey(), Base64FormattingOptions.InsertLineBreaks),
            pem.Replace("\n", "\\n", StringComparison.Ordinal),
            pem.Replace("\n", "\\r\\n", StringComparison.Ordinal),
            "\uFEFF" + pem,
            "\uFEFF" + base64,
            Pss(rsa, null),
            Pss(rsa, "2.16.840.1.101.3.4.2.1"),
        ];

        foreach (var form in forms)
        {
            using var key = TestKeys.Public(form);
            Assert.Equal(rsa.ExportSubjectPublicKeyInfo(), key.SubjectPublicKeyInfo.ToArray());
        }
    }

    [Fact]
    public void A_private_key_is_refused_in_every_form_and_never_repeated()
    {
        using var rsa = RSA.Create(2048);
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var encryption = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1);
        var request = new CertificateRequest("CN=machine", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(51));
        byte[] openSsh = [.. "openssh-key-v1\0"u8, 0, 0, 0, 4, .. "none"u8];
        string[] forms =
        [
            rsa.ExportPkcs8PrivateKeyPem(),
            rsa.ExportPkcs8PrivateKeyPem().Replace("\n", "\\n", StringComparison.Ordinal),
            "\uFEFF" + rsa.ExportRSAPrivateKeyPem(),
            rsa.ExportRSAPrivateKeyPem()[..400],
            rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", encryption),
            curve.ExportECPrivateKeyPem(),
            PemEncoding.WriteString("OPENSSH PRIVATE KEY", openSsh),
            PemEncoding.WriteString("PUBLIC KEY", rsa.ExportPkcs8PrivateKey()),
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/5\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
            "PuTTY-User-Key-File-3: ssh-rsa",
            rsa.ExportSubjectPublicKeyInfoPem() + "\n" + rsa.ExportPkcs8PrivateKeyPem(),
            certificate.ExportCertificatePem() + "\n" + rsa.ExportRSAPrivateKeyPem(),
            .. (
                (byte[][])
                    [
                        rsa.ExportPkcs8PrivateKey(),
                        rsa.ExportRSAPrivateKey(),
                        rsa.ExportEncryptedPkcs8PrivateKey("secret", encryption),
                        curve.ExportECPrivateKey(),
                        openSsh,
                        certificate.Export(X509ContentType.Pkcs12, "secret"),
                    ]
            ).Select(Convert.ToBase64String),
        ];

        foreach (var form in forms)
        {
            Assert.False(RsaPublicKey.TryParsePem(form, out _, out var error));
            Assert.EndsWith("This is a private key: keep it in the factory and send the public key.", error, StringComparison.Ordinal);
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
            (pem.Replace("PUBLIC KEY", "CERTIFICATE REQUEST", StringComparison.Ordinal), "another kind"),
            (pem.Replace("PUBLIC KEY", "CERTIFICATE", StringComparison.Ordinal), "certificate does not hold an RSA public key"),
            (pem[..(pem.Length / 2)], "not whole"),
            (Convert.ToBase64String(curve.ExportSubjectPublicKeyInfo()), "base64 does not hold an RSA public key"),
            (Pss(good, "1.3.14.3.2.26"), "another hash than SHA-256"),
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
    public void Random_text_is_refused_and_never_throws()
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

    /// <summary>A key that is made for RSASSA-PSS alone: with any hash, or with one.</summary>
    private static string Pss(RSA source, string? hash)
    {
        var info = new AsnWriter(AsnEncodingRules.DER);
        using (info.PushSequence())
        {
            using (info.PushSequence())
            {
                info.WriteObjectIdentifier("1.2.840.113549.1.1.10");
                if (hash is not null)
                {
                    using (info.PushSequence())
                    {
                        using (info.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                        using (info.PushSequence())
                            info.WriteObjectIdentifier(hash);
                        using (info.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
                        using (info.PushSequence())
                        {
                            info.WriteObjectIdentifier("1.2.840.113549.1.1.8");
                            using (info.PushSequence())
                                info.WriteObjectIdentifier(hash);
                        }
                        using (info.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2)))
                            info.WriteInteger(32);
                    }
                }
            }
            info.WriteBitString(source.ExportRSAPublicKey());
        }
        return PemEncoding.WriteString("PUBLIC KEY", info.Encode());
    }
}
