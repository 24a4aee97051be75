using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using FactoryStream.Signatures;
using FactoryStream.Signatures.Backends;
using FactoryStream.Signatures.Backends.Avx2;
using FactoryStream.Signatures.Backends.Avx512;

namespace FactoryStream.Tests.Signatures;

/// <summary>The vectorised backends against OpenSSL and plain arithmetic.</summary>
public sealed class SignatureBackendTests
{
    private const string ExpectedBackend = "FACTORYSTREAM_EXPECTED_ENGINE";

    private static readonly int[] Sizes = [2048, 3072, 4096];

    /// <summary>How many triples are compared; more by environment.</summary>
    private static readonly int Triples = int.Parse(
        Environment.GetEnvironmentVariable("FACTORYSTREAM_SIGNATURE_TRIPLES") ?? "100000",
        CultureInfo.InvariantCulture
    );

    [SkippableTheory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    public void Verdicts_are_OpenSSLs_for_every_kind_of_break(string backendName)
    {
        var backend = Backend(backendName);
        Skip.IfNot(LibCrypto.IsAvailable, "libcrypto is not installed.");
        var seed = Environment.TickCount;
        Compare(backend, 2048, new SignatureCorpus(2048, seed), Triples * 8 / 10);
        Compare(backend, 3072, new SignatureCorpus(3072, seed), Triples / 10);
        Compare(backend, 4096, new SignatureCorpus(4096, seed), Triples / 10);

        static void Compare(ISignatureBackend backend, int bits, SignatureCorpus corpus, int count)
        {
            // Nothing is checked again here, or a wrong verdict would be put right before it is seen.
            using var verifier = new SignatureVerifier(Unwatched, [(backend, null)]);
            var random = new Random(4);
            var valid = 0;
            var done = 0;
            while (done < count)
            {
                var checks = new SignatureCheck[random.Next(1, 200)];
                var kinds = new string[checks.Length];
                for (var i = 0; i < checks.Length; i++)
                    checks[i] = corpus.Next(out kinds[i]);
                var results = new bool[checks.Length];
                random.NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(results.AsSpan()));
                verifier.Verify(checks, results);
                for (var i = 0; i < checks.Length; i++)
                {
                    var expected = SingleCheck.Verify(checks[i], useOpenSsl: true);
                    valid += expected ? 1 : 0;
                    Assert.True(
                        expected == results[i],
                        $"{backend.Name} said {results[i]} for '{kinds[i]}' with {bits} bits at {i} of {checks.Length}"
                    );
                }

                done += checks.Length;
            }

            Assert.InRange(valid, count / 4, count);
            var statistics = verifier.Statistics;
            Assert.True(statistics.ByAvx2 + statistics.ByAvx512 > count / 2, statistics.ToString());
        }
    }

    [SkippableTheory]
    [InlineData("avx512", 2048, 40)]
    [InlineData("avx512", 3072, 12)]
    [InlineData("avx512", 4096, 8)]
    [InlineData("avx2", 2048, 40)]
    [InlineData("avx2", 3072, 12)]
    [InlineData("avx2", 4096, 8)]
    public void Powers_are_right_for_extreme_moduli_and_numbers(string backendName, int bits, int rounds)
    {
        var backend = Backend(backendName);
        var random = new Random(bits);
        var length = bits / 8;
        for (var round = 0; round < rounds; round++)
        {
            var keys = new RsaPublicKey[backend.Lanes];
            var numbers = new byte[backend.Lanes * length];
            for (var lane = 0; lane < keys.Length; lane++)
            {
                var modulus = Modulus(bits, (round * keys.Length + lane) % 12, random);
                keys[lane] = TestKeys.Public(TestKeys.Pem(modulus.ToByteArray(isUnsigned: true, isBigEndian: true), [1, 0, 1]));
                TestKeys.Bytes(Number(modulus, random.Next(12), bits, random), length).CopyTo(numbers.AsSpan(lane * length));
            }

            var results = new byte[numbers.Length];
            if (backend is Avx512Backend)
                Avx512Backend.Power(keys, numbers, results);
            else
                Avx2Backend.Power(keys, numbers, results);
            for (var lane = 0; lane < keys.Length; lane++)
            {
                var expected = BigInteger.ModPow(TestKeys.Number(numbers.AsSpan(lane * length, length)), 65537, keys[lane].ModulusValue);
                Assert.True(expected == TestKeys.Number(results.AsSpan(lane * length, length)), $"round {round}, lane {lane}");
            }
        }
    }

