using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Migrations;

/// <summary>Brings the schema to this version and makes the topics, then ends the program.</summary>
internal sealed class MigrationsWorker(
    IServiceScopeFactory scopes, IConfiguration configuration, IOptions<MigrationsOptions> options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<MigrationsWorker> logger)
    : BackgroundService
{
    private const string AnswerMaxBytes = "4194304";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // What it throws ends the program as well, with exit code 1.
        await PatientlyAsync("PostgreSQL", MigrateAsync, stoppingToken);
        await PatientlyAsync("Kafka", CreateTopicsAsync, stoppingToken);
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
            catch (Exception exception) when (exception is NpgsqlException { IsTransient: true } or KafkaException or TimeoutException or PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.InvalidCatalogName }
                || exception.InnerException is NpgsqlException { IsTransient: true })
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

    private async Task CreateTopicsAsync(CancellationToken stoppingToken)
    {
        var bootstrapServers = configuration.GetConnectionString("kafka")
            ?? throw new InvalidOperationException("No Kafka address: set ConnectionStrings__kafka or start this through the AppHost.");
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrapServers, SocketTimeoutMs = 10_000 })
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, _) => { })
            .Build();
        // A broker that cannot create topics may have them all the same, so ask first.
        var present = PartitionCounts(admin);
        var missing = Topics.All.Where(topic => !present.ContainsKey(topic)).ToArray();
        if (missing.Length > 0)
        {
            try
            {
                await admin.CreateTopicsAsync(missing.Select(topic => new TopicSpecification
                {
                    Name = topic,
                    // A reading keeps its partition from topic to topic, so a new one is as its like.
                    NumPartitions = present.Count > 0 ? present.Values.First() : options.Value.Partitions,
                    ReplicationFactor = options.Value.ReplicationFactor,
                    // An answer is a little longer than what it answers.
                    Configs = topic == Topics.Signed ? null : new() { ["max.message.bytes"] = AnswerMaxBytes },
                }));
            }
            catch (CreateTopicsException exception) when (exception.Results.All(result => !result.Error.IsError || result.Error.Code == ErrorCode.TopicAlreadyExists))
            {
                // Another one of us was quicker.
                logger.TopicsThere();
            }
        }
        stoppingToken.ThrowIfCancellationRequested();
        var counts = present.Values.Distinct().ToArray();
        if (counts.Length > 1)
            throw new InvalidOperationException($"The topics {string.Join(", ", Topics.All)} must have the same number of partitions, but have {string.Join(" and ", counts)}: make them alike.");
        logger.TopicsReady(missing.Length, Topics.All.Count);
    }

    private static Dictionary<string, int> PartitionCounts(IAdminClient admin) =>
        admin.GetMetadata(TimeSpan.FromSeconds(10)).Topics.Where(topic => !topic.Error.IsError && Topics.All.Contains(topic.Topic)).ToDictionary(topic => topic.Topic, topic => topic.Partitions.Count);
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
}
