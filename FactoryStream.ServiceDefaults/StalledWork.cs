namespace FactoryStream.ServiceDefaults;

/// <summary>
/// For how long work has waited without any of it being done, derived from two numbers that can be read from outside: how much waits, and
/// how far its worker has come.
/// </summary>
/// <param name="time">The clock by which standing still is measured.</param>
public sealed class StalledWork(TimeProvider time)
{
    private readonly Lock gate = new();
    private long waiting;
    private long taken;
    private long? since;

    /// <summary>How much waited when it was last looked at.</summary>
    public long Waiting
    {
        get
        {
            lock (gate)
                return waiting;
        }
    }

    /// <summary>How long nothing was taken though something waited; zero while it moves or nothing waits.</summary>
    public TimeSpan StandsStillFor
    {
        get
        {
            lock (gate)
                return since is { } moment ? time.GetElapsedTime(moment) : TimeSpan.Zero;
        }
    }

    /// <summary>Takes in what was found at one look.</summary>
    /// <param name="nowWaiting">How much waits, 0 or more, in any unit.</param>
    /// <param name="nowTaken">How far the worker has come; any change of it is progress.</param>
    public void Observe(long nowWaiting, long nowTaken)
    {
        lock (gate)
        {
            if (nowWaiting == 0)
                since = null;
            else if (since is null || nowTaken != taken)
                since = time.GetTimestamp();
            (waiting, taken) = (nowWaiting, nowTaken);
        }
    }
}
