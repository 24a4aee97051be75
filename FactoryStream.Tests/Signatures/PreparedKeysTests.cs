using FactoryStream.Signatures;
using FactoryStream.Signatures.Backends;
using FactoryStream.Signatures.Backends.Avx2;
using FactoryStream.Signatures.Backends.Avx512;

namespace FactoryStream.Tests.Signatures;

/// <summary>The constants that the backends keep: of a bounded number of keys, whatever comes.</summary>
public sealed class PreparedKeysTests
{
    [Fact]
    public void No_more_keys_have_constants_than_there_are_places()
    {
        var prepared = Three(out var made);
        var keys = Keys(5);
        Assert.Equal([true, true, true], keys[..3].Select(prepared.TryPrepare));
        Assert.Equal([true, true, true], keys[..3].Select(prepared.TryPrepare));
        Assert.Equal((3, 3), (prepared.Count, made()));

        // One may take the place of the oldest at once, the next only after 256 checks.
        Assert.Equal([true, false], keys[3..].Select(prepared.TryPrepare));
        Assert.Equal([false, true, true, true, false], keys.Select(key => key.Avx2Constants is not null));
        Assert.Equal((3, 4), (prepared.Count, made()));
        prepared.Checked(255);
        Assert.False(prepared.TryPrepare(keys[4]));
        prepared.Checked(1);
        Assert.True(prepared.TryPrepare(keys[4]));
        Assert.Equal([false, false, true, true, true], keys.Select(key => key.Avx2Constants is not null));
        GC.KeepAlive(keys);
    }

    [Fact]
    public void A_key_without_a_place_gets_its_constants_for_once()
    {
        var prepared = Three(out _);
        var key = Keys(1)[0];
        Assert.Equal([7], prepared.Of(key));
        Assert.Equal(0, prepared.Count);
        Assert.Null(key.Avx2Constants);
    }

    [Fact]
    public void A_key_that_nobody_has_any_more_leaves_its_place()
    {
        var prepared = Three(out _);
        Forget(prepared);
        for (var i = 0; i < 10 && prepared.Count > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Equal(0, prepared.Count);
        var keys = Keys(3);
        Assert.All(keys, key => Assert.True(prepared.TryPrepare(key)));
        GC.KeepAlive(keys);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget(PreparedKeys<int> prepared) => Assert.All(Keys(3), key => Assert.True(prepared.TryPrepare(key)));
    }

    [SkippableTheory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    public void With_more_keys_than_places_every_verdict_is_right_and_OpenSSL_has_its_share(string name)
    {
        ISignatureBackend backend = name switch
        {
            "avx512" when Avx512Backend.IsSupported => new Avx512Backend(maximumPreparedKeys: 2),
            "avx2" when Avx2Backend.IsSupported => new Avx2Backend(maximumPreparedKeys: 2),
            _ => throw new SkipException($"This processor has no {name}, or it is switched off."),
        };
        using var verifier = new SignatureVerifier(new(), [(backend, null)]);
        var keys = Keys(5);
        var checks = new SignatureCheck[500];
        var expected = new bool[checks.Length];
        for (var i = 0; i < checks.Length; i++)
        {
            var signature = new byte[256];
            TestKeys.Pair(2048, i % 5).Signer.Sign([1, 2, 3], signature);
            expected[i] = i % 7 != 0;
            checks[i] = new(keys[i % 5], expected[i] ? new byte[] { 1, 2, 3 } : [1, 2], signature);
        }

        // From several threads, which take each other's constants away.
        Parallel.For(
            0,
            4,
            _ =>
            {
                for (var round = 0; round < 8; round++)
                {
                    var results = new bool[checks.Length];
                    verifier.Verify(checks, results);
                    Assert.Equal(expected, results);
                    GC.Collect(0);
                }
            }
        );
        var statistics = verifier.Statistics;
        Assert.Equal(0, statistics.Disagreements);
        Assert.InRange(verifier.PreparedKeys, 1, 2);
        Assert.True(
            statistics.ByAvx2 + statistics.ByAvx512 > 4000 && statistics.ByOpenSsl + statistics.ByManaged > 4000,
            statistics.ToString()
        );
        GC.KeepAlive(keys);
    }

    [Fact]
    public void The_bound_is_an_option_of_its_own_bounds()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SignatureVerifier(new() { MaximumPreparedKeys = 15 }));
        using var verifier = new SignatureVerifier(new() { MaximumPreparedKeys = 16 });
        Assert.InRange(verifier.PreparedKeys, 0, 16 * verifier.Backends.Count);
    }

    private static PreparedKeys<int> Three(out Func<int> made)
    {
        var count = 0;
        made = () => count;
        return new(
            3,
            static key => ref key.Avx2Constants,
            _ =>
            {
                count++;
                return [7];
            }
        );
    }

    /// <summary>Keys that no other test has constants on.</summary>
    private static RsaPublicKey[] Keys(int count) =>
        [.. Enumerable.Range(0, count).Select(i => TestKeys.Public(TestKeys.Pair(2048, i).Signer.ExportPublicKeyPem()))];
}
