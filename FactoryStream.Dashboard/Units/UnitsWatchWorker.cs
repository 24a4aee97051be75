using FactoryStream.ServiceDefaults.Postgres;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard.Units;

/// <summary>Keeps <see cref="LatestUnits"/> true: one listening connection for all pages, told by a trigger on the table.</summary>
internal sealed class UnitsWatchWorker(
    NpgsqlDataSource database,
    LatestUnits units,
    IOptions<DashboardOptions> options,
    TimeProvider time,
    DashboardLog log
) : BackgroundService, IHealthCheck
{
    // As the trigger of factory.metrics has it.
    private const string Channel = "factory_metrics";

    private readonly NotificationListener listener = new(database, Channel, time)
    {
        CheckInterval = options.Value.ListenCheckInterval,
        GatherFor = options.Value.PushInterval / 2,
        Began = units.ReadAsync,
        Notified = (_, cancellation) => units.ReadAsync(cancellation),
        Lost = exception => log.UnitsListenerLost(exception.Message),
        Unheard = log.NotificationsNotHeard,
    };

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(listener.CheckHealth("units"));

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => listener.RunAsync(stoppingToken);
}
