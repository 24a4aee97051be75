using FactoryStream.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Aggregator.Maintenance;

/// <summary>How often retention has dropped table partitions of readings: what is cached of table partitions is void after each.</summary>
internal sealed class RetentionRuns
{
    private int count;

    public int Count => Volatile.Read(ref count);

    public void Add() => Interlocked.Increment(ref count);
}

/// <summary>
/// Drops what is older than it is kept: table partitions of readings and of windows, windows of an hour, rejections, and alerts that
/// are over. A few a transaction, over a connection of its own, beside the pipeline: an error of the database is logged, and the run is
/// repeated later. Every replica has one; the database lets one work.
/// </summary>
internal sealed class RetentionWorker(
    NpgsqlDataSource database,
    IOptions<AggregatorOptions> options,
    RetentionRuns runs,
    RetentionTimes times,
    AggregatorMetrics metrics,
    TimeProvider time,
    AggregatorLog log
) : BackgroundService
{
    // Each has a handful of locks, of which PostgreSQL has some 6,400 by default for everybody.
    private const int PartitionsAtOnce = 8;
    private const int RejectionsAtOnce = 1_000;
    private const int HoursAtOnce = 10_000;
    private const int AlertsAtOnce = 1_000;

    private static readonly TimeSpan Period = TimeSpan.FromHours(1);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = await RunAsync(stoppingToken) ? Period : RetryAfter;
            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Drops all that is too old by now.</summary>
    /// <returns>Whether all of it could be done; else it is to be tried again soon.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellation)
    {
        var readings = await TryAsync(DropReadingsAsync, cancellation);
        var windows = await TryAsync(DropWindowsAsync, cancellation);
        var rejections = await TryAsync(DropRejectionsAsync, cancellation);
        var alerts = await TryAsync(DropAlertsAsync, cancellation);
        return readings && windows && rejections && alerts;
    }

    private async Task<bool> TryAsync(Func<CancellationToken, Task> drop, CancellationToken cancellation)
    {
        try
        {
            await drop(cancellation);
            return true;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return false;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            log.RetentionWaits();
            return false;
        }
        catch (Exception exception) when (DatabaseWork.IsOfDatabase(exception))
        {
            log.RetentionFailed(exception.Message);
            return false;
        }
    }

    private async Task DropReadingsAsync(CancellationToken cancellation)
    {
        if (options.Value.RetentionDays == 0)
            return;
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await times.ExpiredBeforeAsync(connection, cancellation) is { } before)
            await DropPartitionsAsync(
                connection,
                "readings",
                before,
                count => log.Retained(count, options.Value.RetentionDays),
                cancellation
            );
    }

    private async Task DropWindowsAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        foreach (var (step, days) in options.Value.WindowRetention)
        {
            if (days == 0 || await times.KeptSinceAsync(connection, days, cancellation) is not { } since)
                continue;
            // What is not rolled up, or is to be once more, stays.
            var before = await WindowRetention.RolledUpBeforeAsync(connection, since, cancellation);
            if (step == WindowStep.Hour)
                await DropHoursAsync(connection, before, days, cancellation);
            else
                await DropPartitionsAsync(
                    connection,
                    step.Table,
                    before,
                    count => log.WindowsDropped(count, step.Table, days),
                    cancellation
                );
        }
    }

    private async Task DropHoursAsync(NpgsqlConnection connection, DateTime before, int days, CancellationToken cancellation)
    {
        var total = 0L;
        while (await WindowRetention.DropHoursAsync(connection, before, HoursAtOnce, cancellation) is var hours and > 0)
            total += hours;
        if (total > 0)
            log.HoursDropped(total, days);
    }

    private async Task DropPartitionsAsync(
        NpgsqlConnection connection,
        string table,
        DateTime before,
        Action<int> dropped,
        CancellationToken cancellation
    )
    {
        await using var drop = new NpgsqlCommand("SELECT factory.drop_partitions($1, $2, $3)", connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = table },
                new NpgsqlParameter<DateTime> { TypedValue = before },
                new NpgsqlParameter<int> { TypedValue = PartitionsAtOnce },
            },
        };
        while (await drop.ExecuteScalarAsync(cancellation) is int count and > 0)
        {
            runs.Add();
            metrics.TablePartitionsDropped.Add(count);
            dropped(count);
        }
    }

    private async Task DropRejectionsAsync(CancellationToken cancellation)
    {
        int? days = options.Value.RejectionRetentionDays > 0 ? options.Value.RejectionRetentionDays : null;
        long? bytes = options.Value.MaxRejectionGigabytes > 0 ? (long)options.Value.MaxRejectionGigabytes << 30 : null;
        if (days is null && bytes is null)
            return;
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var bounds = new RejectionBounds(days, bytes, options.Value.UnknownKeyRetentionDays);
        var total = 0L;
        var now = time.GetUtcNow().UtcDateTime;
        while (await RejectionRetention.DropAsync(connection, now, bounds, RejectionsAtOnce, cancellation) is var lines and > 0)
        {
            total += lines;
            metrics.RejectionsDropped.Add(lines);
        }
        if (total > 0)
            log.RejectionsDropped(total);
    }

    private async Task DropAlertsAsync(CancellationToken cancellation)
    {
        var days = options.Value.AlertRetentionDays;
        if (days == 0)
            return;
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await times.KeptSinceAsync(connection, days, cancellation) is not { } since)
            return;
        var total = 0L;
        while (await AlertRetention.DropAsync(connection, since, AlertsAtOnce, cancellation) is var alerts and > 0)
            total += alerts;
        if (total > 0)
            log.AlertsDropped(total, days);
    }
}
