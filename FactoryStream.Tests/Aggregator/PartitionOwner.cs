using System.Diagnostics.Metrics;
using Confluent.Kafka;
using FactoryStream.Aggregator;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Aggregator.Consuming;
using FactoryStream.Aggregator.Maintenance;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FactoryStream.Tests.Aggregator;

/// <summary>What an Aggregator that was given partition 0 of both topics does with messages, a transaction a call.</summary>
internal sealed class PartitionOwner : IAsyncDisposable
{
    public const string Ledger = "SELECT factory_id, accepted, stored, duplicates FROM factory.ledger";

    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly NpgsqlDataSource database;
    private readonly AggregatorMetrics instruments;
    private readonly Dictionary<string, PartitionProgress> progress = [];
    private readonly PendingCommit pending = new();
    private readonly MessageDecoder decoder;
    private readonly Func<CommitTransaction> make;
    private AlertRuleDirectory rules;
    private CommitTransaction transaction;

    private PartitionOwner(NpgsqlDataSource database, bool isTolerant, int maxMetrics, int maxEngines, int retentionDays)
    {
        this.database = database;
        instruments = new AggregatorMetrics(services.GetRequiredService<IMeterFactory>());
        decoder = new MessageDecoder(new AggregatorLog(NullLogger<AggregatorLog>.Instance), instruments);
        var options = new AggregatorOptions
        {
            WindowLength = TimeSpan.FromSeconds(10),
            Lateness = TimeSpan.FromSeconds(2),
            IdleTimeout = TimeSpan.FromSeconds(10),
            MaxMetricsPerEngine = maxMetrics,
            MaxEnginesPerFactory = maxEngines,
            RetentionDays = retentionDays,
        };
        rules = new AlertRuleDirectory(database);
        make = () =>
            new CommitTransaction(
                database,
                options,
                instruments,
                new RetentionRuns(),
                rules = new AlertRuleDirectory(database),
                TimeProvider.System,
                new AggregatorLog(NullLogger<AggregatorLog>.Instance)
            )
            {
                ConflictTolerantCommits = isTolerant ? 100 : 0,
            };
        transaction = make();
    }

    public static async Task<PartitionOwner> StartAsync(
        PostgresFixture postgres,
        bool isTolerant = false,
        int maxMetrics = 100,
        int maxEngines = 100,
        int retentionDays = 0
    )
    {
        var owner = new PartitionOwner(
            NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync()),
            isTolerant,
            maxMetrics,
            maxEngines,
            retentionDays
        );
        await owner.RowsAsync(
            "INSERT INTO factory.signing_keys (key_id, factory_id, algorithm, public_key, enrolled_at) VALUES ('k1', 'f', "
                + "'RSASSA-PSS-SHA256', '', now())"
        );
        await owner.RestartAsync();
        return owner;
    }

    /// <summary>What was in memory is gone.</summary>
    public async Task RestartAsync()
    {
        pending.Clear();
        transaction = make();
        var checkpoints = new CheckpointReader(database);
        foreach (var topic in (string[])[TopicNames.Verified, TopicNames.Rejected])
            progress[topic] = new PartitionProgress(await checkpoints.AcquireAsync(topic, 0, topic, CancellationToken.None));
        await transaction.RebuildAsync([progress[TopicNames.Verified]], 1, CancellationToken.None);
    }

    public async Task CommitAsync(params ConsumeResult<Ignore, ReadOnlyMemory<byte>>[] messages)
    {
        foreach (var message in messages)
            decoder.Decode(message, progress[message.Topic], pending);
        pending.Seal([]);
        await transaction.CommitAsync(pending, [], CancellationToken.None);
        pending.Clear();
    }

    /// <summary>What was changed of alert rules is known, as it is every few seconds.</summary>
    public Task ReadAlertRulesAsync() => rules.LoadAsync(CancellationToken.None);

    /// <summary>Evaluates once what the clock decides of alerts.</summary>
    public async Task WatchAlertsAsync()
    {
        using var worker = new AlertWatchWorker(
            database,
            new AlertRuleDirectory(database),
            instruments,
            TimeProvider.System,
            new AggregatorLog(NullLogger<AggregatorLog>.Instance)
        );
        await worker.RunAsync(CancellationToken.None);
    }

    /// <summary>The database that is this owner's alone.</summary>
    public NpgsqlDataSource Database => database;

    public Task<string[]> RowsAsync(string sql) => database.RowsAsync(sql);

    public async ValueTask DisposeAsync()
    {
        instruments.Dispose();
        await services.DisposeAsync();
        await database.DisposeAsync();
    }
}
