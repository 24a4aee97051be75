using System.Data.Common;
using System.Threading.Channels;
using Npgsql;

namespace FactoryStream.ServiceDefaults.Postgres;

/// <summary>
/// LISTEN on one channel of the database, by a connection of its own, for as long as the service runs: a connection that is lost is opened
/// anew, and what changed while nobody listened is read.
/// </summary>
/// <param name="database">The database to listen to.</param>
/// <param name="channel">The channel's name, an identifier.</param>
/// <param name="time">The clock that the pauses between attempts go by.</param>
public sealed class NotificationListener(NpgsqlDataSource database, string channel, TimeProvider time)
{
    /// <summary>Notifications come while others are being worked on; more than this many at once are passed on as "all".</summary>
    private const int MostPending = 1_024;

    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LastRetryDelay = TimeSpan.FromSeconds(10);

    private volatile bool isListening;

    /// <summary>Whether the channel is listened to at this moment.</summary>
    public bool IsListening => isListening;

    /// <summary>A connection without traffic for so long is tested.</summary>
    public TimeSpan CheckInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long notifications are gathered before they are passed on.</summary>
    public TimeSpan GatherFor { get; init; }

    /// <summary>
    /// The channel is listened to from here on: the time to read what changed before. What it throws of the database loses the connection.
    /// </summary>
    public required Func<CancellationToken, Task> Began { get; init; }

    /// <summary>Payloads that came; null: more than could be kept. What it throws of the database loses the connection.</summary>
    public required Func<IReadOnlyCollection<string>?, CancellationToken, Task> Notified { get; init; }

    /// <summary>The connection was lost, or could not be opened; reported once until it is there again.</summary>
    public required Action<DbException> Lost { get; init; }

    /// <summary>Listens, and connects again where the connection is lost, until cancelled.</summary>
    /// <param name="cancellationToken">Ends the listening.</param>
    /// <exception cref="OperationCanceledException">The listening was ended.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var delay = FirstRetryDelay;
        var isReported = false;
        while (true)
        {
            try
            {
                await ListenAsync(cancellationToken);
            }
            catch (DbException exception)
            {
                if (isListening || !isReported)
                    Lost(exception);
                isReported = true;
                delay = isListening ? FirstRetryDelay : TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, LastRetryDelay.Ticks));
            }
            finally
            {
                isListening = false;
            }
            await Task.Delay(delay, time, cancellationToken);
        }
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var pending = Channel.CreateBounded<string>(MostPending);
        var isOverflown = 0;
        connection.Notification += (_, notification) =>
        {
            if (!pending.Writer.TryWrite(notification.Payload))
                Interlocked.Exchange(ref isOverflown, 1);
        };
        await using (var listen = new NpgsqlCommand($"LISTEN {channel}", connection))
            await listen.ExecuteNonQueryAsync(cancellationToken);

        // After LISTEN: what changes from here on is notified, what changed before is read.
        await Began(cancellationToken);
        isListening = true;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receiving = ReceiveAsync(connection, ending.Token);
        try
        {
            while (true)
            {
                var ready = pending.Reader.WaitToReadAsync(ending.Token).AsTask();
                if (await Task.WhenAny(ready, receiving) == receiving)
                    await receiving;
                await Task.Delay(GatherFor, time, cancellationToken);
                var isAll = Interlocked.Exchange(ref isOverflown, 0) == 1;
                var payloads = new List<string>();
                while (pending.Reader.TryRead(out var payload))
                    payloads.Add(payload);
                await Notified(isAll ? null : payloads, cancellationToken);
            }
        }
        finally
        {
            await ending.CancelAsync();
            // Its failure is the reason why this ends, or comes of it; either way it must be over before the connection is closed.
            await receiving.ContinueWith(
                static _ => { },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
        }
    }

    private async Task ReceiveAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await connection.WaitAsync(CheckInterval, cancellationToken))
                continue;
            await using var check = new NpgsqlCommand("SELECT 1", connection);
            await check.ExecuteScalarAsync(cancellationToken);
        }
    }
}
