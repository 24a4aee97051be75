using FactoryStream.Signatures;
using FactoryStream.Signatures.Backends;

namespace FactoryStream.Tests.Signatures;

/// <summary>A backend is believed only as long as what is checked twice agrees.</summary>
public sealed class BackendTrustTests
{
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
            if (VectorBackends.Find(name) is { } backend)
                Assert.Null(KnownAnswers.FindFault(backend));
        }
    }

    private static (SignatureCheck Good, SignatureCheck Bad) GoodAndBad()
    {
        var (signer, key) = TestKeys.Pair();
        var signature = new byte[256];
        signer.Sign([1, 2, 3], signature);
        return (new(key, new byte[] { 1, 2, 3 }, signature), new(key, new byte[] { 1, 2, 4 }, signature));
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
