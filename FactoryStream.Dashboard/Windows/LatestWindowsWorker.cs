using System.Text.Json;
using FactoryStream.Dashboard.Api;
using FactoryStream.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard.Windows;

/// <summary>
/// Keeps <see cref="LatestWindows"/> true: one connection listens for what the Aggregator says of each transaction, the engines it names are read again,
/// and everybody who waits gets the new whole. While the database is away the last whole stays, marked as such.
/// </summary>
internal sealed class LatestWindowsWorker(
    NpgsqlDataSource database, LatestWindowsReader reader, Latest<LatestWindows> latest, IOptions<DashboardOptions> options, TimeProvider time,
    DashboardMetrics metrics, DashboardLog log) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    // How long no notification may come before the connection is tried.
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(5);

    // What has been notified and not yet read; all of them when everything is set.
    private readonly HashSet<int> touched = [];
    private bool isEverythingTouched;
    private long refreshes;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        latest.Current.Value.IsLive ? HealthCheckResult.Healthy() : new HealthCheckResult(context.Registration.FailureStatus, "The database does not answer."));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isAway = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stoppingToken);
                connection.Notification += (_, notification) => Touch(notification.Payload);
                await using (var listen = new NpgsqlCommand($"LISTEN {BatchWriter.WindowsChannel}", connection))
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                // After LISTEN: what changed while nobody listened was told to nobody.
                isEverythingTouched = true;
                await RefreshAsync(stoppingToken);
                isAway = false;
                log.Listening(latest.Current.Value.Engines.Length);
                await FollowAsync(connection, stoppingToken);
            }
            catch (NpgsqlException exception)
            {
                if (!isAway)
                    log.DatabaseAway(exception.Message);
                isAway = true;
                if (latest.Current.Value.IsLive)
                    latest.Publish(latest.Current.Value with { IsLive = false });
                await Task.Delay(RetryDelay, time, stoppingToken);
            }
        }
    }

    /// <summary>Until the connection breaks: waits for a notification, gathers what else comes in a moment, reads what was named.</summary>
    private async Task FollowAsync(NpgsqlConnection connection, CancellationToken stoppingToken)
    {
        var pause = options.Value.RefreshInterval;
        while (true)
        {
            if (!isEverythingTouched && touched.Count == 0 && !await connection.WaitAsync(SilenceLimit, stoppingToken))
            {
                // Nobody closes a window, or nobody is there any more: a connection may break without a word.
                await using var probe = new NpgsqlCommand("SELECT 1", connection) { CommandTimeout = (int)SilenceLimit.TotalSeconds };
                await probe.ExecuteNonQueryAsync(stoppingToken);
                continue;
            }
            var begun = time.GetTimestamp();
            for (var left = pause; left > TimeSpan.FromMilliseconds(1); left = pause - time.GetElapsedTime(begun))
                await connection.WaitAsync(left, stoppingToken);
            var duration = await RefreshAsync(stoppingToken);
            // The database has other work as well: it is not asked for more than a third of the time.
            pause = options.Value.RefreshInterval > 2 * duration ? options.Value.RefreshInterval : 2 * duration;
        }
    }

    /// <summary>Reads the touched engines again and tells everybody; how long the reading took.</summary>
    private async Task<TimeSpan> RefreshAsync(CancellationToken stoppingToken)
    {
        var begun = time.GetTimestamp();
        int[]? engineNos = isEverythingTouched ? null : [.. touched];
        refreshes++;
        var changed = (await reader.ReadAsync(engineNos, stoppingToken)).ConvertAll(engine => engine with { TouchedIn = refreshes });
        touched.Clear();
        isEverythingTouched = false;
        latest.Publish(engineNos is null ? LatestWindows.Of(changed) : latest.Current.Value.With(changed));
        var duration = time.GetElapsedTime(begun);
        metrics.Refreshed(latest.Current.Value.Engines.Length, duration);
        return duration;
    }

    /// <summary>Samples: <c>[1,5,7]</c>; <c>"*"</c> where there are too many to name. Whatever is no list means all.</summary>
    private void Touch(string payload)
    {
        metrics.Notified();
        try
        {
            touched.UnionWith(JsonSerializer.Deserialize(payload, DashboardJson.Default.Int32Array)!);
        }
        catch (JsonException)
        {
            isEverythingTouched = true;
        }
    }
}
