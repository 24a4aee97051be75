using System.Collections.Concurrent;
using System.Text.Json;
using FactoryStream.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard.Windows;

/// <summary>
/// The newest closed window of every engine, kept up to date by the database's own notifications: one connection listens, whoever shows windows is told.
/// What closes within <see cref="DashboardOptions.UpdateInterval"/> is read and passed on together.
/// </summary>
internal sealed class LatestWindows(
    IServiceScopeFactory scopes, NpgsqlDataSource source, IOptions<DashboardOptions> options, DashboardMetrics metrics, TimeProvider time, ILogger<LatestWindows> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<int, LatestWindow> latest = new();
    private readonly Lock gate = new();
    private HashSet<int> changed = [];
    private bool allChanged;

    /// <summary>Raised, at most every update interval, when windows have closed or were corrected.</summary>
    public event Action? Changed;

    /// <summary>Every engine that has a closed window, by factory and engine.</summary>
    public LatestWindow[] All => [.. latest.Values.OrderBy(window => window.FactoryId, StringComparer.Ordinal).ThenBy(window => window.EngineId, StringComparer.Ordinal)];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = TimeSpan.FromSeconds(0.5);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(() => pause = TimeSpan.FromSeconds(0.5), stoppingToken);
            }
            catch (Exception exception) when (exception is NpgsqlException && !stoppingToken.IsCancellationRequested)
            {
                // The database restarts, or is not migrated yet.
                logger.ListenerLost(exception.Message, pause.TotalSeconds);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause < TimeSpan.FromSeconds(10) ? pause * 2 : pause;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ListenAsync(Action listening, CancellationToken stoppingToken)
    {
        await using var connection = await source.OpenConnectionAsync(stoppingToken);
        connection.Notification += (_, notification) => Note(notification.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {BatchWriter.WindowsChannel}", connection))
            await listen.ExecuteNonQueryAsync(stoppingToken);
        // Listening first and reading then leaves no gap between the two.
        await RefreshAsync(null, stoppingToken);
        logger.Listening(latest.Count);
        listening();
        while (true)
        {
            await connection.WaitAsync(stoppingToken);
            await Task.Delay(options.Value.UpdateInterval, time, stoppingToken);
            // What arrived meanwhile is in the connection's buffer; a statement brings it out.
            await using (var ping = new NpgsqlCommand("SELECT 1", connection))
                await ping.ExecuteNonQueryAsync(stoppingToken);
            int[]? engineNos;
            lock (gate)
            {
                engineNos = allChanged ? null : [.. changed];
                (changed, allChanged) = ([], false);
            }
            if (engineNos is not { Length: 0 })
                await RefreshAsync(engineNos, stoppingToken);
        }
    }

    /// <summary>Takes a notification's payload: <c>[1,5,7]</c>, or <c>"*"</c> for too many to name.</summary>
    private void Note(string payload)
    {
        lock (gate)
        {
            if (payload.StartsWith('['))
                changed.UnionWith(JsonSerializer.Deserialize(payload, DashboardJson.Default.Int32Array)!);
            else
                allChanged = true;
        }
    }

    private async Task RefreshAsync(int[]? engineNos, CancellationToken stoppingToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        foreach (var window in await scope.ServiceProvider.GetRequiredService<WindowsReader>().LatestAsync(engineNos, stoppingToken))
            latest[window.EngineNo] = window;
        metrics.Updates.Add(1);
        Changed?.Invoke();
    }
}
