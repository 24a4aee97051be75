using System.Globalization;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>
/// Looks every few seconds whether what was accepted is being stored: where the log ends, against the checkpoints. Told as degraded, not as
/// unhealthy: what the pages show is true, and another Dashboard would show no more.
/// </summary>
internal sealed class PipelineWatchWorker(NpgsqlDataSource database, SignedTail tail, IOptions<DashboardOptions> options, TimeProvider time)
    : BackgroundService,
        IHealthCheck
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(5);

    private readonly StalledWork storing = new(time);
    private volatile string? failure;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object> { ["waiting_messages"] = storing.Waiting };
        var stillFor = storing.StandsStillFor;
        var trouble =
            failure is { } reason ? $"Whether readings are being stored is not known: {reason}"
            : stillFor > options.Value.StalledAfter
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"Nothing has been stored for {stillFor.TotalSeconds:F0} s. "
                        + $"Messages of {TopicNames.Signed} that wait: {storing.Waiting}."
                )
            : null;
        return Task.FromResult(trouble is null ? HealthCheckResult.Healthy(null, data) : HealthCheckResult.Degraded(trouble, data: data));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var interval = options.Value.StalledAfter / 4 < LongestInterval ? options.Value.StalledAfter / 4 : LongestInterval;
        while (true)
        {
            try
            {
                var taken = await ReadTakenAsync(stoppingToken);
                storing.Observe(await tail.MeasureAsync(taken, stoppingToken), taken.Values.Sum(position => position.Offset));
                failure = null;
            }
            catch (Exception exception) when (Unavailable.Describe(exception) is { } reason)
            {
                failure = reason;
            }
            await Task.Delay(interval, time, stoppingToken);
        }
    }

    private async Task<Dictionary<int, (string TopicId, long Offset)>> ReadTakenAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(SourcePositions.Query);
        command.Parameters.Add(SourcePositions.Parameter);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await SourcePositions.ReadAsync(reader, cancellation);
    }
}
