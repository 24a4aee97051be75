namespace FactoryStream.Ingest.Backpressure;

/// <summary>This process's own messages of one partition that are acknowledged and not yet known to be stored. Not thread-safe.</summary>
internal sealed class AppendedMessages
{
    private readonly Queue<(long Offset, int Bytes, int Readings)> messages = new();
    private long last = -1;

    public int Count => messages.Count;

    public long Bytes { get; private set; }

    public long Readings { get; private set; }

    /// <summary>A message was acknowledged; later ones have higher offsets.</summary>
    /// <returns>What is given up because the log began anew: none of it is waited for any more.</returns>
    public (long Bytes, long Readings) Add(long offset, int bytes, int readings)
    {
        var lost = offset <= last ? Forget(long.MaxValue) : default;
        last = offset;
        messages.Enqueue((offset, bytes, readings));
        Bytes += bytes;
        Readings += readings;
        return lost;
    }

    /// <summary>Everything below an offset is stored.</summary>
    /// <returns>What that was.</returns>
    public (long Bytes, long Readings) Forget(long below)
    {
        long bytes = 0,
            readings = 0;
        while (messages.TryPeek(out var message) && message.Offset < below)
        {
            messages.Dequeue();
            bytes += message.Bytes;
            readings += message.Readings;
        }
        Bytes -= bytes;
        Readings -= readings;
        return (bytes, readings);
    }
}
