using System.Data.Common;
using System.Text.Json;
using System.Threading.Channels;
using FactoryStream.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard.Live;

/// <summary>Keeps <see cref="LatestWindows"/> true: one listening connection for all pages, and all engines anew whenever that connection had been lost.</summary>
internal sealed class WindowsWatchWorker(
    NpgsqlDataSource database, LatestWindowsReader reader, LatestWindows latest, IOptions<DashboardOptions> options,
    DashboardMetrics metrics, TimeProvider time, ILogger<WindowsWatchWorker> logger) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LastRetryDelay = TimeSpan.FromSeconds(10);

    private volatile bool isListening;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(isListening ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("not listening for closed windows"));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var delay = FirstRetryDelay;
        while (true)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (DbException exception)
            {
                if (isListening || delay == FirstRetryDelay)
                    logger.ListenerLost(exception.Message);
                delay = isListening ? FirstRetryDelay : TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, LastRetryDelay.Ticks));
                isListening = false;
            }
            await Task.Delay(delay, time, stoppingToken);
        }
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        await using var connection = await database.OpenConnectionAsync(stoppingToken);
        // Notifications come while others are being worked on; each is a few bytes to 7,000, and more than this many at once mean "all".
        var pending = Channel.CreateBounded<string>(1_024);
        var isOverflown = 0;
        connection.Notification += (_, notification) =>
        {
            if (!pending.Writer.TryWrite(notification.Payload))
                Interlocked.Exchange(ref isOverflown, 1);
        };
        await using (var listen = new NpgsqlCommand($"LISTEN {BatchWriter.WindowsChannel}", connection))
            await listen.ExecuteNonQueryAsync(stoppingToken);

        // After LISTEN: what closes from here on is notified, what closed before is read.
        var began = time.GetTimestamp();
        await UpdateAsync(null, stoppingToken);
        isListening = true;
        logger.Listening(latest.Current.Engines.Count, (long)time.GetElapsedTime(began).TotalMilliseconds);

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var receiving = ReceiveAsync(connection, ending.Token);
        try
        {
            while (true)
            {
                var ready = pending.Reader.WaitToReadAsync(ending.Token).AsTask();
                if (await Task.WhenAny(ready, receiving) == receiving)
                    await receiving;
                // An Aggregator tells a commit at a time; a moment's patience makes one query of a burst.
                await Task.Delay(options.Value.PushInterval / 2, time, stoppingToken);
                var engineNos = new HashSet<int>();
                var all = Interlocked.Exchange(ref isOverflown, 0) == 1;
                while (pending.Reader.TryRead(out var payload))
                    all |= !TryAdd(payload, engineNos);
                await UpdateAsync(all ? null : engineNos, stoppingToken);
            }
        }
        finally
        {
            await ending.CancelAsync();
            // Its failure is the reason why this ends, or comes of it; either way it must be over before the connection is closed.
            await receiving.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task ReceiveAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        while (true)
        {
            if (await connection.WaitAsync(options.Value.ListenCheckInterval, cancellation))
                continue;
            await using var check = new NpgsqlCommand("SELECT 1", connection);
            await check.ExecuteScalarAsync(cancellation);
        }
    }

    private async Task UpdateAsync(IReadOnlyCollection<int>? engineNos, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        latest.Update(await reader.ReadAsync(engineNos, cancellation), all: engineNos is null);
        metrics.Updates.Add(1);
        metrics.UpdateDuration.Record(time.GetElapsedTime(began).TotalSeconds);
    }

    /// <summary>Takes a payload in: <c>[1,5,7]</c>; false when it means all engines, <c>"*"</c>.</summary>
    internal bool TryAdd(string payload, HashSet<int> engineNos)
    {
        if (payload == "\"*\"")
            return false;
        try
        {
            engineNos.UnionWith(JsonSerializer.Deserialize(payload, NotificationJson.Default.Int32Array) ?? []);
            return true;
        }
        catch (JsonException)
        {
            // Anybody who may connect may notify; to read too much does no harm.
            logger.ForeignNotification(payload.Length);
            return false;
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(int[]))]
internal sealed partial class NotificationJson : System.Text.Json.Serialization.JsonSerializerContext;
