using System.Data.Common;
using System.Net.Sockets;

namespace FactoryStream.Aggregator.Maintenance;

/// <summary>Work beside the pipeline that is due again and again, and that a database that is away only puts off.</summary>
internal static class DatabaseWork
{
    /// <summary>Does the work now and after each pause, until the service stops.</summary>
    /// <param name="work">All that is due by now.</param>
    /// <param name="pause">From the end of one round to the begin of the next.</param>
    /// <param name="failed">Told what the database said, when a round failed.</param>
    /// <param name="time">Measures the pause.</param>
    /// <param name="stopping">The service stops.</param>
    public static async Task RepeatAsync(
        Func<CancellationToken, Task> work,
        TimeSpan pause,
        Action<string> failed,
        TimeProvider time,
        CancellationToken stopping
    )
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await work(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (IsOfDatabase(exception))
            {
                failed(exception.Message);
            }
            await Task.Delay(pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Whether an error is the database's or of the way to it, and so may be gone at the next try.</summary>
    public static bool IsOfDatabase(Exception exception) => exception is DbException or TimeoutException or IOException or SocketException;
}
