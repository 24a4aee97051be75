using Confluent.Kafka;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Migrations;

/// <summary>Brings the schema to this version and makes the topics, then ends the program.</summary>
internal sealed class MigrationsWorker(
    IServiceScopeFactory scopes,
    NpgsqlDataSource database,
    KafkaConnection kafka,
    IOptions<MigrationsOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<MigrationsWorker> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // What it throws ends the program as well, with exit code 1.
        await PatientlyAsync("PostgreSQL", MigrateAsync, stoppingToken);
        await PatientlyAsync("Kafka", PrepareTopicsAsync, stoppingToken);
        lifetime.StopApplication();
    }

    /// <summary>In a cluster, and in a chart without order, what is needed may come up later than this.</summary>
    private async Task PatientlyAsync(string what, Func<CancellationToken, Task> work, CancellationToken stoppingToken)
    {
        var begun = time.GetTimestamp();
        var pause = TimeSpan.FromSeconds(0.5);
        while (true)
        {
            try
            {
                await work(stoppingToken);
                return;
            }
            catch (Exception exception)
                when (exception
                        is NpgsqlException { IsTransient: true }
                            or KafkaException
                            or TimeoutException
                            or PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.InvalidCatalogName }
                    || exception.InnerException is NpgsqlException { IsTransient: true }
                )
            {
                if (time.GetElapsedTime(begun) > options.Value.Patience)
                    throw new TimeoutException($"{what} did not come within {options.Value.Patience}: {exception.Message}", exception);
                logger.Waiting(what, exception.Message);
                await Task.Delay(pause, time, stoppingToken);
                pause = pause < TimeSpan.FromSeconds(5) ? pause * 2 : pause;
            }
        }
    }

    private async Task MigrateAsync(CancellationToken stoppingToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var context = scope.ServiceProvider.GetRequiredService<FactoryDbContext>();
        await context.Database.OpenConnectionAsync(stoppingToken);
        await DatabaseEncoding.RequireUtf8Async((NpgsqlConnection)context.Database.GetDbConnection(), stoppingToken);
        // On a new database its absence would be asked for, and logged by the server as an error.
        await context.GetService<IHistoryRepository>().CreateIfNotExistsAsync(stoppingToken);
        var pending = (await context.Database.GetPendingMigrationsAsync(stoppingToken)).ToArray();
        await context.Database.MigrateAsync(stoppingToken);
        logger.Migrated(pending.Length);
    }

    private async Task PrepareTopicsAsync(CancellationToken stoppingToken)
    {
        using var topics = new TopicWriter(kafka, database, options.Value, logger);
        await topics.PrepareAsync(stoppingToken);
    }
}

internal static partial class MigrationsLog
{
    [LoggerMessage(1, LogLevel.Information, "Waiting for {What}: {Reason}")]
    public static partial void Waiting(this ILogger logger, string what, string reason);

    [LoggerMessage(2, LogLevel.Information, "The schema is ready; {Count} migrations applied")]
    public static partial void Migrated(this ILogger logger, int count);

    [LoggerMessage(3, LogLevel.Information, "The topics are ready; {Created} of {All} created")]
    public static partial void TopicsReady(this ILogger logger, int created, int all);

    [LoggerMessage(5, LogLevel.Information, "The topics were made by another at the same time")]
    public static partial void TopicsThere(this ILogger logger);

    [LoggerMessage(6, LogLevel.Information, "{Topic} keeps from now on: {Settings}")]
    public static partial void TopicAltered(this ILogger logger, string topic, string settings);

    [LoggerMessage(7, LogLevel.Warning, "The topics' settings are left as they are, for the broker does not let them be altered: {Reason}")]
    public static partial void SettingsLeft(this ILogger logger, string reason);

    [LoggerMessage(
        8,
        LogLevel.Warning,
        "{Topic} keeps more than it is to, and {Waiting} messages of a partition wait: "
            + "{Setting} is left as it is until they are stored and Migrations runs again"
    )]
    public static partial void RetentionLeft(this ILogger logger, string topic, long waiting, string setting);

    [LoggerMessage(9, LogLevel.Warning, "Engines are spread over {Partitions} partitions from now on")]
    public static partial void Repartitioned(this ILogger logger, int partitions);
}
