namespace FactoryStream.Dashboard;

/// <summary>
/// The newest value of something, for many who wait for the next one. Who is slow misses values, never the newest: each waiter asks for what is
/// newer than it has seen, when it is done with that.
/// </summary>
internal sealed class Latest<T>(T initial)
{
    private readonly Lock gate = new();
    private TaskCompletionSource changed = New();
    private (long Version, T Value) current = (0, initial);

    /// <summary>The newest value and its number, which goes up by one with each.</summary>
    public (long Version, T Value) Current
    {
        get
        {
            lock (gate)
                return current;
        }
    }

    public void Publish(T value)
    {
        TaskCompletionSource waiting;
        lock (gate)
        {
            current = (current.Version + 1, value);
            waiting = changed;
            changed = New();
        }
        waiting.SetResult();
    }

    /// <summary>The newest value once there is one of a higher number; at once if there is.</summary>
    public async Task<(long Version, T Value)> AfterAsync(long version, CancellationToken cancellation)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (current.Version > version)
                    return current;
                next = changed.Task;
            }
            await next.WaitAsync(cancellation);
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
