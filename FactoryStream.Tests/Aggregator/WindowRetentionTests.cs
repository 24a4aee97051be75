using System.Diagnostics.Metrics;
using FactoryStream.Aggregator;
using FactoryStream.Aggregator.Maintenance;
using FactoryStream.Storage;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace FactoryStream.Tests.Aggregator;

[Collection(DatabaseTests.Name)]
public sealed class WindowRetentionTests(PostgresFixture postgres) : IDisposable
{
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose() => services.Dispose();

    [SkippableFact]
    public async Task Windows_are_kept_by_step_and_days_for_ever()
    {
        await using var database = await SeedAsync();
        await RollUpAsync(database);

        Assert.True(await RetainAsync(database));

        Assert.Equal(["01/14/2030 00:00:00|7"], await SinceAsync(database, "engine_windows"));
        Assert.Equal(["01/12/2030 00:00:00|8"], await SinceAsync(database, "engine_minutes"));
        Assert.Equal(["01/10/2030 00:00:00|10"], await SinceAsync(database, "engine_hours"));
        Assert.Equal(["01/01/2030 00:00:00|19"], await SinceAsync(database, "engine_days"));
    }

    [SkippableFact]
    public async Task No_window_goes_before_it_is_rolled_up()
    {
        await using var database = await SeedAsync();

        Assert.True(await RetainAsync(database));
        Assert.Equal(["01/01/2030 00:00:00|20"], await SinceAsync(database, "engine_windows"));

        // One that is to be rolled up again stays, with all of its day and what came after.
        await RollUpAsync(database);
        await database.RowsAsync("INSERT INTO factory.stale_minutes (engine_no, window_start) VALUES (1, '2030-01-03 00:00Z')");
        Assert.True(await RetainAsync(database));
        Assert.Equal(["01/03/2030 00:00:00|18"], await SinceAsync(database, "engine_windows"));
    }

    /// <summary>An engine with a window at the start of each of twenty days, and a reading that says that it is the twentieth.</summary>
    private async Task<NpgsqlDataSource> SeedAsync()
    {
        var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        // So that each day is a table partition.
        await database.RowsAsync("UPDATE factory.installation SET daily_since = '2030-01-01'");
        var first = new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var engine = await database.EngineAsync("f", "e");
        for (var day = 0; day < 20; day++)
            await database.CloseAsync(engine, first.AddDays(day), ("rpm", day));
        await new TablePartitions(database, "readings").EnsureAsync(first.AddDays(19), CancellationToken.None);
        await database.RowsAsync(
            "INSERT INTO factory.readings VALUES (1, 1, '2030-01-20 12:00Z', '2030-01-20 12:00Z', '\\x01', '{}', '\\x')"
        );
        return database;
    }

    private static async Task RollUpAsync(NpgsqlDataSource database)
    {
        while ((await Rollup.RunAsync(database, DateTime.UnixEpoch, null, null, CancellationToken.None)).IsMore) { }
    }

    private async Task<bool> RetainAsync(NpgsqlDataSource database)
    {
        using var instruments = new AggregatorMetrics(services.GetRequiredService<IMeterFactory>());
        // A clock that runs ahead makes nothing old.
        var clock = new FakeTimeProvider(new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var options = Options.Create(
            new AggregatorOptions
            {
                RetentionDays = 5,
                WindowRetentionDays = 6,
                MinuteRetentionDays = 8,
                HourRetentionDays = 10,
            }
        );
        var log = new AggregatorLog(NullLogger<AggregatorLog>.Instance);
        using var worker = new RetentionWorker(
            database,
            options,
            new RetentionRuns(),
            new RetentionTimes(options, clock),
            instruments,
            clock,
            log
        );
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await worker.RunAsync(patience.Token);
    }

    private static Task<string[]> SinceAsync(NpgsqlDataSource database, string table) =>
        database.RowsAsync($"SELECT min(window_start), count(*) FROM factory.{table}");
}
