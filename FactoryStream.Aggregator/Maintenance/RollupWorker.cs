using FactoryStream.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Aggregator.Maintenance;

/// <summary>
/// Rolls closed windows up into minutes, hours and days, beside the pipeline: an error of the database is logged, and the run is repeated
/// later. Every replica has one; the database lets one work.
/// </summary>
internal sealed class RollupWorker(
    NpgsqlDataSource database,
    IOptions<AggregatorOptions> options,
    RetentionTimes times,
    TimeProvider time,
    AggregatorLog log
) : BackgroundService
{
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(10);

    // Retention itself runs once an hour, and to tell how far it goes is to look at pages of the newest readings.
    private static readonly TimeSpan TimesMaxAge = TimeSpan.FromHours(1);

    private (DateTime? ExpiredBefore, DateTime? DroppedBefore) kept;
    private DateTimeOffset? keptReadAt;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        DatabaseWork.RepeatAsync(
            RunAsync,
            options.Value.RollupInterval,
            reason => log.RollupFailed(options.Value.RollupInterval.TotalSeconds, reason),
            time,
            stoppingToken
        );

    /// <summary>Rolls up all that is due by now, some a transaction; nothing while another replica does it.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await ReadTimesAsync(cancellation);
        var saidAt = time.GetTimestamp();
        var minutes = 0L;
        while (true)
        {
            var now = time.GetUtcNow().UtcDateTime;
            var progress = await Rollup.RunAsync(database, now, kept.ExpiredBefore, kept.DroppedBefore, cancellation);
            if (!progress.IsMore)
                return;
            minutes += progress.Minutes;
            if (progress.RolledUntil is not { } rolledUntil || time.GetElapsedTime(saidAt) < ProgressEvery)
                continue;
            log.RollupBehind(rolledUntil, minutes);
            saidAt = time.GetTimestamp();
        }
    }

    private async Task ReadTimesAsync(CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if (options.Value.RetentionDays == 0 || now - keptReadAt < TimesMaxAge)
            return;
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var days = options.Value.WindowRetentionDays;
        kept = (
            await times.ExpiredBeforeAsync(connection, cancellation),
            days > 0 ? await times.KeptSinceAsync(connection, days, cancellation) : null
        );
        keptReadAt = now;
    }
}
