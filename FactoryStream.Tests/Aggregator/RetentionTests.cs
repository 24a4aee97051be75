using System.Diagnostics.Metrics;
using FactoryStream.Aggregator;
using FactoryStream.Aggregator.Maintenance;
using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace FactoryStream.Tests.Aggregator;

[Collection(DatabaseTests.Name)]
public sealed class RetentionTests(PostgresFixture postgres) : IDisposable
{
    private const string Dropped =
        "SELECT factory_id, reason, refused, lines, readings, bytes FROM factory.rejections_dropped ORDER BY 1, 2, 3";

    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly RetentionRuns runs = new();

    public void Dispose() => services.Dispose();

    [SkippableTheory, InlineData(2030), InlineData(2099)]
    public async Task Old_table_partitions_are_dropped_a_few_per_transaction_and_no_wrong_clock_makes_evidence_old(int year)
    {
        await using var database = await DatabaseAsync();
        await MakePartitionsAsync(database, 20);
        await StoreAsync(database, "2030-01-20 12:00Z", "2030-01-20 12:00Z");

        Assert.True(await RunAsync(database, year, month: 1, day: 20));

        // Five days, and one of grace, before the newest verdict; 13 tables in steps of eight.
        Assert.Equal(Enumerable.Range(14, 7).Select(day => $"factory.readings_203001{day}"), await LeftAsync(database));
        Assert.Equal(2, runs.Count);
    }

    [SkippableFact]
    public async Task A_step_of_retention_drops_the_oldest_and_no_batch_before_its_readings()
    {
        await using var database = await DatabaseAsync();
        await MakePartitionsAsync(database, 4);
        await MakePartitionsAsync(database, 4, "batches");

        Assert.Equal(3, await database.ScalarAsync<int>("SELECT factory.drop_partitions('readings', '2030-01-04Z', 3)"));

        Assert.Equal(["factory.readings_20300103", "factory.readings_20300104"], await LeftAsync(database));
        Assert.Equal(
            ["factory.batches_20300102", "factory.batches_20300103", "factory.batches_20300104"],
            await LeftAsync(database, "batches")
        );
    }

    [SkippableFact]
    public async Task The_newest_evidence_is_bounded_by_verdict_times_and_by_measured_times()
    {
        await using var database = await DatabaseAsync();
        await MakePartitionsAsync(database, 3);
        Assert.Equal([""], await database.RowsAsync("SELECT factory.newest_evidence()"));

        await StoreAsync(database, "2030-01-01 12:00Z", "2030-01-02 13:00Z");
        Assert.Equal(["01/02/2030 00:00:00"], await database.RowsAsync("SELECT factory.newest_evidence()"));
        await StoreAsync(database, "2030-01-02 12:00Z", "2030-01-02 12:00Z");
        Assert.Equal(["01/02/2030 13:00:00"], await database.RowsAsync("SELECT factory.newest_evidence()"));
        await StoreAsync(database, "2030-01-02 12:30Z", "2099-01-01 12:00Z");
        Assert.Equal(["01/03/2030 00:00:00"], await database.RowsAsync("SELECT factory.newest_evidence()"));
    }

    [SkippableFact]
    public async Task After_any_database_error_retention_is_tried_again_and_its_other_half_goes_on()
    {
        await using var database = await DatabaseAsync();
        await MakePartitionsAsync(database, 1);
        await StoreAsync(database, "2030-01-01 12:00Z", "2030-01-01 12:00Z");
        await RejectAsync(
            database,
            new RejectionEntry(0, At(1, 1), "f", "future", false, null, [1], null, null),
            new RejectionEntry(0, At(6, 1), "f", "future", false, null, [1], null, null)
        );
        await database.RowsAsync("ALTER FUNCTION factory.drop_partitions(text, timestamptz, integer) RENAME TO gone");

        Assert.False(await RunAsync(database, 2030));
        Assert.Equal(["f|future|False|1|1|129"], await database.RowsAsync(Dropped));

        await database.RowsAsync("ALTER FUNCTION factory.gone(text, timestamptz, integer) RENAME TO drop_partitions");
        Assert.True(await RunAsync(database, 2030));
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=postgres;Timeout=5");
        Assert.False(await RunAsync(nowhere, 2030));
    }

