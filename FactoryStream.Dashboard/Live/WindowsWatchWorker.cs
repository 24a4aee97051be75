using System.Data.Common;
using System.Text.Json;
using FactoryStream.ServiceDefaults.Postgres;
using FactoryStream.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard.Live;

/// <summary>
/// Keeps <see cref="LatestWindows"/> true: one listening connection for all pages, and all engines anew whenever that connection had been
/// lost.
/// </summary>
internal sealed class WindowsWatchWorker : BackgroundService, IHealthCheck
{
    private readonly LatestWindowsReader reader;
    private readonly LatestWindows latest;
    private readonly DashboardMetrics metrics;
    private readonly TimeProvider time;
    private readonly DashboardLog log;
    private readonly NotificationListener listener;

    public WindowsWatchWorker(
        NpgsqlDataSource database,
        LatestWindowsReader reader,
        LatestWindows latest,
        IOptions<DashboardOptions> options,
        DashboardMetrics metrics,
        TimeProvider time,
        DashboardLog log
    )
    {
        (this.reader, this.latest, this.metrics, this.time, this.log) = (reader, latest, metrics, time, log);
        listener = new NotificationListener(database, WindowStatements.Channel, time)
        {
            CheckInterval = options.Value.ListenCheckInterval,
            // An Aggregator tells a commit at a time; a moment's patience makes one query of a burst.
            GatherFor = options.Value.PushInterval / 2,
            Began = BeganAsync,
            Notified = NotifiedAsync,
            Lost = Lost,
            Unheard = log.NotificationsNotHeard,
        };
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(listener.CheckHealth("closed windows"));

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => listener.RunAsync(stoppingToken);

    private async Task BeganAsync(CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        await UpdateAsync(null, cancellation);
        log.Listening(latest.Current.Engines.Count, (long)time.GetElapsedTime(began).TotalMilliseconds);
    }

    private async Task NotifiedAsync(IReadOnlyCollection<string>? payloads, CancellationToken cancellation)
    {
        var engineNos = new HashSet<int>();
        var all = payloads is null;
        foreach (var payload in payloads ?? [])
            all |= !TryAdd(payload, engineNos);
        await UpdateAsync(all ? null : engineNos, cancellation);
    }

    private void Lost(DbException exception)
    {
        log.ListenerLost(exception.Message);
        latest.Age();
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
            log.ForeignNotification(payload.Length);
            return false;
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(int[]))]
internal sealed partial class NotificationJson : System.Text.Json.Serialization.JsonSerializerContext;
