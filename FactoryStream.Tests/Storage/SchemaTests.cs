using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace FactoryStream.Tests.Storage;

[Collection(DatabaseTests.Name)]
public sealed class SchemaTests(PostgresFixture postgres)
{
    [Fact]
    public void The_migrations_make_what_the_model_says()
    {
        using var context = new FactoryDbContext(
            FactoryDbContext.Configure(new DbContextOptionsBuilder<FactoryDbContext>().UseNpgsql()).Options
        );
        Assert.False(context.Database.HasPendingModelChanges());
    }

    [SkippableFact]
    public async Task The_tables_have_the_columns_of_the_model()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        using var context = new FactoryDbContext(
            FactoryDbContext.Configure(new DbContextOptionsBuilder<FactoryDbContext>().UseNpgsql()).Options
        );
        var model = context
            .Model.GetEntityTypes()
            .SelectMany(entity =>
                entity
                    .GetProperties()
                    .Select(property =>
                        $"{entity.GetTableName()}|{property.GetColumnName()}|{property.GetColumnType()}|{(property.IsNullable ? "YES" : "NO")}"
                    )
            );

        // Of readings and windows, which raw SQL makes, nothing else would tell.
        var made = await database.RowsAsync(
            """
            SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
            WHERE table_schema = 'factory' AND table_name IN ('signing_keys', 'engines', 'readings', 'batches', 'windows', 'rejections',
                'checkpoints', 'ledger', 'rejection_counts', 'engine_metrics', 'rejections_dropped', 'losses', 'topics')
            """
        );

