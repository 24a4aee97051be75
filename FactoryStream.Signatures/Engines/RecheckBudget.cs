namespace FactoryStream.Signatures.Engines;

/// <summary>
/// How many rejections may be checked again: a few hundred at once, and over time one for every so many checks. A flood of forgeries so costs at most
/// that share, while in normal traffic each rejection is confirmed. It counts checks instead of seconds: no clock is needed.
/// </summary>
internal sealed class RecheckBudget(int burst, int checksPerRecheck)
{
    private long _credit = (long)burst * checksPerRecheck;

    public void Earn(int checks)
    {
        var limit = (long)burst * checksPerRecheck;
        var credit = Interlocked.Add(ref _credit, checks);
        if (credit > limit)
            Interlocked.CompareExchange(ref _credit, limit, credit);
    }

    public bool TrySpend()
    {
        if (Interlocked.Add(ref _credit, -checksPerRecheck) >= 0)
            return true;
        Interlocked.Add(ref _credit, checksPerRecheck);
        return false;
    }
}
