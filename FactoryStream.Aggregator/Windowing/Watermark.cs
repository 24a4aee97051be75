namespace FactoryStream.Aggregator.Windowing;

/// <summary>How far an engine's time has come, in ticks, UTC. It never moves back.</summary>
internal struct Watermark
{
    /// <summary>Windows that end at or before this are closed.</summary>
    public long Ticks { get; private set; }

    /// <summary>Whether a window with this end is closed.</summary>
    public readonly bool HasReached(long windowEnd) => windowEnd <= Ticks;

    /// <summary>Moves it on, unless it is there already.</summary>
    /// <returns>Whether it moved.</returns>
    public bool Raise(long ticks)
    {
        if (ticks <= Ticks)
            return false;
        Ticks = ticks;
        return true;
    }
}
