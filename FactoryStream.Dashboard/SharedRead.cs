using FactoryStream.ServiceDefaults.Http;

namespace FactoryStream.Dashboard;

/// <summary>What is read for all pages together, at most once an interval, and only while one asks.</summary>
/// <param name="read">Reads it.</param>
/// <param name="none">What it is before it could be read.</param>
/// <param name="interval">Shortest time between two reads.</param>
/// <param name="onUnavailable">Called when it cannot be read any more, with the reason.</param>
/// <param name="time">The clock.</param>
internal sealed class SharedRead<T>(
    Func<CancellationToken, Task<T>> read,
    T none,
    TimeSpan interval,
    Action<string> onUnavailable,
    TimeProvider time
) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private (T Value, string? Failure) last = (none, null);
    private long? readAt;

    /// <summary>The last value, and why there is no newer one; null: it is new.</summary>
    public async Task<(T Value, string? Failure)> GetAsync(CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        try
        {
            if (readAt is { } moment && time.GetElapsedTime(moment) < interval)
                return last;
            try
            {
                last = (await read(cancellation), null);
            }
            catch (Exception exception) when (Unavailable.Describe(exception) is { } reason)
            {
                if (last.Failure is null)
                    onUnavailable(exception.Message);
                last = (last.Value, reason);
            }
            readAt = time.GetTimestamp();
            return last;
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();
}
