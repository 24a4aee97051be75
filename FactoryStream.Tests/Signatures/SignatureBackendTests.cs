using System.Globalization;
using FactoryStream.Signatures;
using FactoryStream.Signatures.Backends;
using FactoryStream.Signatures.Backends.Avx2;
using FactoryStream.Signatures.Backends.Avx512;

namespace FactoryStream.Tests.Signatures;

/// <summary>The verdicts of the vectorised backends against OpenSSL's, whatever else goes through the same lanes.</summary>
public sealed class SignatureBackendTests
{
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
        var backend = VectorBackends.Require(backendName);
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
    [InlineData("avx512")]
    [InlineData("avx2")]
    public void Every_lane_has_its_own_verdict_however_many_are_filled(string backendName)
    {
        var backend = VectorBackends.Require(backendName);
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
        var backend = VectorBackends.Require(backendName);
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

    private static SignatureVerifierOptions Unwatched =>
        new()
        {
            AcceptRecheckInterval = int.MaxValue,
            RejectRecheckInterval = int.MaxValue,
            RejectRecheckBurst = 1,
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
}
