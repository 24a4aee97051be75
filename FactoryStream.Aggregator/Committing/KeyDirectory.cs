using FactoryStream.Contracts;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Committing;

/// <summary>The signing keys of the database, cached.</summary>
internal sealed class KeyDirectory(KeyReader reader)
{
    private readonly HashSet<string> enrolled = [];
    private Dictionary<string, int> numbers = [];

    /// <summary>The number of a key that <see cref="EnsureAsync"/> has let pass.</summary>
    public int NumberOf(string keyId) => numbers[keyId];

    /// <summary>Rejects readings whose signing key is not enrolled: another program than the Verifier wrote them.</summary>
    public async Task EnsureAsync(PendingCommit pending, CancellationToken cancellation)
    {
        foreach (var reading in pending.Readings)
        {
            if (numbers.ContainsKey(reading.KeyId))
                continue;
            numbers = await reader.KeysAsync(cancellation);
            pending.Reject(i =>
                numbers.ContainsKey(pending.ReadingsSpan[i].KeyId)
                    ? null
                    : (Verdict.UnknownKey, $"verified with key {pending.ReadingsSpan[i].KeyId}, which is not enrolled")
            );
            return;
        }
    }

    /// <summary>
    /// What Ingest refused may name anything. Only factories with a key have a ledger of their own; those are remembered, for they are few,
    /// and the rest asked for a commit at a time. A rejection of the Verifier's names its ledger itself, as the verified message does.
    /// </summary>
    public async Task DisownUnknownAsync(PendingCommit pending, CancellationToken cancellation)
    {
        var named = pending
            .Rejections.Where(entry => IsOpen(entry) && StorableText.IsName(entry.FactoryId))
            .Select(entry => entry.FactoryId!)
            .ToHashSet();
        if (named.Count == 0)
            return;
        enrolled.UnionWith(await reader.EnrolledAsync(named, cancellation));
        for (var i = 0; i < pending.Rejections.Count; i++)
        {
            if (IsOpen(pending.Rejections[i]))
                pending.Rejections[i] = pending.Rejections[i] with { IsOfUnknownFactory = true };
        }

        bool IsOpen(in RejectionEntry entry) => entry.Refused && entry.FactoryId is { } factoryId && !enrolled.Contains(factoryId);
    }
}