    [SkippableTheory, InlineData(2030), InlineData(2099)]
    public async Task Old_rejections_are_dropped_and_stay_counted_in_the_ledger(int year)
    {
        await using var database = await DatabaseAsync();
        await RejectAsync(
            database,
            new RejectionEntry(0, At(1, 1), "f", "future", false, "é", [1, 2, 3], 5, 1, Readings: 3),
            new RejectionEntry(1, At(1, 2), "f", "future", false, null, [1], 5, 2),
            new RejectionEntry(1, At(1, 2), null, "malformed", true, null, [1], null, null),
            new RejectionEntry(1, At(1, 6), "f", "future", false, null, [1], 5, 3),
            new RejectionEntry(1, At(4, 5), "g", "future", false, null, [1], 5, 4)
        );
        var counted = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == "factorystream.aggregator.rejection.dropped")
                    listener.EnableMeasurementEvents(instrument, instrument.Meter.Scope);
            },
        };
        var own = services.GetRequiredService<IMeterFactory>();
        listener.SetMeasurementEventCallback<long>(
            (instrument, lines, _, _) => counted += ReferenceEquals(instrument.Meter.Scope, own) ? lines : 0
        );
        listener.Start();

        // 90 days before April 5, whatever the clock says: January 5.
        Assert.True(await RunAsync(database, year, month: 4, day: 5));

        Assert.Equal(["|malformed|True|1|1|129", "f|future|False|2|4|262"], await database.RowsAsync(Dropped));
        Assert.Equal(
            ["f|01/06/2030 00:00:00", "g|04/05/2030 00:00:00"],
            await database.RowsAsync("SELECT factory_id, rejected_at FROM factory.rejections ORDER BY rejected_at")
        );
        Assert.Equal(
            ["|malformed|1", "f|future|5", "g|future|1"],
            await database.RowsAsync(
                "SELECT factory_id, reason, sum(count)::bigint FROM factory.rejection_counts GROUP BY 1, 2 ORDER BY 1, 2"
            )
        );
        Assert.Equal(3, counted);
    }

    [SkippableFact]
    public async Task Rejections_of_a_factory_without_a_key_are_dropped_from_the_row_of_unknown_factories()
    {
        await using var database = await DatabaseAsync();
        await RejectAsync(
            database,
            new RejectionEntry(0, At(1, 1), "invented", "unknown_key", false, null, [1], 5, 1, IsOfUnknownFactory: true),
            new RejectionEntry(0, At(6, 1), "f", "future", false, null, [1], 5, 2)
        );

        await using (var connection = await database.OpenConnectionAsync())
            await RejectionRetention.DropAsync(connection, At(6, 2), new(2, null, 0), 10, CancellationToken.None);

        Assert.Equal(["|unknown_key|False|1|1|129"], await database.RowsAsync(Dropped));
    }

    [SkippableFact]
    public async Task Of_too_many_rejections_the_oldest_are_dropped_a_few_at_a_time()
    {
        await using var database = await DatabaseAsync();
        // Each takes 1,000 bytes.
        await RejectAsync(
            database,
            [
                .. Enumerable
                    .Range(1, 5)
                    .Select(day => new RejectionEntry(0, At(1, day), "f", "future", false, "é", new byte[870], null, null)),
            ]
        );
        await using var connection = await database.OpenConnectionAsync();

        Assert.Equal(2, await DropAsync());
        Assert.Equal(1, await DropAsync());
        Assert.Equal(0, await DropAsync());
        Assert.Equal(
            ["01/04/2030 00:00:00", "01/05/2030 00:00:00"],
            await database.RowsAsync("SELECT rejected_at FROM factory.rejections ORDER BY 1")
        );
        Assert.Equal(["f|future|False|3|3|3000"], await database.RowsAsync(Dropped));

        Task<long> DropAsync() =>
            RejectionRetention.DropAsync(connection, At(1, 6), new(null, MaxBytes: 2_500, 0), most: 2, CancellationToken.None);
    }

    [SkippableFact]
    public async Task What_was_rejected_before_its_bytes_were_counted_is_dropped_as_well()
    {
        var connection = await postgres.CreateDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connection);
        var options = FactoryDbContext
            .Configure(new DbContextOptionsBuilder<FactoryDbContext>().UseNpgsql(connection + ";Pooling=false"))
            .Options;
        await using var context = new FactoryDbContext(options);
        var migrator = context.GetService<IMigrator>();
        await migrator.MigrateAsync("20261127070000_EngineMetrics");
        await database.RowsAsync(
            """
            INSERT INTO factory.rejections (rejected_at, factory_id, reason, refused, detail, line) VALUES
                ('2030-01-01Z', 'f', 'future', false, 'é', '\x01'), ('2030-01-02Z', 'f', 'future', false, NULL, '\x01'),
                ('2030-01-02Z', NULL, 'malformed', true, NULL, '\x');
            INSERT INTO factory.rejection_counts (partition, factory_id, reason, refused, count) VALUES
                (1, 'f', 'future', false, 1), (2, 'f', 'future', false, 1), (1, '', 'malformed', true, 1);
            """
        );

        await migrator.MigrateAsync();
        Assert.Equal(
            ["1||128", "1|f|260", "2|f|0"],
            await database.RowsAsync("SELECT partition, factory_id, bytes FROM factory.rejection_counts ORDER BY 1, 2")
        );

        await using var open = await database.OpenConnectionAsync();
        Assert.Equal(3, await RejectionRetention.DropAsync(open, At(1, 6), new(null, MaxBytes: 0, 0), most: 10, CancellationToken.None));
        Assert.Equal(
            ["0"],
            await database.RowsAsync(
                "SELECT ((SELECT sum(bytes) FROM factory.rejection_counts) - (SELECT sum(bytes) FROM factory.rejections_dropped))::bigint"
            )
        );
    }

    private static DateTime At(int month, int day) => new(2030, month, day, 0, 0, 0, DateTimeKind.Utc);

    private async Task<NpgsqlDataSource> DatabaseAsync() => NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());

    private async Task<bool> RunAsync(NpgsqlDataSource database, int year, int month = 6, int day = 1)
    {
        using var instruments = new AggregatorMetrics(services.GetRequiredService<IMeterFactory>());
        var clock = new FakeTimeProvider(new DateTimeOffset(year, month, day, 0, 0, 0, TimeSpan.Zero));
        var options = Options.Create(new AggregatorOptions { RetentionDays = 5 });
        using var worker = new RetentionWorker(
            database,
            options,
            runs,
            new RetentionTimes(options, clock),
            instruments,
            clock,
            new AggregatorLog(NullLogger<AggregatorLog>.Instance)
        );
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await worker.RunAsync(patience.Token);
    }

    private static Task<string[]> MakePartitionsAsync(NpgsqlDataSource database, int days, string parent = "readings") =>
        database.RowsAsync(
            """
            SELECT lower_bound
            FROM generate_series(0, $2 - 1) AS day, factory.ensure_partition($1, '2030-01-01Z'::timestamptz + make_interval(days => day))
            """,
            parent,
            days
        );

    private static Task<string[]> StoreAsync(NpgsqlDataSource database, string measuredAt, string verdictAt) =>
        database.RowsAsync(
            "INSERT INTO factory.readings VALUES (1, 1, $1::timestamptz, $2::timestamptz, '\\x01', '{}', '\\x')",
            Time(measuredAt),
            Time(verdictAt)
        );

    private static DateTime Time(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture).UtcDateTime;

    private static Task<string[]> LeftAsync(NpgsqlDataSource database, string parent = "readings") =>
        database.RowsAsync(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1",
            $"factory.{parent}"
        );

    private static async Task RejectAsync(NpgsqlDataSource database, params RejectionEntry[] entries)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await RejectionWriter.StoreAsync(connection, entries, (_, reason) => Assert.Fail(reason), CancellationToken.None);
        await transaction.CommitAsync();
    }
}
