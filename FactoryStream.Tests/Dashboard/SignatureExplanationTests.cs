using System.Security.Cryptography;
using System.Text;
using FactoryStream.Dashboard.Explanations;
using FactoryStream.Signatures;
using FactoryStream.Tests.Signatures;

namespace FactoryStream.Tests.Dashboard;

public sealed class SignatureExplanationTests
{
    private const string Sent =
        """{"factory_id":"f", "engine_id":"e","timestamp":"2026-02-25 06:13:20","rpm":3001,"b":{"z":[1, 2],"a":null}}""";
    private const string Compact =
        """{"factory_id":"f","engine_id":"e","timestamp":"2026-02-25 06:13:20","rpm":3001,"b":{"z":[1,2],"a":null}}""";
    private const string Spaced =
        """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 3001, "b": {"z": [1, 2], "a": null}}""";
    private const string Sorted =
        """{"b":{"a":null,"z":[1,2]},"engine_id":"e","factory_id":"f","rpm":3001,"timestamp":"2026-02-25 06:13:20"}""";

    private static readonly ReadingSigner Signer = TestKeys.Pair(number: 0).Signer;

    private static readonly ExplainedKey Own = Key("own", "f", 0);
    private static readonly ExplainedKey Foreign = Key("foreign", "g", 1);

    public static TheoryData<string, byte[]> WronglySigned =>
        new()
        {
            { "pkcs1_v1_5", Rsa(HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) },
            { "pkcs1_v1_5 sha1", Rsa(HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1) },
            { "pkcs1_v1_5 sha512", Rsa(HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1) },
            { "sha1", Rsa(HashAlgorithmName.SHA1, RSASignaturePadding.Pss) },
            { "sha384", Rsa(HashAlgorithmName.SHA384, RSASignaturePadding.Pss) },
            { "sha512", Rsa(HashAlgorithmName.SHA512, RSASignaturePadding.Pss) },
            { "mgf1_sha1", Pss(HashAlgorithmName.SHA256, HashAlgorithmName.SHA1, 32) },
            { "mgf1_sha384", Pss(HashAlgorithmName.SHA256, HashAlgorithmName.SHA384, 0) },
            { "mgf1_sha512", Pss(HashAlgorithmName.SHA256, HashAlgorithmName.SHA512, 20) },
            { "sha512 mgf1_sha256", Pss(HashAlgorithmName.SHA512, HashAlgorithmName.SHA256, 64) },
            { "trailing_line_feed", Sign(Sent + "\n") },
            { "trailing_carriage_return", Sign(Sent + "\r\n") },
            { "no_white_space", Sign(Compact) },
            { "spaces_after_separators", Sign(Spaced) },
            { "no_white_space members_sorted", Sign(Sorted) },
            { "hashed_twice", Sign(SHA256.HashData(Bytes(Sent))) },
            { "hex_hashed_twice", Sign(Convert.ToHexStringLower(SHA256.HashData(Bytes(Sent)))) },
            { "reversed_bytes", [.. Enumerable.Reverse(Sign(Sent))] },
            { "double_base64", Bytes(Convert.ToBase64String(Sign(Sent))) },
            { "double_base64", Bytes(Convert.ToBase64String(Sign(Sent)).Replace('+', '-').Replace('/', '_').TrimEnd('=')) },
            { "hexadecimal", Convert.FromBase64String(Convert.ToHexStringLower(Sign(Sent))) },
            { "hexadecimal", Bytes(Convert.ToHexString(Sign(Sent))) },
            { "other_factorys_key", Sign(Bytes(Sent), TestKeys.Pair(number: 1).Signer) },
            { "pkcs1_v1_5 trailing_line_feed", Rsa(HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1, Sent + "\n") },
        };

    [Theory]
    [MemberData(nameof(WronglySigned))]
    public void What_a_machine_does_otherwise_is_named(string causes, byte[] signature)
    {
        var explanation = SignatureExplanation.Find(Bytes(Sent), signature, "f", null, [Own, Foreign]);

        Assert.NotNull(explanation);
        Assert.Equal(causes, string.Join(' ', explanation.Causes.Select(cause => cause.Name)));
    }

