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
    MigrationsLog log
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
                    throw new TimeoutException(
                        $"{what} could not be reached within {options.Value.Patience} (Migrations:Patience): {exception.Message}",
                        exception
                    );
                log.Waiting(what, exception.Message);
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
        // What is stored may have to be written anew, which takes as long as there is of it.
        context.Database.SetCommandTimeout(TimeSpan.Zero);
        var pending = (await context.Database.GetPendingMigrationsAsync(stoppingToken)).ToArray();
        await context.Database.MigrateAsync(stoppingToken);
        log.Migrated(pending.Length);
    }

    private async Task PrepareTopicsAsync(CancellationToken stoppingToken)
    {
        using var topics = new TopicWriter(kafka, database, options.Value, log);
        await topics.PrepareAsync(stoppingToken);
    }
}
