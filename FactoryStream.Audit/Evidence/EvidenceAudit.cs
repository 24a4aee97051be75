using System.Buffers.Text;
using FactoryStream.Contracts;
using FactoryStream.Signatures;

namespace FactoryStream.Audit.Evidence;

/// <summary>
/// Checks exported readings again, with nothing but the public keys: whoever holds the keys need not trust who holds the database.
/// </summary>
internal sealed class EvidenceAudit
{
    private const int ReadingsAtOnce = 512;

    private readonly Dictionary<string, List<PublicKey>> byFactory;
    private readonly List<PublicKey> ofAny;

    public EvidenceAudit(IReadOnlyList<PublicKey> keys)
    {
        byFactory = keys.Where(key => key.FactoryId is not null)
            .GroupBy(key => key.FactoryId!)
            .ToDictionary(group => group.Key, group => group.ToList());
        ofAny = [.. keys.Where(key => key.FactoryId is null)];
    }

    /// <summary>
    /// Verifies each reading of a file; the verdicts are the Verifier's own. A reading that was signed in a batch has its batch's, if that
    /// holds its very bytes.
    /// </summary>
    /// <param name="path">Envelopes, a line each: <c>{"data": …, "signature": …, "key_id": …}</c> and
    /// <c>{"batch": […], "signature": …, "key_id": …}</c>, and behind the batches <c>{"data": …, "batch_sha256": …}</c>.
    /// Or an archive (<see cref="EvidenceArchive"/>).</param>
    /// <param name="wrong">Told of each that is not accepted: its line or row, the verdict, and what is wrong where that says more.</param>
    /// <param name="cancellationToken">Ends it between two chunks.</param>
    public async Task<AuditResult> CheckAsync(string path, Action<int, Verdict, string?>? wrong, CancellationToken cancellationToken)
    {
        using var verifier = new SignatureVerifier();
        var parser = new ReadingParser();
        var counts = new long[Enum.GetValues<Verdict>().Length];
        var batches = new CheckedBatches();
        await foreach (
            var chunk in EvidenceFile.ReadAsync(path, cancellationToken).Chunk(ReadingsAtOnce).WithCancellation(cancellationToken)
        )
        {
            var candidates = new List<PublicKey>?[chunk.Length];
            var verdicts = new Verdict[chunk.Length];
            var details = new string?[chunk.Length];
            var readings = new SignedReading[chunk.Length];
            var batched = new BatchedReading?[chunk.Length];
            var checks = new List<SignatureCheck>();
            var of = new List<(int Line, PublicKey Key)>();
            for (var i = 0; i < chunk.Length; i++)
            {
                if (BatchedReading.TryParse(chunk[i].Line, out var part))
                {
                    batched[i] = part;
                    continue;
                }
                verdicts[i] = parser.TryParse(chunk[i].Line, out readings[i], out details[i]);
                if (verdicts[i] == Verdict.Accepted && chunk[i].Columns?.Contradiction(readings[i]) is { } contradiction)
                    (verdicts[i], details[i]) = (Verdict.Malformed, contradiction);
                if (verdicts[i] != Verdict.Accepted)
                    continue;
                candidates[i] = KeysFor(readings[i]);
                verdicts[i] = candidates[i]!.Count == 0 ? Verdict.UnknownKey : Verdict.BadSignature;
                var signature = new byte[Base64.GetMaxDecodedFromUtf8Length(readings[i].Signature.Length)];
                Base64.DecodeFromUtf8(readings[i].Signature.Span, signature, out _, out var length);
                foreach (var key in candidates[i]!)
                {
                    checks.Add(new SignatureCheck(key.Key, readings[i].Data, signature.AsMemory(0, length)));
                    of.Add((i, key));
                }
            }

            var results = new bool[checks.Count];
            verifier.Verify([.. checks], results);
            for (var check = 0; check < results.Length; check++)
            {
                // Several keys may verify (one pair enrolled twice); one that is valid is enough.
                var (line, key) = of[check];
                if (results[check] && verdicts[line] != Verdict.Accepted)
                    verdicts[line] = VerdictOf(key, readings[line]);
            }
            for (var i = 0; i < chunk.Length; i++)
            {
                if (readings[i].IsBatch)
                {
                    parser.TryParse(chunk[i].Line, out _, out _);
                    batches.Add(readings[i].Data.Span, parser.BatchReadings, verdicts[i]);
                }
                else if (batched[i] is { } part)
                {
                    verdicts[i] = batches.VerdictOf(part, out details[i]);
                }
                counts[(int)verdicts[i]]++;
                if (verdicts[i] != Verdict.Accepted)
                    wrong?.Invoke(chunk[i].Number, verdicts[i], details[i]);
            }
        }
        return new AuditResult(counts);
    }

    private List<PublicKey> KeysFor(in SignedReading reading)
    {
        var keyId = reading.KeyId;
        var named = byFactory.TryGetValue(reading.FactoryId, out var own)
            ? own.Where(key => keyId is null || key.KeyId is null || key.KeyId == keyId)
            : [];
        return [.. named, .. ofAny];
    }

    private static Verdict VerdictOf(PublicKey key, in SignedReading reading)
    {
        // A batch is worth what the worst of its readings is.
        var (oldest, newest) = (reading.IsBatch ? reading.OldestAt : reading.MeasuredAt, reading.MeasuredAt);
        if (oldest < key.NotBefore || newest >= key.NotAfter)
            return Verdict.KeyNotValid;
        return newest >= key.RevokedAt ? Verdict.KeyRevoked : Verdict.Accepted;
    }
}

/// <summary>How many lines got which verdict.</summary>
internal sealed class AuditResult(long[] counts)
{
    public long this[Verdict verdict] => counts[(int)verdict];

    public long Total => counts.Sum();

    /// <summary>There was something to check, and all of it is true.</summary>
    public bool IsClean => Total > 0 && this[Verdict.Accepted] == Total;
}