    [Fact]
    public void Every_cause_is_tried_and_has_a_sentence_of_its_own()
    {
        var explained = WronglySigned.SelectMany(row => ((string)row[0]).Split(' ')).Append("other_key_named").ToHashSet();

        Assert.Equal(explained.Order(), SignatureCause.All.Select(cause => cause.Name).Order());
        Assert.Equal(SignatureCause.All.Count, SignatureCause.All.Select(cause => cause.Advice).Distinct().Count());
    }

    [Fact]
    public void An_envelope_that_names_another_key_of_its_factory_is_told_so()
    {
        var explanation = SignatureExplanation.Find(Bytes(Sent), Sign(Sent), "f", "other", [Key("other", "f", 1), Own]);

        Assert.Equal([SignatureCause.OtherKeyNamed], explanation?.Causes);
        Assert.Equal("own", explanation?.Key.KeyId);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(32)]
    [InlineData(222)]
    public void A_valid_signature_has_no_cause_whatever_the_length_of_its_salt(int saltLength)
    {
        var signature = new byte[Signer.SignatureLength];
        Signer.Sign(Bytes(Sent), signature, saltLength);

        Assert.Empty(SignatureExplanation.Find(Bytes(Sent), signature, "f", "own", [Own])!.Causes);
    }

    [Fact]
    public void A_wholly_wrong_signature_is_not_explained()
    {
        var random = new byte[Signer.SignatureLength];
        new Random(7).NextBytes(random);

        Assert.All(
            (byte[][])
                [
                    random,
                    [],
                    [1],
                    new byte[256],
                    [.. Enumerable.Repeat((byte)0xff, 256)],
                    Sign(Sent + " "),
                    Sign(Sent.Replace("3001", "3002")),
                ],
            signature => Assert.Null(SignatureExplanation.Find(Bytes(Sent), signature, "f", null, [Own, Foreign]))
        );
        Assert.Null(SignatureExplanation.Find(Bytes(Sent), Sign(Sent), "f", null, []));
    }

    [Fact]
    public void A_batch_is_explained_as_a_reading_is()
    {
        var batch = $"[{Sent}, {Sent}]";

        var explanation = SignatureExplanation.Find(Bytes(batch), Sign($"[{Compact},{Compact}]"), "f", null, [Own]);

        Assert.Equal([SignatureCause.NoWhiteSpace], explanation?.Causes);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static ExplainedKey Key(string keyId, string factoryId, int number) =>
        ExplainedKey.TryRead(keyId, factoryId, TestKeys.Pair(number: number).Key.SubjectPublicKeyInfo.ToArray())!;

    private static byte[] Sign(string message) => Sign(Bytes(message));

    private static byte[] Sign(byte[] message, ReadingSigner? signer = null)
    {
        signer ??= Signer;
        var signature = new byte[signer.SignatureLength];
        signer.Sign(message, signature);
        return signature;
    }

    private static byte[] Rsa(HashAlgorithmName hash, RSASignaturePadding padding, string message = Sent)
    {
        using var rsa = RSA.Create();
        rsa.ImportFromPem(Signer.ExportPrivateKeyPem());
        return rsa.SignData(Bytes(message), hash, padding);
    }

    /// <summary>RSASSA-PSS whose MGF1 has a hash of its own (RFC 8017, 9.1.1), for a modulus of 2048 bits.</summary>
    private static byte[] Pss(HashAlgorithmName hash, HashAlgorithmName mask, int saltLength)
    {
        var salt = Enumerable.Range(1, saltLength).Select(number => (byte)number).ToArray();
        var messageHash = CryptographicOperations.HashData(hash, Bytes(Sent));
        var digest = CryptographicOperations.HashData(hash, [.. new byte[8], .. messageHash, .. salt]);
        byte[] block = [.. new byte[256 - digest.Length - saltLength - 2], 1, .. salt];
        for (var (at, counter) = (0, (byte)0); at < block.Length; counter++)
        {
            foreach (var octet in CryptographicOperations.HashData(mask, [.. digest, 0, 0, 0, counter]))
            {
                if (at < block.Length)
                    block[at++] ^= octet;
            }
        }
        block[0] &= 0x7f;
        var signature = new byte[256];
        Signer.SignRaw([.. block, .. digest, 0xbc], signature);
        return signature;
    }
}
