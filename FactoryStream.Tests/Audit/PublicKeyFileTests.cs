using System.Text.Json;
using FactoryStream.Audit;
using FactoryStream.Audit.Evidence;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Audit;

public sealed class PublicKeyFileTests
{
    [Theory]
    [InlineData("nothing", "holds no public key")]
    [InlineData("{\"keys\": []}", "holds no public key")]
    [InlineData("{\"keys\": [{\"key_id\": \"k\"}]}", "is no list of keys")]
    [InlineData("{", "is no list of keys")]
    public void A_file_without_keys_is_named(string text, string expected)
    {
        using var temporary = new TemporaryFolder();
        var file = Path.Combine(temporary.Path, "keys");
        File.WriteAllText(file, text);

        var exception = Assert.Throws<EvidenceException>(() => PublicKeyFile.Read(file));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_are_read_in_every_form_that_they_are_handed_on_in_and_a_private_one_is_refused()
    {
        using var temporary = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var file = Path.Combine(temporary.Path, "keys");
        var pem = signer.ExportPublicKeyPem();
        var base64 = string.Concat(pem.Split('\n')[1..^1]);
        foreach (
            var form in (string[])
                [
                    pem + "\n" + pem,
                    (pem + "\n" + pem).Replace("\n", "\\n", StringComparison.Ordinal),
                    base64,
                    JsonSerializer.Serialize(new { public_key = base64 }),
                ]
        )
        {
            File.WriteAllText(file, form);
            Assert.All(PublicKeyFile.Read(file), key => Assert.Equal(pem, key.Key.ExportPem()));
        }

        foreach (
            var form in (string[])
                [
                    signer.ExportPrivateKeyPem(),
                    pem + "\n" + signer.ExportPrivateKeyPem(),
                    string.Concat(signer.ExportPrivateKeyPem().Split('\n')[1..^1]),
                ]
        )
        {
            File.WriteAllText(file, form);
            Assert.Contains(
                "This is a private key: keep it in the factory",
                Assert.Throws<EvidenceException>(() => PublicKeyFile.Read(file)).Message,
                StringComparison.Ordinal
            );
        }
    }
}
