using System.Data.Common;
using System.Threading.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace FactoryStream.ServiceDefaults.Postgres;

/// <summary>
/// LISTEN on one channel of the database, by a connection of its own, for as long as the service runs: a connection that is lost is opened
/// anew, and what changed while nobody listened is read. Where notifications do not come through, as through a pooler of transactions
/// (PgBouncer), it says so and polls instead: all is read every two seconds, and each minute it tries again to listen.
/// </summary>
/// <param name="database">The database to listen to.</param>
/// <param name="channel">The channel's name, an identifier.</param>
/// <param name="time">The clock that the pauses between attempts go by.</param>
public sealed class NotificationListener(NpgsqlDataSource database, string channel, TimeProvider time)
{
    /// <summary>Notifications come while others are being worked on; more than this many at once are passed on as "all".</summary>
    private const int MostPending = 1_024;

    /// <summary>On which a listener tells itself something by another connection, to know whether it is heard.</summary>
    private const string ProbeChannel = "factorystream_probe";

    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PollFor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LastRetryDelay = TimeSpan.FromSeconds(10);

    // Written by the loop alone.
    private volatile bool isFollowing;
    private volatile bool isPolling;

    /// <summary>Healthy while it listens or polls.</summary>
    /// <param name="what">What it listens for, e.g. <c>closed windows</c>.</param>
    public HealthCheckResult CheckHealth(string what) =>
        isPolling ? HealthCheckResult.Healthy($"polls for {what}: notifications do not come through to this connection")
        : isFollowing ? HealthCheckResult.Healthy()
        : HealthCheckResult.Unhealthy($"not listening for {what}");

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

    /// <summary>Notifications do not come through, so it polls; reported once until they do.</summary>
    public Action Unheard { get; init; } = () => { };

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
                isPolling = false;
                if (isFollowing || !isReported)
                    Lost(exception);
                isReported = true;
                delay = isFollowing ? FirstRetryDelay : TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, LastRetryDelay.Ticks));
            }
            finally
            {
                isFollowing = false;
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
            if (notification.Channel == channel && !pending.Writer.TryWrite(notification.Payload))
                Interlocked.Exchange(ref isOverflown, 1);
        };
        await using (var listen = new NpgsqlCommand($"LISTEN {channel}", connection))
            await listen.ExecuteNonQueryAsync(cancellationToken);

        // After LISTEN: what changes from here on is notified, what changed before is read.
        await Began(cancellationToken);
        isFollowing = true;
        if (!await IsHeardAsync(connection, cancellationToken))
        {
            await PollAsync(cancellationToken);
            return;
        }
        isPolling = false;
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

    private async Task<bool> IsHeardAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var word = Guid.NewGuid().ToString();
        var isHeard = false;
        connection.Notification += (_, notification) => isHeard |= notification.Channel == ProbeChannel && notification.Payload == word;
        await using (var listen = new NpgsqlCommand($"LISTEN {ProbeChannel}", connection))
            await listen.ExecuteNonQueryAsync(cancellationToken);
        // Not by the listening connection: a pooler lends it the same server's for as long as a transaction, and then it hears itself.
        await using (var notify = database.CreateCommand($"SELECT pg_notify('{ProbeChannel}', '{word}')"))
            await notify.ExecuteNonQueryAsync(cancellationToken);
        var since = time.GetTimestamp();
        while (!isHeard && ProbeTimeout - time.GetElapsedTime(since) is var left && left > TimeSpan.Zero)
            await connection.WaitAsync(left, cancellationToken);
        if (isHeard)
        {
            await using var unlisten = new NpgsqlCommand($"UNLISTEN {ProbeChannel}", connection);
            await unlisten.ExecuteNonQueryAsync(cancellationToken);
        }
        return isHeard;
    }

    private async Task PollAsync(CancellationToken cancellationToken)
    {
        if (!isPolling)
            Unheard();
        isPolling = true;
        var since = time.GetTimestamp();
        while (time.GetElapsedTime(since) < PollFor)
        {
            await Notified(null, cancellationToken);
            await Task.Delay(PollInterval, time, cancellationToken);
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
