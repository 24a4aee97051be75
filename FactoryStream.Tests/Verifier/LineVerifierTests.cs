using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Verification;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static FactoryStream.Tests.Verifier.Factories;

namespace FactoryStream.Tests.Verifier;

public sealed class LineVerifierTests : IDisposable
{
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    private readonly SignatureVerifier signatures = new();
    private readonly LineVerifier verifier;

    public LineVerifierTests() => verifier = new LineVerifier(signatures, Skew);

    public void Dispose() => signatures.Dispose();

    [Fact]
    public void Every_bad_line_has_its_reason_and_harms_no_neighbour()
    {
        var folder = TestData.File("signed-readings");
        var bad = File.ReadAllLines(Path.Combine(folder, "rejected.tsv")).Select(line => line.Split('\t', 2)).ToArray();
        var valid = File.ReadAllLines(Path.Combine(folder, "valid-max-salt.ndjson"))
            .Concat(File.ReadAllLines(Path.Combine(folder, "valid-digest-salt.ndjson")))
            .ToArray();
        Assert.True(RsaPublicKey.TryParsePem(File.ReadAllText(Path.Combine(folder, "public-key.pem")), out var publicKey, out _));
        var keys = new KeySnapshot(
            Enumerable
                .Range(1, 10)
                .Select(number => $"factory_{number:D3}")
                .Select(factory => new SigningKey(SigningKey.IdOf(factory, publicKey), factory, publicKey, Noon.AddDays(-1)))
        );
        var lines = valid
            .SelectMany(
                (line, i) =>
                    i < bad.Length
                        ? [(line, "accepted"), (bad[i][1], bad[i][0].Split(':')[0].Replace(' ', '_'))]
                        : new[] { (line, "accepted") }
            )
            .ToArray();

        var verified = Lines(Noon, [.. lines.Select(line => Encoding.UTF8.GetBytes(line.Item1))]);
        verifier.Verify(verified, keys);

        Assert.Equal(lines.Select(line => line.Item2), verified.Select(line => line.Verdict.ToName()));
        Assert.All(verified, line => Assert.Equal(line.Verdict == Verdict.Accepted, line.Detail is null));
        Assert.All(verified, line => Assert.True(line.HasVerdict));
    }

    [Fact]
    public void A_named_key_must_be_of_the_factory_and_be_the_one_that_signed()
    {
        SigningKey first = Key("f1", 0),
            second = Key("f1", 1),
            other = Key("f2", 0);
        var keys = new KeySnapshot([first, second, other]);

        Assert.Equal((Verdict.Accepted, first), Verified(keys, Sign(0, "f1", Noon, first.KeyId)));
        Assert.Equal((Verdict.BadSignature, null), Verified(keys, Sign(0, "f1", Noon, second.KeyId)));
        Assert.Equal((Verdict.UnknownKey, null), Verified(keys, Sign(0, "f1", Noon, other.KeyId)));
        Assert.Equal((Verdict.UnknownKey, null), Verified(keys, Sign(0, "f1", Noon, "none")));
    }

    [Fact]
    public void Without_a_named_key_any_of_the_factory_will_do()
    {
        SigningKey old = Key("f1", 0, Noon.AddDays(-9)),
            rotated = Key("f1", 1),
            large = Key("f1", 2, Noon.AddDays(-3));
        var keys = new KeySnapshot([old, rotated, large, Key("f2", 0)]);
        var lines = Lines(
            Noon,
            Sign(0, "f1", Noon),
            Sign(1, "f1", Noon),
            Sign(2, "f1", Noon, salt: SaltLength.Maximum),
            Sign(1, "f2", Noon),
            Sign(0, "f3", Noon),
            Sign(0, "f2", Noon)
        );

        verifier.Verify(lines, keys);

        Assert.Equal(
            [Verdict.Accepted, Verdict.Accepted, Verdict.Accepted, Verdict.BadSignature, Verdict.UnknownKey, Verdict.Accepted],
            lines.Select(line => line.Verdict)
        );
        Assert.Equal([old.KeyId, rotated.KeyId, large.KeyId], lines[..3].Select(line => line.Key!.KeyId));
    }

    [Fact]
    public void A_guess_at_the_likeliest_key_never_changes_a_verdict()
    {
        var keys = new KeySnapshot([Key("f1", 0, Noon.AddDays(-9)), Key("f1", 1), Key("f1", 2, Noon.AddDays(-3))]);
        foreach (var pair in (int[])[0, 0, 2, 1, 0, 1, 2, 2, 0])
        {
            var lines = Lines(Noon, Sign(pair, "f1", Noon), Sign(2 - pair, "f1", Noon));
            verifier.Verify(lines, keys);
            Assert.Equal(
                [PublicKey(pair).SubjectPublicKeyInfo.ToArray(), PublicKey(2 - pair).SubjectPublicKeyInfo.ToArray()],
                lines.Select(line => line.Key!.PublicKey.SubjectPublicKeyInfo.ToArray())
            );
        }
    }

