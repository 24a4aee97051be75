namespace FactoryStream.Aggregator.Windowing;

/// <summary>The lengths of time that windowing is about, in ticks of 100 ns.</summary>
internal readonly record struct WindowingRules(long Length, long Lateness, long IdleTimeout)
{
    /// <summary>The start of the window that a time is in; windows are aligned to the Unix epoch.</summary>
    public long StartOf(long ticks)
    {
        var sinceEpoch = ticks - DateTime.UnixEpoch.Ticks;
        return ticks - sinceEpoch % Length;
    }
}
