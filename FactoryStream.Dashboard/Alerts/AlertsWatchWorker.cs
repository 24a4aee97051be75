using System.Data.Common;
using FactoryStream.ServiceDefaults.Postgres;
using FactoryStream.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard.Alerts;

/// <summary>
/// Keeps <see cref="LatestAlerts"/> true: one listening connection and one read for all pages, whenever something happened to alerts.
/// </summary>
internal sealed class AlertsWatchWorker : BackgroundService, IHealthCheck
{
    private readonly LatestAlertsReader reader;
    private readonly LatestAlerts latest;
    private readonly DashboardLog log;
    private readonly NotificationListener listener;

    public AlertsWatchWorker(
        NpgsqlDataSource database,
        LatestAlertsReader reader,
        LatestAlerts latest,
        IOptions<DashboardOptions> options,
        TimeProvider time,
        DashboardLog log
    )
    {
        (this.reader, this.latest, this.log) = (reader, latest, log);
        listener = new NotificationListener(database, AlertStatements.Channel, time)
        {
            CheckInterval = options.Value.ListenCheckInterval,
            GatherFor = options.Value.PushInterval / 2,
            Began = UpdateAsync,
            Notified = (_, cancellation) => UpdateAsync(cancellation),
            Lost = Lost,
            Unheard = log.NotificationsNotHeard,
        };
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(listener.CheckHealth("alerts"));

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => listener.RunAsync(stoppingToken);

    private async Task UpdateAsync(CancellationToken cancellation)
    {
        var (raised, count) = await reader.ReadAsync(cancellation);
        latest.Update(raised, count);
    }

    private void Lost(DbException exception)
    {
        log.AlertsListenerLost(exception.Message);
        latest.Age();
    }
}
