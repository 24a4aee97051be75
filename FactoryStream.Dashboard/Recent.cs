namespace FactoryStream.Dashboard;

/// <summary>What is costly to read, for whoever asks: read once for all who ask meanwhile and for a moment after.</summary>
/// <param name="read">Reads it; a failure goes to all who wait for it and is not kept.</param>
/// <param name="maxAge">How long it is given again.</param>
/// <param name="time">The clock of that.</param>
/// <param name="stopping">Ends a reading; a client that leaves does not, for others may wait for the same.</param>
internal class Recent<T>(Func<CancellationToken, Task<T>> read, TimeSpan maxAge, TimeProvider time, CancellationToken stopping)
{
    private readonly Lock gate = new();
    private Task<(T Value, long ReadAt)>? last;

    public async Task<T> GetAsync(CancellationToken cancellation)
    {
        Task<(T Value, long ReadAt)> reading;
        lock (gate)
        {
            if (last is null || (last.IsCompleted && !(last.IsCompletedSuccessfully && time.GetElapsedTime(last.Result.ReadAt) < maxAge)))
                last = Task.Run(ReadAsync, CancellationToken.None);
            reading = last;
        }
        return (await reading.WaitAsync(cancellation)).Value;
    }

    private async Task<(T Value, long ReadAt)> ReadAsync()
    {
        var value = await read(stopping);
        return (value, time.GetTimestamp());
    }
}
