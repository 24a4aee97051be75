namespace FactoryStream.Ingest.Backpressure;

/// <summary>
/// Where a partition's logs begin: what was before is gone, by retention or because the broker keeps only so much, and nobody's work.
/// </summary>
internal readonly record struct LogBeginnings(long Signed, long Verified, long Rejected);

/// <summary>
/// How far one partition of <c>readings.signed</c> is stored, told from committed offsets alone. Whenever the Verifier has committed
/// further, the ends of <c>readings.verified</c> and <c>readings.rejected</c> are noted with its offset: its answers to all before that are
/// below those ends. Once the Aggregator has committed up to them, all before that offset is stored. Not thread-safe.
/// </summary>
internal sealed class StoredPosition
{
    // More marks than this are merged: the position then moves in larger steps.
    private const int MaxMarks = 1_024;

    private readonly Queue<(long Signed, long VerifiedEnd, long RejectedEnd)> marks = new();
    private long newest = -1;

    /// <summary>Everything below this offset of <c>readings.signed</c> is stored.</summary>
    public long Offset { get; private set; }

    /// <summary>Takes in one look at Kafka.</summary>
    /// <param name="signedCommitted">The Verifier's committed offset; must have been read before the two ends.</param>
    /// <param name="verifiedEnd">The end of the partition of <c>readings.verified</c>.</param>
    /// <param name="rejectedEnd">The end of the partition of <c>readings.rejected</c>.</param>
    /// <param name="verifiedCommitted">The Aggregator's committed offset there.</param>
    /// <param name="rejectedCommitted">The Aggregator's committed offset there.</param>
    /// <param name="beginnings">A group that never committed, or whose offsets have expired, begins there and not at 0.</param>
    public void Observe(
        long signedCommitted,
        long verifiedEnd,
        long rejectedEnd,
        long verifiedCommitted,
        long rejectedCommitted,
        LogBeginnings beginnings = default
    )
    {
        signedCommitted = Math.Max(signedCommitted, beginnings.Signed);
        verifiedCommitted = Math.Max(verifiedCommitted, beginnings.Verified);
        rejectedCommitted = Math.Max(rejectedCommitted, beginnings.Rejected);
        if (signedCommitted < newest)
        {
            // Another log of the same name.
            marks.Clear();
            Offset = 0;
            newest = -1;
        }
        if (newest < 0)
        {
            // The first look: what was verified and not stored before it is estimated as an answer for each message.
            Offset = signedCommitted - Math.Max(0, verifiedEnd - verifiedCommitted);
        }
        if (signedCommitted > newest && marks.Count < MaxMarks)
        {
            marks.Enqueue((signedCommitted, verifiedEnd, rejectedEnd));
            newest = signedCommitted;
        }
        while (marks.TryPeek(out var mark) && mark.VerifiedEnd <= verifiedCommitted && mark.RejectedEnd <= rejectedCommitted)
        {
            Offset = mark.Signed;
            marks.Dequeue();
        }
        Offset = Math.Max(Offset, beginnings.Signed);
    }
}