    [SkippableTheory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    public void Every_lane_of_every_fill_answers_for_itself(string backendName)
    {
        var backend = Backend(backendName);
        using var verifier = new SignatureVerifier(Unwatched, [(backend, null)]);
        var corpora = Sizes.ToDictionary(bits => bits, bits => new SignatureCorpus(bits, seed: 1));
        var valid = Sizes
            .SelectMany(bits => Enumerable.Range(0, 3), (bits, number) => (bits, number))
            .ToDictionary(id => id, id => Valid(id.bits, id.number));
        for (var count = 1; count <= 2 * backend.Lanes + 1; count++)
        {
            foreach (var broken in new[] { 0, count / 2, count - 1, -1 })
            {
                // Other sizes and broken signatures go through the same memory before, and leave what they leave.
                foreach (var corpus in corpora.Values)
                    verifier.Verify([.. Enumerable.Range(0, 16).Select(_ => corpus.Next(out var _))], new bool[16]);
                var checks = Enumerable.Range(0, count).Select(i => Check(valid[(i % 5 == 4 ? 3072 : 2048, i % 3)], i == broken)).ToArray();
                var results = new bool[count];
                verifier.Verify(checks, results);
                Assert.Equal(Enumerable.Range(0, count).Select(i => i != broken), results);
            }
        }

        static SignatureCheck Check(SignatureCheck valid, bool broken) =>
            broken ? new(valid.Key, new byte[] { 1, 2, 3 }, valid.Signature) : valid;

        static SignatureCheck Valid(int bits, int number)
        {
            var (signer, key) = TestKeys.Pair(bits, bits == 2048 ? number : 0);
            var data = new byte[] { 1, 2, 3, (byte)number };
            var signature = new byte[key.SignatureLength];
            signer.Sign(data, signature, number == 1 ? SaltLength.Maximum : SaltLength.Digest);
            return new(key, data, signature);
        }
    }

    [SkippableTheory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    public void What_the_memory_held_before_does_not_matter(string backendName)
    {
        var backend = Backend(backendName);
        var random = new Random(6);
        foreach (var bits in Sizes)
        {
            var corpus = new SignatureCorpus(bits, seed: 6);
            foreach (var poison in new byte[] { 0xFF, 0x7F, 0x00, 0xBC })
            {
                var checks = Enumerable
                    .Range(0, 40)
                    .Select(_ => corpus.Next(out var _))
                    .Where(check => SingleCheck.IsInRange(check))
                    .Take(backend.Lanes)
                    .ToArray();
                for (var count = 1; count <= checks.Length; count++)
                {
                    // What lies in the lanes beyond, and in this batch's before it is written, is no number at all.
                    Poison(backend, poison);
                    int[] indices = [.. Enumerable.Range(0, checks.Length).OrderBy(_ => random.Next()).Take(count)];
                    var expected = indices
                        .Select((index, lane) => SingleCheck.Verify(checks[index], LibCrypto.IsAvailable) ? 1u << lane : 0)
                        .Aggregate(0u, (all, one) => all | one);
                    Assert.Equal(expected, backend.Verify(checks, indices));
                }
            }
        }
    }

    [Fact]
    public void A_backend_that_accepts_what_it_must_not_is_turned_off_by_a_sample()
    {
        var (good, bad) = GoodAndBad();
        using var verifier = new SignatureVerifier(new() { AcceptRecheckInterval = 10 }, [(new LyingBackend(uint.MaxValue), null)]);
        var reasons = new List<string>();
        verifier.BackendTurnedOff += (_, off) => reasons.Add($"{off.BackendName}: {off.Reason}");
        var results = new bool[8];

        verifier.Verify([.. Enumerable.Repeat(good, 8)], results);
        Assert.Equal("liar", verifier.BackendName);
        verifier.Verify([.. Enumerable.Repeat(bad, 8)], results);

        Assert.All(results, Assert.False);
        Assert.NotEqual("liar", verifier.BackendName);
        Assert.Equal(["liar: said valid of a signature of 2048 bits for which openssl says the opposite"], reasons);
        Assert.StartsWith("off: said valid", verifier.Backends["liar"], StringComparison.Ordinal);
        Assert.Equal(1, verifier.Statistics.Disagreements);
        verifier.Verify([good, bad, good], results);
        Assert.Equal([true, false, true], results[..3]);
    }

    [Fact]
    public void A_backend_that_rejects_what_is_valid_is_turned_off_at_once_and_nothing_is_lost()
    {
        var (good, bad) = GoodAndBad();
        using var verifier = new SignatureVerifier(new(), [(new LyingBackend(0b101), null)]);
        var results = new bool[3];
        verifier.Verify([good, good, bad], results);
        Assert.Equal([true, true, false], results);
        Assert.Equal(1, verifier.Statistics.Disagreements);
        Assert.NotEqual("liar", verifier.BackendName);
    }

    [Fact]
    public void A_flood_of_forgeries_is_checked_twice_only_in_part()
    {
        var (_, bad) = GoodAndBad();
        using var verifier = new SignatureVerifier(
            new() { RejectRecheckBurst = 20, RejectRecheckInterval = 50 },
            [(new LyingBackend(0), null)]
        );
        var checks = Enumerable.Repeat(bad, 8).ToArray();
        for (var i = 0; i < 500; i++)
            verifier.Verify(checks, new bool[8]);
        Assert.InRange(verifier.Statistics.Rechecks, 20 + 4000 / 50 - 2, 20 + 4000 / 50);
        Assert.Equal("liar", verifier.BackendName);
    }

    [Fact]
    public void A_backend_that_fails_a_known_answer_is_never_used()
    {
        Assert.Contains("known answers of 2048 bits", KnownAnswers.FindFault(new LyingBackend(0)));
        foreach (var name in new[] { "avx512", "avx2" })
        {
            if (TryBackend(name) is { } backend)
                Assert.Null(KnownAnswers.FindFault(backend));
        }
    }

    [SkippableTheory]
    [InlineData("DOTNET_EnableAVX512", "avx2")]
    [InlineData("DOTNET_EnableAVX2", "openssl")]
    public async Task The_runtimes_own_switches_choose_the_backend(string turnedOff, string expected)
    {
        Skip.If(Environment.GetEnvironmentVariable(ExpectedBackend) is not null, "This is the inner run.");
        Skip.If(expected == "avx2" && TryBackend("avx2") is null, "This processor has no AVX2.");
        Skip.IfNot(LibCrypto.IsAvailable, "libcrypto is not installed.");
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList =
            {
                "test",
                typeof(SignatureBackendTests).Assembly.Location,
                "--nologo",
                "--filter",
                $"FullyQualifiedName~{nameof(Inner_run_uses_the_expected_backend)}",
            },
            Environment = { [turnedOff] = "0", [ExpectedBackend] = expected },
            RedirectStandardOutput = true,
        };
        if (!Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
            start.FileName = "dotnet";
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(100));
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Assert.True(process.ExitCode == 0 && output.Contains("Passed!", StringComparison.Ordinal), output);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    [SkippableFact]
    public void Inner_run_uses_the_expected_backend()
    {
        var expected = Environment.GetEnvironmentVariable(ExpectedBackend);
        Skip.If(expected is null, "Runs inside The_runtimes_own_switches_choose_the_backend.");
        using var verifier = new SignatureVerifier();
        Assert.Equal(expected, verifier.BackendName);
        var corpus = new SignatureCorpus(2048, seed: 2);
        var checks = Enumerable.Range(0, 3000).Select(_ => corpus.Next(out var _)).ToArray();
        var results = new bool[checks.Length];
        verifier.Verify(checks, results);
        Assert.Equal(checks.Select(check => SingleCheck.Verify(check, useOpenSsl: true)), results);
        Assert.Equal(0, verifier.Statistics.Disagreements);
        Assert.Equal(expected == "avx2", verifier.Statistics.ByAvx2 > 2000);
    }

    private static SignatureVerifierOptions Unwatched =>
        new()
        {
            AcceptRecheckInterval = int.MaxValue,
            RejectRecheckInterval = int.MaxValue,
            RejectRecheckBurst = 1,
        };

    private static ISignatureBackend Backend(string name)
    {
        var backend = TryBackend(name);
        Skip.If(backend is null, $"This processor has no {name}, or it is switched off.");
        return backend!;
    }

    private static ISignatureBackend? TryBackend(string name) =>
        name switch
        {
            "avx512" when Avx512Backend.IsSupported => new Avx512Backend(),
            "avx2" when Avx2Backend.IsSupported => new Avx2Backend(),
            _ => null,
        };

    private static unsafe void Poison(ISignatureBackend backend, byte poison)
    {
        if (backend is Avx512Backend avx512)
            avx512.Idle.ToList().ForEach(work => new Span<byte>(work.Low, (int)(work.HashRows - work.Low) + 16 * 64).Fill(poison));
        else if (backend is Avx2Backend avx2)
            avx2.Idle.ToList().ForEach(work => Fill(work, poison));

        static void Fill(Avx2Backend.Workspace work, byte poison)
        {
            new Span<byte>(work.Limbs, Offsets<Limbs4096>.Size).Fill(poison);
            work.Numbers.AsSpan().Fill(poison);
        }
    }

    private static (SignatureCheck Good, SignatureCheck Bad) GoodAndBad()
    {
        var (signer, key) = TestKeys.Pair();
        var signature = new byte[256];
        signer.Sign([1, 2, 3], signature);
        return (new(key, new byte[] { 1, 2, 3 }, signature), new(key, new byte[] { 1, 2, 4 }, signature));
    }

    /// <summary>Numbers whose digits, in any of the radices, are the largest or the smallest, and the ends of the range.</summary>
    private static BigInteger Modulus(int bits, int kind, Random random)
    {
        var top = BigInteger.One << (bits - 1);
        return kind switch
        {
            0 => (top << 1) - 1,
            1 => top + 1,
            2 => Pattern(bits, 53, BigInteger.One << 52) | top | 1,
            3 => Pattern(bits, 53, (BigInteger.One << 52) - 1) | top | 1,
            4 => Pattern(bits, 52, BigInteger.One << 51) | top | 1,
            5 => Pattern(bits, 29, BigInteger.One << 28) | top | 1,
            6 => Pattern(bits, 29, (BigInteger.One << 28) - 1) | top | 1,
            7 => Pattern(bits, 28, BigInteger.One << 27) | top | 1,
            8 => (top << 1) - (BigInteger.One << 53) - 1,
            _ => TestKeys.Number(Noise(bits / 8, random)) | top | 1,
        };
    }

    private static BigInteger Number(BigInteger modulus, int kind, int bits, Random random) =>
        kind switch
        {
            0 => 0,
            1 => 1,
            2 => modulus - 1,
            3 => modulus - 2,
            4 => modulus >> 1,
            5 => Pattern(bits, 53, BigInteger.One << 52) % modulus,
            6 => Pattern(bits, 53, (BigInteger.One << 52) - 1) % modulus,
            7 => Pattern(bits, 29, BigInteger.One << 28) % modulus,
            _ => TestKeys.Number(Noise(bits / 8, random)) % modulus,
        };

    private static BigInteger Pattern(int bits, int digitBits, BigInteger digit)
    {
        var number = BigInteger.Zero;
        for (var shift = 0; shift + digitBits <= bits; shift += digitBits)
            number |= digit << shift;
        return number;
    }

    private static byte[] Noise(int length, Random random)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Gives the same verdicts whatever it is asked.</summary>
    private sealed class LyingBackend(uint verdicts) : ISignatureBackend
    {
        public string Name => "liar";

        public int Lanes => 8;

        public int PreparedKeys => 0;

        public bool Supports(RsaPublicKey key) => key.KeySizeBits == 2048;

        public bool TryPrepare(RsaPublicKey key) => true;

        public int Take(int waiting) => Math.Min(waiting, Lanes);

        public uint Verify(ReadOnlySpan<SignatureCheck> checks, ReadOnlySpan<int> indices) => verdicts;
    }
}
