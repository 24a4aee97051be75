using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Verification;
using static FactoryStream.Tests.Verifier.Factories;

namespace FactoryStream.Tests.Verifier;

public sealed class BatchVerdictTests : IDisposable
{
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    private readonly SignatureVerifier signatures = new();
    private readonly LineVerifier verifier;

    public BatchVerdictTests() => verifier = new LineVerifier(signatures, Skew);

    public void Dispose() => signatures.Dispose();

    [Fact]
    public void A_batch_has_one_signature_and_one_verdict()
    {
        var key = Key("f1", 0, notBefore: Noon.AddHours(-1), notAfter: Noon.AddHours(1), revokedAt: Noon.AddMinutes(30));
        var keys = new KeySnapshot([key, Key("f1", 1, Noon.AddDays(-9))]);

        Assert.Equal((Verdict.Accepted, key), Verified(keys, Batch(0, Noon, Noon.AddMinutes(-5), Noon.AddSeconds(1))));
        Assert.Equal((Verdict.Accepted, key), Verified(keys, Batch(0, Noon)));
        Assert.Equal(Verdict.BadSignature, Verified(keys, Batch(2, Noon)).Verdict);
        Assert.Equal(
            Verdict.BadSignature,
            Verified(
                keys,
                Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Batch(0, Noon, Noon)).Replace("3000}]", "3001}]", StringComparison.Ordinal))
            ).Verdict
        );
        Assert.Equal(Verdict.UnknownKey, Verified(new KeySnapshot([]), Batch(0, Noon)).Verdict);
        Assert.Equal(Verdict.Malformed, Verified(keys, "{\"batch\":[],\"signature\":\"AAAA\"}"u8.ToArray()).Verdict);
        // What is wrong with one reading is wrong with the claim they make together, wherever it stands.
        Assert.Equal(Verdict.KeyNotValid, Verified(keys, Batch(0, Noon, Noon.AddHours(-1).AddMicroseconds(-1), Noon)).Verdict);
        Assert.Equal(Verdict.KeyNotValid, Verified(keys, Batch(0, Noon.AddHours(1), Noon)).Verdict);
        Assert.Equal(Verdict.KeyRevoked, Verified(keys, Batch(0, Noon.AddMinutes(30), Noon)).Verdict);
        Assert.Equal(Verdict.Future, Verified(keys, Batch(0, Noon, Noon + Skew + TimeSpan.FromMicroseconds(1), Noon)).Verdict);

        static byte[] Batch(int pair, params DateTime[] times) => SignBatch(pair, "f1", times.Select((time, i) => ($"e{i}", time)));
    }

    [Fact]
    public void A_batch_that_is_rejected_for_one_reading_says_which()
    {
        var key = Key("f1", 0) with { NotBefore = Noon.AddHours(-1), RevokedAt = Noon.AddMinutes(30) };
        var keys = new KeySnapshot([key]);

        Assert.Equal(
            $"reading 1: measured outside the validity of signing key {key.KeyId}",
            Detail(Noon, Noon.AddHours(-2), Noon.AddHours(-3))
        );
        Assert.Equal($"reading 2: measured after signing key {key.KeyId} was revoked", Detail(Noon, Noon, Noon.AddMinutes(31)));
        Assert.Equal("reading 0: measured 61 s after it was received", Detail(Noon.AddSeconds(61), Noon, Noon.AddSeconds(90)));
        // All of them alike: then it is the batch.
        Assert.Equal($"measured outside the validity of signing key {key.KeyId}", Detail(Noon.AddHours(-2), Noon.AddHours(-3)));

        string? Detail(params DateTime[] times)
        {
            var verified = Lines(Noon, SignBatch(0, "f1", times.Select((time, i) => ($"e{i}", time))));
            verifier.Verify(verified, keys);
            return verified[0].Detail;
        }
    }

    [Fact]
    public void A_share_must_be_of_its_batch()
    {
        var keys = new KeySnapshot([Key("f1", 0)]);
        var line = SignBatch(0, "f1", [("e1", Noon), ("e2", Noon), ("e3", Noon)]);
        CheckedLine[] lines =
        [
            new()
            {
                Raw = line,
                ReceivedAt = Noon,
                Share = [0, 2],
            },
            new()
            {
                Raw = line,
                ReceivedAt = Noon,
                Share = [3],
            },
            new()
            {
                Raw = Sign(0, "f1", Noon),
                ReceivedAt = Noon,
                Share = [0],
            },
        ];

        verifier.Verify(lines, keys);

        Assert.Equal(
            [(Verdict.Accepted, 2), (Verdict.Malformed, 1), (Verdict.Malformed, 1)],
            lines.Select(verified => (verified.Verdict, verified.Count))
        );
    }

    private (Verdict Verdict, SigningKey? Key) Verified(KeySnapshot keys, byte[] line)
    {
        var lines = Lines(Noon, line);
        verifier.Verify(lines, keys);
        return (lines[0].Verdict, lines[0].Key);
    }
}
