using System.Globalization;
using FactoryStream.Contracts;
using FactoryStream.Verifier.Keys;

namespace FactoryStream.Verifier.Verification;

/// <summary>The rules for a line whose signature is right: is its key valid for it, and is its time possible?</summary>
/// <param name="parser">The verifier's, for the readings of a signed batch.</param>
/// <param name="maxClockSkew">How far clocks may differ.</param>
/// <param name="minMeasuredAt">The earliest moment that a reading may be of.</param>
/// <param name="lateArrival">How long after its key's end a reading may arrive that was measured before; null: for ever.</param>
internal sealed class VerdictRules(ReadingParser parser, TimeSpan maxClockSkew, DateTime minMeasuredAt, TimeSpan? lateArrival)
{
    private readonly TimeSpan lateArrival = lateArrival ?? TimeSpan.MaxValue;

    /// <summary>Gives a line its verdict that <paramref name="key"/> has signed.</summary>
    public void Apply(ref CheckedLine line, SigningKey key)
    {
        line.Key = key;
        var reading = line.Reading;
        // A signed batch is one claim: its verdict is that of its worst reading.
        var (verdict, words) = Check(key, reading.IsBatch ? reading.OldestAt : reading.MeasuredAt, reading.MeasuredAt, line.ReceivedAt);
        if (verdict == Verdict.Accepted)
            line.Accept();
        else
            line.Reject(verdict, reading.IsBatch ? WorstOf(line, key, verdict) ?? words : words);
    }

    /// <summary>The verdict on readings of a time that a key has signed, and why it is no better.</summary>
    private (Verdict Verdict, string? Words) Check(SigningKey key, DateTime oldestAt, DateTime newestAt, DateTime receivedAt)
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
            return (
                Verdict.Future,
                string.Create(CultureInfo.InvariantCulture, $"measured {ahead.TotalSeconds:F0} s after it was received")
            );
        return oldestAt < minMeasuredAt
            ? (Verdict.TooOld, string.Create(CultureInfo.InvariantCulture, $"measured before {minMeasuredAt:O}"))
            : (Verdict.Accepted, null);
    }

    /// <summary>Which reading of a signed batch it is rejected for, and why; null when it is rejected for all of them.</summary>
    private string? WorstOf(in CheckedLine line, SigningKey key, Verdict verdict)
    {
        // Parsed once more: it is seldom, and what the parser knows of a batch is gone with the next line.
        parser.TryParse(line.Raw, out _, out _);
        string? words = null;
        var count = 0;
        for (var i = parser.BatchReadings.Length - 1; i >= 0; i--)
        {
            var measuredAt = parser.BatchReadings[i].MeasuredAt;
            var own = Check(key, measuredAt, measuredAt, line.ReceivedAt);
            if (own.Verdict != verdict)
                continue;
            count++;
            words = $"reading {i}: {own.Words}";
        }
        return count == parser.BatchReadings.Length && count > 1 ? null : words;
    }
}