        Assert.Equal(model.Order(StringComparer.Ordinal), made.Order(StringComparer.Ordinal));
    }

    [SkippableFact]
    public async Task The_views_have_the_columns_of_the_Python_system()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());

        Assert.Equal(
            [
                "aggregated_sensor_data|factory_id,engine_id,watermark,avg_temp_air,avg_temp_oil,avg_temp_exhaust,avg_vibration,avg_pressure_1,avg_pressure_2,avg_rpm,batch_size",
                "sensor_data|factory_id,engine_id,timestamp,temp_air,temp_oil,temp_exhaust,vibration,pressure_1,pressure_2,rpm",
            ],
            await database.RowsAsync(
                """
                SELECT table_name, string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns
                WHERE table_schema = 'factory' AND table_name IN ('sensor_data', 'aggregated_sensor_data') GROUP BY table_name ORDER BY table_name
                """
            )
        );
    }

    [SkippableFact]
    public async Task A_database_that_is_not_of_UTF8_is_refused_with_what_to_do()
    {
        await using var admin = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await using (var utf8 = await admin.OpenConnectionAsync())
            await DatabaseEncoding.RequireUtf8Async(utf8, CancellationToken.None);
        await admin.RowsAsync("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
        await using var latin = new NpgsqlConnection(postgres.ConnectionString("latin") + ";Pooling=false");
        await latin.OpenAsync();

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            DatabaseEncoding.RequireUtf8Async(latin, CancellationToken.None)
        );

        Assert.Contains("has the encoding LATIN1; FactoryStream needs UTF8", exception.Message, StringComparison.Ordinal);
        Assert.Contains("CREATE DATABASE latin ENCODING 'UTF8'", exception.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_views_show_what_is_stored_and_no_odd_number_breaks_them()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await database.ScalarAsync<DateTime>("SELECT lower_bound FROM factory.ensure_partition('readings', '2026-01-01Z')");
        await database.ScalarAsync<DateTime>("SELECT lower_bound FROM factory.ensure_partition('windows', '2026-01-01Z')");
        await database.RowsAsync(
            """
            INSERT INTO factory.engines (engine_no, factory_id, engine_id) VALUES (1, 'f', 'e');
            INSERT INTO factory.readings VALUES
                (1, 1, '2026-01-01 00:00:01Z', '2026-01-01 00:00:02Z', '\x01', '{"temp_air": 20.5, "rpm": 3.0e3, "vibration": -1E-2}', '\x'),
                (1, 1, '2026-01-01 00:00:02Z', '2026-01-01 00:00:02Z', '\x02', '{"temp_air": 1e-400, "rpm": 1.7e308}', '\x'),
                (1, 1, '2026-01-01 00:00:03Z', '2026-01-01 00:00:03Z', '\x03', '{"temp_air": "1", "temp_oil": null, "vibration": {"x": 1}, "rpm": 7}', '\x');
            INSERT INTO factory.windows (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at, metric) VALUES
                (1, 0, '2026-01-01 00:00:00Z', '2026-01-01 00:00:10Z', 4, 10, 1, 4, 5, now(), 'temp_air'),
                (1, 0, '2026-01-01 00:00:00Z', '2026-01-01 00:00:10Z', 3, 12, 1, 4, 5, now(), 'rpm');
            """
        );

        Assert.Equal(
            ["f|e|01/01/2026 00:00:01|20.5||-0.01|3000", "f|e|01/01/2026 00:00:02|0|||1.7E+308", "f|e|01/01/2026 00:00:03||||7"],
            await database.RowsAsync(
                """SELECT factory_id, engine_id, "timestamp", temp_air, temp_oil, vibration, rpm FROM factory.sensor_data ORDER BY "timestamp" """
            )
        );
        Assert.Equal(
            ["f|e|01/01/2026 00:00:10|2.5||4|4"],
            await database.RowsAsync(
                "SELECT factory_id, engine_id, watermark, avg_temp_air, avg_temp_oil, avg_rpm, batch_size FROM "
                    + "factory.aggregated_sensor_data"
            )
        );
    }

    [SkippableFact]
    public async Task Many_may_ask_for_the_same_partition_at_once_while_others_write()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await database.ScalarAsync<DateTime>("SELECT lower_bound FROM factory.ensure_partition('readings', '2030-01-01Z')");
        await using var writer = await database.OpenConnectionAsync();
        await using var transaction = await writer.BeginTransactionAsync();
        await using (
            var insert = new NpgsqlCommand("INSERT INTO factory.readings VALUES (1, 1, '2030-01-01Z', now(), '\\x01', '{}', '\\x')", writer)
        )
            await insert.ExecuteNonQueryAsync();

        // The writer's transaction is still open: nobody waits for it.
        var bounds = await Task.WhenAll(
                Enumerable
                    .Range(0, 16)
                    .Select(async number =>
                    {
                        var day = new DateTime(2030, 1, 2 + number % 4, 13, 0, 0, DateTimeKind.Utc);
                        return await database.ScalarAsync<DateTime>(
                            "SELECT upper_bound FROM factory.ensure_partition('readings', $1)",
                            day
                        );
                    })
            )
            .WaitAsync(TimeSpan.FromSeconds(60));

        await transaction.CommitAsync();
        Assert.Equal([3, 4, 5, 6], bounds.Select(bound => bound.Day).Distinct().Order());
        Assert.Equal(
            5L,
            await database.ScalarAsync<long>("SELECT count(*) FROM pg_inherits WHERE inhparent = 'factory.readings'::regclass")
        );
    }

    [SkippableFact]
    public async Task Days_from_the_installation_on_and_months_before_make_a_bounded_number_of_partitions()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await database.RowsAsync("UPDATE factory.installation SET daily_since = '2026-02-01'");

        Assert.Equal(["01/01/1970 00:00:00|02/01/1970 00:00:00"], await BoundsAsync("1970-01-17 12:00Z"));
        Assert.Equal(["01/01/2026 00:00:00|02/01/2026 00:00:00"], await BoundsAsync("2026-01-31 23:59:59.999999Z"));
        Assert.Equal(["02/01/2026 00:00:00|02/02/2026 00:00:00"], await BoundsAsync("2026-02-01Z"));
        Assert.Equal(["12/31/9998 00:00:00|01/01/9999 00:00:00"], await BoundsAsync("9998-12-31 12:00Z"));

        Task<string[]> BoundsAsync(string moment) =>
            database.RowsAsync(
                "SELECT lower_bound, upper_bound FROM factory.ensure_partition('windows', $1::timestamptz)",
                DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture).UtcDateTime
            );
    }

    [SkippableFact]
    public async Task Partitions_of_rows_that_are_only_inserted_are_not_vacuumed_for_that()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        foreach (var table in (string[])["readings", "batches", "windows"])
            await database.ScalarAsync<DateTime>(
                "SELECT lower_bound FROM factory.ensure_partition($1, $2)",
                table,
                new DateTime(2031, 1, 1, 0, 0, 0, DateTimeKind.Utc)
            );

        Assert.Equal(
            ["batches_20310101", "readings_20310101"],
            await database.RowsAsync(
                "SELECT relname::text FROM pg_class WHERE relname LIKE '%20310101' AND 'autovacuum_vacuum_insert_threshold=-1' = "
                    + "ANY (reloptions) ORDER BY 1"
            )
        );
    }

    [SkippableFact]
    public async Task Batches_go_with_their_readings_and_never_before_them()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        foreach (var table in (string[])["readings", "batches"])
        {
            foreach (var day in (int[])[1, 2, 3])
                await database.ScalarAsync<DateTime>(
                    "SELECT lower_bound FROM factory.ensure_partition($1, $2)",
                    table,
                    new DateTime(2030, 1, day, 0, 0, 0, DateTimeKind.Utc)
                );
        }

        // While someone reads a batch that would go, nothing goes.
        await using (var reader = await database.OpenConnectionAsync())
        {
            await using var transaction = await reader.BeginTransactionAsync();
            await using (var export = new NpgsqlCommand("SELECT count(*) FROM factory.batches_20300102", reader))
                await export.ExecuteScalarAsync();
            Assert.Equal(PostgresErrorCodes.LockNotAvailable, (await Assert.ThrowsAsync<PostgresException>(DropAsync)).SqlState);
            Assert.Equal(6, (await LeftAsync()).Length);
        }

        Assert.Equal(4, await DropAsync());
        Assert.Equal(["factory.batches_20300103", "factory.readings_20300103"], await LeftAsync());

        Task<int> DropAsync() => database.ScalarAsync<int>("SELECT factory.drop_partitions('readings', '2030-01-03 12:00Z')");

        Task<string[]> LeftAsync() =>
            database.RowsAsync(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent IN ('factory.readings'::regclass, "
                    + "'factory.batches'::regclass) ORDER BY 1"
            );
    }

    [SkippableFact]
    public async Task A_database_with_readings_is_taken_on_and_new_partitions_are_like_the_old()
    {
        var connection = await postgres.CreateDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connection);
        var options = FactoryDbContext
            .Configure(new DbContextOptionsBuilder<FactoryDbContext>().UseNpgsql(connection + ";Pooling=false"))
            .Options;
        await using var context = new FactoryDbContext(options);
        var migrator = context.GetService<Microsoft.EntityFrameworkCore.Migrations.IMigrator>();
        await migrator.MigrateAsync("20261123210000_SafeReaders");
        await database.ScalarAsync<DateTime>("SELECT lower_bound FROM factory.ensure_partition('readings', '2030-01-01Z')");
        await database.RowsAsync(
            """
            INSERT INTO factory.readings VALUES (1, 1, '2030-01-01Z', now(), '\x01', '{}', '\x02');
            INSERT INTO factory.rejections (rejected_at, reason, refused, line) VALUES (now(), 'future', false, '\x01');
            """
        );

        await migrator.MigrateAsync();
        await database.ScalarAsync<DateTime>("SELECT lower_bound FROM factory.ensure_partition('readings', '2030-01-02Z')");
        await database.RowsAsync(
            """
            INSERT INTO factory.readings VALUES (1, 1, '2030-01-01 01:00Z', now(), '\x01', '{}', NULL, '\x03'), (1, 1, '2030-01-02Z', now(), '\x01', '{}', NULL, '\x03')
            """
        );

        Assert.Equal(
            ["01/01/2030 00:00:00|1|0", "01/01/2030 01:00:00|0|1", "01/02/2030 00:00:00|0|1"],
            await database.RowsAsync(
                "SELECT measured_at, coalesce(length(signature), 0), coalesce(length(batch_sha256), 0) FROM factory.readings ORDER BY 1"
            )
        );
        Assert.Equal(1, await database.ScalarAsync<int>("SELECT readings FROM factory.rejections"));
        Assert.Equal(["3"], await database.RowsAsync("SELECT count(*) FROM pg_constraint WHERE conname = 'ck_readings_evidence'"));
    }

    [SkippableFact]
    public async Task Retention_drops_whole_partitions_and_gives_way_to_a_reader()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        foreach (var day in (int[])[1, 2, 3])
            await database.ScalarAsync<DateTime>(
                "SELECT lower_bound FROM factory.ensure_partition('readings', $1)",
                new DateTime(2030, 1, day, 0, 0, 0, DateTimeKind.Utc)
            );

        await using (var reader = await database.OpenConnectionAsync())
        {
            await using var transaction = await reader.BeginTransactionAsync();
            await using (var export = new NpgsqlCommand("SELECT count(*) FROM factory.readings", reader))
                await export.ExecuteScalarAsync();
            var exception = await Assert.ThrowsAsync<PostgresException>(DropAsync);
            Assert.Equal(PostgresErrorCodes.LockNotAvailable, exception.SqlState);
        }

        Assert.Equal(2, await DropAsync());
        Assert.Equal(
            ["factory.readings_20300103"],
            await database.RowsAsync("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'factory.readings'::regclass")
        );

        Task<int> DropAsync() => database.ScalarAsync<int>("SELECT factory.drop_partitions('readings', '2030-01-03 12:00Z')");
    }
}
