using System.Buffers;
using System.Buffers.Text;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Verifier.Keys;

namespace FactoryStream.Verifier.Verification;

/// <summary>
/// The verdict core: lines and keys in, verdicts out; it knows no Kafka, database, clock or logger. The order of reasons is: malformed;
/// unknown key or bad signature; key not valid or revoked; future; too old. One instance a thread: it reuses its buffers.
/// </summary>
internal sealed class LineVerifier
{
    private readonly SignatureVerifier signatures;
    private readonly TimeSpan maxClockSkew;
    private readonly ReadingParser parser = new();
    private readonly VerdictRules rules;
    private SignatureCheck[] checks = [];
    private bool[] results = [];
    private KeyCandidate[] candidates = [];
    private byte[] signatureBytes = [];

    /// <summary>A verifier for one thread.</summary>
    /// <param name="signatures">Checks signatures, several at once.</param>
    /// <param name="maxClockSkew">How far clocks may differ.</param>
    /// <param name="minMeasuredAt">The earliest moment that a reading may be of.</param>
    /// <param name="lateArrival">How long after its key's end a reading may arrive that was measured before; null: for ever.</param>
    public LineVerifier(SignatureVerifier signatures, TimeSpan maxClockSkew, DateTime minMeasuredAt = default, TimeSpan? lateArrival = null)
    {
        (this.signatures, this.maxClockSkew) = (signatures, maxClockSkew);
        rules = new VerdictRules(parser, maxClockSkew, minMeasuredAt, lateArrival);
    }

    /// <summary>Gives each line that has none yet its verdict by <paramref name="keys"/>.</summary>
    public void Verify(Span<CheckedLine> lines, KeySnapshot keys)
    {
        if (checks.Length < lines.Length)
        {
            checks = new SignatureCheck[lines.Length];
            results = new bool[lines.Length];
            candidates = new KeyCandidate[lines.Length];
        }
        var count = Prepare(lines, keys);
        while (count > 0)
        {
            signatures.Verify(checks.AsSpan(0, count), results);
            count = Apply(lines, count);
        }
        // The lines' buffers go back to their pool; nothing here may keep them.
        checks.AsSpan(0, lines.Length).Clear();
        candidates.AsSpan(0, lines.Length).Clear();
    }

    /// <summary>Parses, finds the first key for each line and decodes its signature. Returns how many checks there are.</summary>
    private int Prepare(Span<CheckedLine> lines, KeySnapshot keys)
    {
        var count = 0;
        var decoded = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            ref var line = ref lines[i];
            if (line.HasVerdict || !TryParse(ref line, keys, out var factory) || !TryFindKey(ref line, factory, i, out var candidate))
                continue;

            // The parser has seen that it is base64.
            var signature = line.Reading.Signature;
            var maxLength = Base64.GetMaxDecodedFromUtf8Length(signature.Length);
            if (signatureBytes.Length - decoded < maxLength)
            {
                // Slices of the smaller array are in use; they keep it alive as long as they need it.
                signatureBytes = new byte[Math.Max(signatureBytes.Length * 2, Math.Max(maxLength, lines.Length * 256))];
                decoded = 0;
            }
            if (Base64.DecodeFromUtf8(signature.Span, signatureBytes.AsSpan(decoded), out _, out var length) != OperationStatus.Done)
            {
                line.Reject(Verdict.Malformed, "the signature is not base64");
                continue;
            }
            checks[count] = new SignatureCheck(candidate.Key.PublicKey, line.Reading.Data, signatureBytes.AsMemory(decoded, length));
            candidates[count++] = candidate;
            decoded += length;
        }
        return count;
    }

    /// <summary>Takes the line apart; false when it is rejected as malformed.</summary>
    private bool TryParse(ref CheckedLine line, KeySnapshot keys, out FactoryKeys? factory)
    {
        var isWellFormed = parser.TryParse(line.Raw, out line.Reading, out var wrong) == Verdict.Accepted;
        factory = keys.Of(line.Reading.FactoryId);
        line.IsOfUnknownFactory = factory is null;
        if (!isWellFormed)
        {
            line.Reject(Verdict.Malformed, wrong);
            return false;
        }
        if (line.Share is not null && line.Share[^1] >= line.Reading.BatchCount)
        {
            // Ingest never writes such a share.
            line.Reading = new SignedReading(default, default, line.Reading.FactoryId, "", null, default);
            line.Reject(Verdict.Malformed, "the message's share is not of this batch");
            return false;
        }
        return true;
    }

    /// <summary>Finds the first key that the line is to be checked by; false when it is rejected for want of one.</summary>
    private bool TryFindKey(ref CheckedLine line, FactoryKeys? factory, int index, out KeyCandidate candidate)
    {
        ref readonly var reading = ref line.Reading;
        var latestEnrolment = Later(line.ReceivedAt, maxClockSkew);
        candidate = new KeyCandidate { Line = index, LatestEnrolment = latestEnrolment };
        if (factory is null)
        {
            line.Reject(Verdict.UnknownKey, $"no signing key of {reading.FactoryId} is enrolled");
            return false;
        }
        if (reading.KeyId is { } keyId)
        {
            if (factory.Find(keyId) is not { } named || named.EnrolledAt > latestEnrolment)
            {
                line.Reject(Verdict.UnknownKey, $"no signing key {keyId} of {reading.FactoryId} is enrolled");
                return false;
            }
            candidate.Key = named;
            return true;
        }
        candidate.Factory = factory;
        candidate.First = factory.Likeliest;
        if (candidate.Next() is not { } key)
        {
            line.Reject(Verdict.UnknownKey, $"no signing key of {reading.FactoryId} was enrolled when this was received");
            return false;
        }
        candidate.Key = key;
        return true;
    }

    /// <summary>
    /// Turns results of checks into verdicts; where another key of the factory is left to try, moves the check to the front for the next
    /// round. Returns how many those are.
    /// </summary>
    private int Apply(Span<CheckedLine> lines, int count)
    {
        var again = 0;
        for (var i = 0; i < count; i++)
        {
            ref var candidate = ref candidates[i];
            ref var line = ref lines[candidate.Line];
            if (results[i])
            {
                candidate.Factory?.Verified(candidate.Key);
                rules.Apply(ref line, candidate.Key);
            }
            else if (candidate.Factory is not null && candidate.Next() is { } key)
            {
                candidate.Key = key;
                checks[again] = new SignatureCheck(key.PublicKey, checks[i].Data, checks[i].Signature);
                candidates[again++] = candidate;
            }
            else
            {
                line.Reject(
                    Verdict.BadSignature,
                    candidate.Factory is null
                        ? $"the signature is not of signing key {candidate.Key.KeyId}"
                        : $"the signature is not of any of {line.Reading.FactoryId}'s signing keys"
                );
            }
        }
        return again;
    }

    private static DateTime Later(DateTime time, TimeSpan by) => DateTime.MaxValue - time < by ? DateTime.MaxValue : time + by;
}