    [Fact]
    public void A_revoked_key_vouches_for_what_was_measured_before()
    {
        var keys = new KeySnapshot([Key("f1", 0, revokedAt: Noon)]);

        Assert.Equal(Verdict.Accepted, Verified(keys, Sign(0, "f1", Noon.AddMicroseconds(-1))).Verdict);
        Assert.Equal(Verdict.KeyRevoked, Verified(keys, Sign(0, "f1", Noon)).Verdict);
    }

    [Fact]
    public void What_arrives_too_long_after_its_keys_end_is_rejected_whenever_it_claims_to_have_been_measured()
    {
        var week = new LineVerifier(signatures, Skew, lateArrival: TimeSpan.FromDays(7));
        var keys = new KeySnapshot([Key("f1", 0, revokedAt: Noon), Key("f2", 1, notAfter: Noon)]);
        var before = Noon.AddHours(-1);
        byte[][] sent = [Sign(0, "f1", before), Sign(1, "f2", before), SignBatch(0, "f1", [("e1", before), ("e2", before.AddHours(-1))])];

        var inTime = Lines(Noon.AddDays(7), sent);
        week.Verify(inTime, keys);
        var tooLate = Lines(Noon.AddDays(7).AddMicroseconds(1), sent);
        week.Verify(tooLate, keys);

        Assert.All(inTime, line => Assert.Equal(Verdict.Accepted, line.Verdict));
        Assert.Equal([Verdict.KeyRevoked, Verdict.KeyNotValid, Verdict.KeyRevoked], tooLate.Select(line => line.Verdict));
        Assert.Equal($"received more than 7.00:00:00 after signing key {keys.Of("f1")!.Keys[0].KeyId} was revoked", tooLate[0].Detail);
        Assert.Equal(TimeSpan.FromDays(7), new FactoryStream.Verifier.VerifierOptions().LateArrivalAfterRevocation);
    }

    [Fact]
    public void Validity_includes_its_start_and_excludes_its_end()
    {
        var keys = new KeySnapshot([Key("f1", 0, notBefore: Noon, notAfter: Noon.AddSeconds(30))]);

        Assert.Equal(Verdict.KeyNotValid, Verified(keys, Sign(0, "f1", Noon.AddMicroseconds(-1))).Verdict);
        Assert.Equal(Verdict.Accepted, Verified(keys, Sign(0, "f1", Noon)).Verdict);
        Assert.Equal(Verdict.Accepted, Verified(keys, Sign(0, "f1", Noon.AddSeconds(29))).Verdict);
        Assert.Equal(Verdict.KeyNotValid, Verified(keys, Sign(0, "f1", Noon.AddSeconds(30))).Verdict);
    }

    [Fact]
    public void A_clock_may_run_ahead_by_the_skew_and_no_further()
    {
        var keys = new KeySnapshot([Key("f1", 0)]);

        Assert.Equal(Verdict.Accepted, Verified(keys, Sign(0, "f1", Noon + Skew)).Verdict);
        Assert.Equal(Verdict.Future, Verified(keys, Sign(0, "f1", Noon + Skew + TimeSpan.FromMicroseconds(1))).Verdict);
        Assert.Equal(Verdict.Future, Verified(keys, Sign(0, "f1", new DateTime(9999, 12, 31, 0, 0, 0, DateTimeKind.Utc))).Verdict);
    }

    [Fact]
    public void What_was_measured_before_the_earliest_moment_allowed_is_too_old()
    {
        var keys = new KeySnapshot([Key("f1", 0)]);
        var earliest = new FactoryStream.Verifier.VerifierOptions { MinMeasuredAt = new DateTime(2026, 2, 28) }.MinMeasuredAt;
        var since = new LineVerifier(signatures, Skew, earliest);
        var before = earliest.AddMicroseconds(-1);
        var batch = SignBatch(0, "f1", [("e1", Noon), ("e2", before)]);
        var lines = Lines(Noon, Sign(0, "f1", earliest), Sign(0, "f1", before), batch, Sign(1, "f1", before));

        since.Verify(lines, keys);

        Assert.Equal([Verdict.Accepted, Verdict.TooOld, Verdict.TooOld, Verdict.BadSignature], lines.Select(line => line.Verdict));
        Assert.Equal("measured before 2026-02-28T00:00:00.0000000Z", lines[1].Detail);
    }

