namespace FactoryStream.Signatures.Backends;

/// <summary>
/// How often something slow may be done: a few times at once, and over time once for every so many checks, so that it costs at most that
/// share of them. It counts checks instead of seconds: no clock is needed.
/// </summary>
internal sealed class Allowance(int burst, int checksEach)
{
    private long _credit = (long)burst * checksEach;

    public void Earn(int checks)
    {
        var limit = (long)burst * checksEach;
        var credit = Interlocked.Add(ref _credit, checks);
        if (credit > limit)
            Interlocked.CompareExchange(ref _credit, limit, credit);
    }

    public bool TrySpend()
    {
        if (Interlocked.Add(ref _credit, -checksEach) >= 0)
            return true;
        Interlocked.Add(ref _credit, checksEach);
        return false;
    }
}
