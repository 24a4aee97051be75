namespace FactoryStream.Simulator.Sending;

/// <summary>Running totals of what was sent; safe for several senders.</summary>
internal sealed class PostCounts
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, long> refused = new(StringComparer.Ordinal);
    private long sent,
        acknowledged,
        repetitions;
    private string? failure,
        complaint;

    /// <summary>Readings given to the network at least once.</summary>
    public long Sent => Interlocked.Read(ref sent);

    /// <summary>Readings that Ingest said are safe.</summary>
    public long Acknowledged => Interlocked.Read(ref acknowledged);

    /// <summary>POSTs beyond each one's first.</summary>
    public long Repetitions => Interlocked.Read(ref repetitions);

    /// <summary>Why the first of those without an answer has none.</summary>
    public string? Failure => Volatile.Read(ref failure);

    /// <summary>Why a POST had to be repeated last; null: none had to.</summary>
    public string? Complaint => Volatile.Read(ref complaint);

    public long Refused
    {
        get
        {
            lock (gate)
                return refused.Values.Sum();
        }
    }

    public IReadOnlyDictionary<string, long> RefusedByReason
    {
        get
        {
            lock (gate)
                return new SortedDictionary<string, long>(refused, StringComparer.Ordinal);
        }
    }

    public bool IsComplete => Failure is null && Acknowledged == Sent;

    public void Begin(int readings) => Interlocked.Add(ref sent, readings);

    public void Repeat(string why)
    {
        Interlocked.Increment(ref repetitions);
        Volatile.Write(ref complaint, why);
    }

    public void End(in DeliveryResult result)
    {
        Interlocked.Add(ref acknowledged, result.Accepted);
        if (result.Failure is not null)
            Interlocked.CompareExchange(ref failure, result.Failure, null);
        if (result.Refused is null)
            return;
        lock (gate)
        {
            foreach (var (reason, count) in result.Refused)
                refused[reason] = refused.GetValueOrDefault(reason) + count;
        }
    }

    internal static IReadOnlyDictionary<string, int>? Sum(IReadOnlyDictionary<string, int>? first, IReadOnlyDictionary<string, int>? second)
    {
        if (first is null || second is null)
            return first ?? second;
        var sum = new Dictionary<string, int>(first);
        foreach (var (reason, count) in second)
            sum[reason] = sum.GetValueOrDefault(reason) + count;
        return sum;
    }
}