    [Fact]
    public void A_bad_signature_is_told_before_a_bad_time()
    {
        var keys = new KeySnapshot([Key("f1", 0, revokedAt: Noon.AddDays(-1))]);

        Assert.Equal(Verdict.BadSignature, Verified(keys, Sign(1, "f1", Noon.AddDays(1))).Verdict);
        Assert.Equal(Verdict.KeyRevoked, Verified(keys, Sign(0, "f1", Noon.AddDays(1))).Verdict);
    }

    [Fact]
    public void A_key_does_not_vouch_for_what_was_received_before_it_was_enrolled()
    {
        var late = Key("f1", 0, enrolledAt: Noon + Skew + TimeSpan.FromSeconds(1));
        var keys = new KeySnapshot([late]);

        // Verified again a year later it is the same: a second delivery must not end otherwise than the first.
        Assert.Equal(Verdict.UnknownKey, Verified(keys, Sign(0, "f1", Noon)).Verdict);
        Assert.Equal(Verdict.UnknownKey, Verified(keys, Sign(0, "f1", Noon, late.KeyId)).Verdict);
        Assert.Equal(Verdict.Accepted, Verified(new KeySnapshot([late with { EnrolledAt = Noon + Skew }]), Sign(0, "f1", Noon)).Verdict);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0")]
    [InlineData("{\"data\":{},\"signature\":\"\"}")]
    [InlineData("{\"data\":{\"factory_id\":\"f1\",\"engine_id\":\"e\",\"timestamp\":\"2026-03-01 12:00:00\"},\"signature\":\"%%%\"}")]
    [InlineData("{\"data\":{\"factory_id\":\"f1\",\"engine_id\":\"e\",\"timestamp\":\"2026-03-01 12:00:00\"},\"signature\":\"AAAA\"")]
    [InlineData("[[[[[[[[[[[[[[[[")]
    public void Garbage_is_malformed(string line) =>
        Assert.Equal(Verdict.Malformed, Verified(new KeySnapshot([Key("f1", 0)]), Encoding.UTF8.GetBytes(line)).Verdict);

    [Theory]
    [InlineData("AAAA")]
    [InlineData("AA==")]
    [InlineData("QUFB QUFB")]
    public void A_signature_of_another_length_is_bad(string signature)
    {
        var line =
            $"{{\"data\":{{\"factory_id\":\"f1\",\"engine_id\":\"e\",\"timestamp\":\"2026-03-01 12:00:00\"}},"
            + $"\"signature\":\"{signature}\"}}";
        Assert.Equal(Verdict.BadSignature, Verified(new KeySnapshot([Key("f1", 0)]), Encoding.UTF8.GetBytes(line)).Verdict);
    }

    [Property(MaxTest = 50)]
    public Property Each_line_of_any_mix_has_the_verdict_that_it_has_alone()
    {
        var keys = new KeySnapshot([Key("f1", 0), Key("f1", 1, Noon.AddDays(-2)), Key("f2", 2, revokedAt: Noon)]);
        (byte[] Line, Verdict Verdict)[] kinds =
        [
            (Sign(0, "f1", Noon), Verdict.Accepted),
            (Sign(1, "f1", Noon, salt: SaltLength.Maximum), Verdict.Accepted),
            (Sign(2, "f2", Noon.AddHours(-1)), Verdict.Accepted),
            (Sign(2, "f2", Noon.AddHours(1)), Verdict.KeyRevoked),
            (Sign(0, "f2", Noon), Verdict.BadSignature),
            (Sign(0, "f3", Noon), Verdict.UnknownKey),
            (Sign(0, "f1", Noon.AddHours(1)), Verdict.Future),
            (SignBatch(0, "f1", [("e1", Noon), ("e2", Noon)]), Verdict.Accepted),
            (SignBatch(1, "f2", [("e1", Noon), ("e2", Noon)]), Verdict.BadSignature),
            ("garbage"u8.ToArray(), Verdict.Malformed),
        ];
        return Prop.ForAll(
            Gen.Choose(0, kinds.Length - 1).ListOf().ToArbitrary(),
            mix =>
            {
                var lines = Lines(Noon, [.. mix.Select(kind => kinds[kind].Line)]);
                verifier.Verify(lines, keys);
                return lines.All(line => line.HasVerdict)
                    && lines.Select(line => line.Verdict).SequenceEqual(mix.Select(kind => kinds[kind].Verdict));
            }
        );
    }

    private (Verdict Verdict, SigningKey? Key) Verified(KeySnapshot keys, byte[] line)
    {
        var lines = Lines(Noon, line);
        verifier.Verify(lines, keys);
        return (lines[0].Verdict, lines[0].Key);
    }
}
