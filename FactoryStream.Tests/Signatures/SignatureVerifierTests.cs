using System.Collections.Concurrent;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using FactoryStream.Signatures;
using FactoryStream.Signatures.Backends;

namespace FactoryStream.Tests.Signatures;

public sealed class SignatureVerifierTests
{
    private static readonly byte[] Data = Encoding.UTF8.GetBytes(
        """{"factory_id": "factory_001", "engine_id": "engine_001", "timestamp": "2026-02-25 06:13:20", "rpm": 2999}"""
    );

    private static readonly ConcurrentDictionary<(int Bits, ulong Exponent), RawKeyPair> RawPairs = new();

    /// <summary>Every set of backends that must give the same verdicts.</summary>
    public static TheoryData<SignatureBackends> Backends =>
        [SignatureBackends.Managed, SignatureBackends.OpenSsl, SignatureBackends.OpenSsl | SignatureBackends.Avx2, SignatureBackends.All];

    [SkippableTheory]
    [MemberData(nameof(Backends))]
    public void Readings_signed_in_Python_are_valid_with_either_salt_and_broken_ones_are_not(SignatureBackends backends)
    {
        using var key = TestKeys.Public(File.ReadAllText(Path.Combine(SignedReadings.Folder, "public-key.pem")));
        var checks = new List<SignatureCheck>();
        var expected = new List<bool>();
        foreach (var file in new[] { "valid-digest-salt.ndjson", "valid-max-salt.ndjson" })
        {
            foreach (var line in File.ReadLines(Path.Combine(SignedReadings.Folder, file)))
            {
                var (data, signature) = SignedReadings.Parse(line);
                checks.Add(new(key, data, signature));
                expected.Add(true);
            }
        }

        Assert.True(checks.Count >= 100);
        var bad = 0;
        foreach (
            var line in File.ReadLines(Path.Combine(SignedReadings.Folder, "rejected.tsv"))
                .Where(line => line.StartsWith("bad signature", StringComparison.Ordinal))
        )
        {
            var (data, signature) = SignedReadings.Parse(line[(line.IndexOf('\t') + 1)..]);
            checks.Insert(bad * 9, new(key, data, signature));
            expected.Insert(bad++ * 9, false);
        }

        Assert.True(bad >= 5);
        Assert.Equal(expected, Verify(backends, [.. checks]));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Any_length_of_salt_is_valid_for_any_size_of_key(SignatureBackends backends)
    {
        foreach (var bits in new[] { 2048, 2056, 3072, 4096 })
        {
            var (signer, key) = TestKeys.Pair(bits);
            var maximum = EmsaPss.MaximumSaltLength(bits);
            var checks = new List<SignatureCheck>();
            foreach (var salt in new[] { 0, 1, 20, 31, 32, 33, 63, 64, 101, maximum - 1, maximum })
                checks.Add(new(key, Data, Sign(signer, Data, salt)));
            Assert.All(Verify(backends, [.. checks]), Assert.True);
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Any_public_exponent_is_accepted(SignatureBackends backends)
    {
        foreach (var exponent in new ulong[] { 3, 17, 0xFFFF_FFFF_FFFF_FFC5 })
        {
            var pair = RawPairs.GetOrAdd((2048, exponent), Make);
            var signature = pair.Sign(Data, 20);
            Assert.Equal(
                [true, false],
                Verify(backends, new SignatureCheck(pair.Key, Data, signature), new(pair.Key, Changed(Data, 9), signature))
            );
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_key_need_not_have_a_round_size(SignatureBackends backends)
    {
        // Of 2049 bits the encoded message is a byte shorter than the signature, of 2055 it has all but two bits of its first byte.
        foreach (var bits in new[] { 2049, 2055 })
        {
            var pair = RawPairs.GetOrAdd((bits, 65537), Make);
            var checks = new List<SignatureCheck>();
            foreach (var salt in new[] { 0, 32, EmsaPss.MaximumSaltLength(bits) })
            {
                checks.Add(new(pair.Key, Data, pair.Sign(Data, salt)));
                checks.Add(new(pair.Key, Data, Changed(pair.Sign(Data, salt), 100)));
            }

            Assert.Equal([true, false, true, false, true, false], Verify(backends, [.. checks]));
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_signature_that_lost_its_leading_zero_or_gained_one_is_refused(SignatureBackends backends)
    {
        var (signer, key) = TestKeys.Pair();
        var signature = new byte[256];
        do signer.Sign(Data, signature);
        while (signature[0] != 0);

        Assert.Equal(
            [true, false, false, false],
            Verify(
                backends,
                new(key, Data, signature),
                new(key, Data, signature.AsMemory(1)),
                new(key, Data, (byte[])[0, .. signature]),
                new(key, Data, default)
            )
        );
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_signature_not_below_the_modulus_is_refused(SignatureBackends backends)
    {
        // A 2056-bit slot is rarely full: look for a signature small enough that signature + n still has the same length.
        var (signer, key) = TestKeys.Pair();
        var signature = new byte[256];
        BigInteger sum;
        do
        {
            signer.Sign(Data, signature);
            sum = TestKeys.Number(signature) + key.ModulusValue;
        } while (sum.GetByteCount(isUnsigned: true) > 256);

        var n = key.Modulus.ToArray();
        byte[] ones = [.. Enumerable.Repeat((byte)0xFF, 256)];
        Assert.Equal(
            [true, false, false, false, false],
            Verify(
                backends,
                new(key, Data, signature),
                new(key, Data, sum.ToByteArray(isUnsigned: true, isBigEndian: true)),
                new(key, Data, n),
                new(key, Data, ones),
                new(key, Data, new byte[256])
            )
        );
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Another_padding_is_refused(SignatureBackends backends)
    {
        using var rsa = RSA.Create(2048);
        using var key = TestKeys.Public(rsa.ExportSubjectPublicKeyInfoPem());
        Assert.Equal(
            [false, false, true],
            Verify(
                backends,
                new(key, Data, rsa.SignData(Data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
                new(key, Data, rsa.SignData(Data, HashAlgorithmName.SHA512, RSASignaturePadding.Pss)),
                new(key, Data, rsa.SignData(Data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss))
            )
        );
    }

    [Fact]
    public void DotNet_accepts_what_the_signer_makes_with_a_digest_long_salt()
    {
        var (signer, key) = TestKeys.Pair(3072);
        using var rsa = RSA.Create();
        rsa.ImportFromPem(key.ExportPem());
        Assert.True(rsa.VerifyData(Data, Sign(signer, Data, 32), HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
    }

    [Fact]
    public void A_signer_comes_back_from_its_PEM()
    {
        var (signer, key) = TestKeys.Pair();
        using var copy = ReadingSigner.FromPem(signer.ExportPrivateKeyPem());
        var signature = new byte[256];
        Assert.Equal(256, copy.Sign(Data, signature, SaltLength.Maximum));
        Assert.Equal(key.ExportPem(), TestKeys.Public(copy.ExportPublicKeyPem()).ExportPem());
        Assert.Equal([true], Verify(SignatureBackends.All, new SignatureCheck(key, Data, signature)));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Threads_do_not_disturb_each_other(SignatureBackends backends)
    {
        using var verifier = new SignatureVerifier(new() { AllowedBackends = backends });
        var pairs = Enumerable.Range(0, 3).Select(i => TestKeys.Pair(2048, i)).ToArray();
        var checks = new SignatureCheck[60];
        var expected = new bool[checks.Length];
        for (var i = 0; i < checks.Length; i++)
        {
            var data = Encoding.UTF8.GetBytes($"reading {i}");
            expected[i] = i % 7 != 3;
            checks[i] = new(pairs[i % 3].Key, data, Sign(pairs[(i + (expected[i] ? 0 : 1)) % 3].Signer, data, i));
        }

        const int threads = 8,
            rounds = 20;
        Parallel.For(
            0,
            threads,
            new ParallelOptions { MaxDegreeOfParallelism = threads },
            thread =>
            {
                var results = new bool[checks.Length];
                for (var round = 0; round < rounds; round++)
                {
                    var start = (thread * 5 + round) % 40;
                    verifier.Verify(checks.AsSpan(start), results);
                    Assert.Equal(expected[start..], results[..^start]);
                }
            }
        );
        Assert.Equal(0, verifier.Statistics.Disagreements);
    }

    [Fact]
    public void Counters_add_up()
    {
        var (signer, key) = TestKeys.Pair();
        using var verifier = new SignatureVerifier();
        var results = new bool[40];
        var good = new SignatureCheck(key, Data, Sign(signer, Data, 32));
        verifier.Verify([.. Enumerable.Repeat(good, 39), new(key, Data, new byte[3])], results);
        var statistics = verifier.Statistics;
        Assert.Equal((40, 39), (statistics.Checks, statistics.Accepted));
        Assert.Equal(40, statistics.ByManaged + statistics.ByOpenSsl + statistics.ByAvx2 + statistics.ByAvx512);
    }

    [Fact]
    public void Too_few_results_and_a_disposed_key_are_errors_of_the_caller()
    {
        using var verifier = new SignatureVerifier();
        var (signer, _) = TestKeys.Pair();
        var key = TestKeys.Public(signer.ExportPublicKeyPem());
        var check = new SignatureCheck(key, Data, Sign(signer, Data, 32));
        Assert.Throws<ArgumentException>(() => verifier.Verify([check], []));
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => verifier.Verify([check], new bool[1]));
    }

    private static bool[] Verify(SignatureBackends backends, params SignatureCheck[] checks)
    {
        using var verifier = new SignatureVerifier(new() { AllowedBackends = backends });
        var results = new bool[checks.Length];
        verifier.Verify(checks, results);
        Assert.Equal(0, verifier.Statistics.Disagreements);
        return results;
    }

    private static byte[] Sign(ReadingSigner signer, byte[] data, int salt)
    {
        var signature = new byte[signer.SignatureLength];
        signer.Sign(data, signature, salt);
        return signature;
    }

    private static byte[] Changed(byte[] bytes, int position)
    {
        var copy = bytes.ToArray();
        copy[position] ^= 1;
        return copy;
    }

    private static RawKeyPair Make((int Bits, ulong Exponent) id) => new(id.Bits, id.Exponent, seed: 7);
}
