using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Verifier.Keys;

namespace FactoryStream.Verifier.Verdicts;

/// <summary>
/// The verdict core: lines and keys in, verdicts out; it knows no Kafka, database, clock or logger. The order of reasons is: malformed; unknown key
/// or bad signature; key not valid or revoked; future; too old. One instance a thread: it reuses its buffers.
/// </summary>
/// <param name="signatures">Checks them.</param>
/// <param name="maxClockSkew">How far clocks may differ.</param>
/// <param name="minMeasuredAt">The earliest moment that a reading may be of.</param>
/// <param name="lateArrival">How long after its key's end a reading may arrive that was measured before; null: for ever.</param>
internal sealed class Judge(
    SignatureVerifier signatures, TimeSpan maxClockSkew, DateTime minMeasuredAt = default, TimeSpan? lateArrival = null)
{
    private readonly ReadingParser parser = new();
    private readonly TimeSpan lateArrival = lateArrival ?? TimeSpan.MaxValue;
    private SignatureCheck[] checks = [];
    private bool[] results = [];
    private Trial[] trials = [];
    private byte[] signatureBytes = [];

    /// <summary>Gives each line that is not decided yet its verdict by <paramref name="keys"/>.</summary>
    public void Decide(Span<JudgedLine> lines, KeySnapshot keys)
    {
        if (checks.Length < lines.Length)
        {
            checks = new SignatureCheck[lines.Length];
            results = new bool[lines.Length];
            trials = new Trial[lines.Length];
        }
        var count = Prepare(lines, keys);
        while (count > 0)
        {
            signatures.Verify(checks.AsSpan(0, count), results);
            count = Conclude(lines, count);
        }
        // The lines' buffers go back to their pool; nothing here may keep them.
        checks.AsSpan(0, lines.Length).Clear();
        trials.AsSpan(0, lines.Length).Clear();
    }

    /// <summary>Parses, finds the first key to try for each line and decodes its signature. Returns how many checks there are.</summary>
    private int Prepare(Span<JudgedLine> lines, KeySnapshot keys)
    {
        var count = 0;
        var decoded = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            ref var line = ref lines[i];
            if (line.IsDecided)
                continue;
            var isWellFormed = parser.TryParse(line.Raw, out line.Reading, out var wrong) == Verdict.Accepted;
            var factory = keys.Of(line.Reading.FactoryId);
            line.IsOfUnknownFactory = factory is null;
            if (!isWellFormed)
            {
                Reject(ref line, Verdict.Malformed, wrong);
                continue;
            }

            ref readonly var reading = ref line.Reading;
            if (line.Share is not null && line.Share[^1] >= reading.BatchCount)
            {
                // Ingest never writes such a share.
                var factoryId = reading.FactoryId;
                line.Reading = new SignedReading(default, default, factoryId, "", null, default);
                Reject(ref line, Verdict.Malformed, "the message's share is not of this batch");
                continue;
            }
            var latestEnrolment = Later(line.ReceivedAt, maxClockSkew);
            var trial = new Trial { Line = i, LatestEnrolment = latestEnrolment };
            SigningKey? key;
            if (factory is null)
            {
                Reject(ref line, Verdict.UnknownKey, $"no signing key of {reading.FactoryId} is enrolled");
                continue;
            }
            if (reading.KeyId is { } keyId)
            {
                key = factory.Find(keyId);
                if (key is null || key.EnrolledAt > latestEnrolment)
                {
                    Reject(ref line, Verdict.UnknownKey, $"no signing key {keyId} of {reading.FactoryId} is enrolled");
                    continue;
                }
            }
            else
            {
                trial.Factory = factory;
                trial.First = factory.Likeliest;
                key = trial.Next();
                if (key is null)
                {
                    Reject(ref line, Verdict.UnknownKey, $"no signing key of {reading.FactoryId} was enrolled when this was received");
                    continue;
                }
            }

            // The parser has seen that it is base64.
            var room = Base64.GetMaxDecodedFromUtf8Length(reading.Signature.Length);
            if (signatureBytes.Length - decoded < room)
            {
                // Slices of the smaller array are in use; they keep it alive as long as they need it.
                signatureBytes = new byte[Math.Max(signatureBytes.Length * 2, Math.Max(room, lines.Length * 256))];
                decoded = 0;
            }
            if (Base64.DecodeFromUtf8(reading.Signature.Span, signatureBytes.AsSpan(decoded), out _, out var length) != OperationStatus.Done)
            {
                Reject(ref line, Verdict.Malformed, "the signature is not base64");
                continue;
            }
            checks[count] = new SignatureCheck(key.PublicKey, reading.Data, signatureBytes.AsMemory(decoded, length));
            trial.Key = key;
            trials[count++] = trial;
            decoded += length;
        }
        return count;
    }

    /// <summary>Turns answers into verdicts; where another key of the factory is left to try, moves the check to the front for the next round. Returns how many those are.</summary>
    private int Conclude(Span<JudgedLine> lines, int count)
    {
        var again = 0;
        for (var i = 0; i < count; i++)
        {
            ref var trial = ref trials[i];
            ref var line = ref lines[trial.Line];
            if (results[i])
            {
                trial.Factory?.Verified(trial.Key);
                Weigh(ref line, trial.Key);
            }
            else if (trial.Factory is not null && trial.Next() is { } key)
            {
                trial.Key = key;
                checks[again] = new SignatureCheck(key.PublicKey, checks[i].Data, checks[i].Signature);
                trials[again++] = trial;
            }
            else
            {
                Reject(ref line, Verdict.BadSignature, trial.Factory is null
                    ? $"the signature is not of signing key {trial.Key.KeyId}"
                    : $"the signature is not of any of {line.Reading.FactoryId}'s signing keys");
            }
        }
        return again;
    }

    /// <summary>The signature is right: is its key, and the time?</summary>
    private void Weigh(ref JudgedLine line, SigningKey key)
    {
        line.Key = key;
        var reading = line.Reading;
        // A batch is one claim: it is worth what the worst of its readings is.
        var (verdict, words) = Worth(key, reading.IsBatch ? reading.OldestAt : reading.MeasuredAt, reading.MeasuredAt, line.ReceivedAt);
        if (verdict != Verdict.Accepted && reading.IsBatch)
            words = WorstOf(line, key, verdict) ?? words;
        line.Verdict = verdict;
        line.Detail = words;
        line.IsDecided = true;
    }

    /// <summary>What readings of a time are worth that a key has signed, and why they are worth no more.</summary>
    private (Verdict Verdict, string? Words) Worth(SigningKey key, DateTime oldestAt, DateTime newestAt, DateTime receivedAt)
    {
        switch (key.VerdictFor(oldestAt, newestAt))
        {
            case Verdict.KeyNotValid:
                return (Verdict.KeyNotValid, $"measured outside the validity of signing key {key.KeyId}");
            case Verdict.KeyRevoked:
                return (Verdict.KeyRevoked, $"measured after signing key {key.KeyId} was revoked");
        }
        switch (key.VerdictForArrival(receivedAt, lateArrival))
        {
            case Verdict.KeyRevoked:
                return (Verdict.KeyRevoked, $"received more than {lateArrival} after signing key {key.KeyId} was revoked");
            case Verdict.KeyNotValid:
                return (Verdict.KeyNotValid, $"received more than {lateArrival} after signing key {key.KeyId} had expired");
        }
        var ahead = newestAt - receivedAt;
        if (ahead > maxClockSkew)
            return (Verdict.Future, string.Create(CultureInfo.InvariantCulture, $"measured {ahead.TotalSeconds:F0} s after it was received"));
        return oldestAt < minMeasuredAt
            ? (Verdict.TooOld, string.Create(CultureInfo.InvariantCulture, $"measured before {minMeasuredAt:O}"))
            : (Verdict.Accepted, null);
    }

    /// <summary>Which reading of a batch it is rejected for, and why; null when it is rejected for all of them.</summary>
    private string? WorstOf(in JudgedLine line, SigningKey key, Verdict verdict)
    {
        // Parsed once more: it is seldom, and what the parser knows of a batch is gone with the next line.
        parser.TryParse(line.Raw, out _, out _);
        string? words = null;
        var count = 0;
        for (var i = parser.BatchReadings.Length - 1; i >= 0; i--)
        {
            var measuredAt = parser.BatchReadings[i].MeasuredAt;
            var own = Worth(key, measuredAt, measuredAt, line.ReceivedAt);
            if (own.Verdict != verdict)
                continue;
            count++;
            words = $"reading {i}: {own.Words}";
        }
        return count == parser.BatchReadings.Length && count > 1 ? null : words;
    }

    private static void Reject(ref JudgedLine line, Verdict verdict, string? detail)
    {
        line.Verdict = verdict;
        line.Detail = detail;
        line.IsDecided = true;
    }

    private static DateTime Later(DateTime time, TimeSpan by) => DateTime.MaxValue - time < by ? DateTime.MaxValue : time + by;

    /// <summary>One line's way through its factory's keys. <see cref="Factory"/> is null where the sender named the key: then there is but one.</summary>
    private struct Trial
    {
        public int Line;
        public DateTime LatestEnrolment;
        public FactoryKeys? Factory;
        public int First;
        public int Attempt;
        public SigningKey Key;

        public SigningKey? Next()
        {
            while (Factory!.Candidate(First, Attempt) is { } key)
            {
                Attempt++;
                // A key vouches for nothing that was received before it was enrolled; so a second delivery, later, ends as the first one did.
                if (key.EnrolledAt <= LatestEnrolment)
                    return key;
            }
            return null;
        }
    }
}
