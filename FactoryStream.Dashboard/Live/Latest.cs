namespace FactoryStream.Dashboard.Live;

/// <summary>The newest state of something: any number of readers wait for the next one.</summary>
/// <param name="first">What it is before anything was published.</param>
internal sealed class Latest<T>(T first)
    where T : class
{
    private readonly Lock gate = new();
    private T current = first;
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public T Current => Volatile.Read(ref current);

    /// <summary>Makes another state the newest one, for all who wait.</summary>
    public void Publish(T next)
    {
        lock (gate)
        {
            Volatile.Write(ref current, next);
            changed.SetResult();
            changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>The first state that is new to somebody; at once if there is one already.</summary>
    public async Task<T> NextAsync(Func<T, bool> isNew, CancellationToken cancellation)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (isNew(current))
                    return current;
                next = changed.Task;
            }
            await next.WaitAsync(cancellation);
        }
    }
}
