using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
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
                        $"{entity.GetTableName()}|{property.GetColumnName()}|{property.GetColumnType()}"
                        + $"|{(property.IsNullable ? "YES" : "NO")}"
                    )
            );

        // Of readings and windows, which raw SQL makes, nothing else would tell.
        var made = await database.RowsAsync(
            """
            SELECT relname::text, attname::text, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'NO' ELSE 'YES' END
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = 'factory'::regnamespace AND attnum > 0 AND NOT attisdropped AND relname IN ('signing_keys', 'engines',
                'readings', 'batches', 'engine_windows', 'engine_minutes', 'engine_hours', 'engine_days', 'stale_minutes', 'rejections',
                'checkpoints', 'ledger', 'rejection_counts', 'engine_metrics', 'rejections_dropped', 'losses', 'topics', 'audit_events',
                'alert_rules', 'alerts', 'alert_events', 'redrives', 'webhooks', 'webhook_deliveries',
                'metrics')
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
                "aggregated_sensor_data|factory_id,engine_id,watermark,avg_temp_air,avg_temp_oil,avg_temp_exhaust,avg_vibration,"
                    + "avg_pressure_1,avg_pressure_2,avg_rpm,batch_size",
                "sensor_data|factory_id,engine_id,timestamp,temp_air,temp_oil,temp_exhaust,vibration,pressure_1,pressure_2,rpm",
            ],
            await database.RowsAsync(
                """
                SELECT table_name, string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns
                WHERE table_schema = 'factory' AND table_name IN ('sensor_data', 'aggregated_sensor_data')
                GROUP BY table_name ORDER BY table_name
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

        Assert.Contains("expected the encoding UTF8, found LATIN1", exception.Message, StringComparison.Ordinal);
        Assert.Contains("CREATE DATABASE latin ENCODING 'UTF8'", exception.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_views_show_what_is_stored_and_no_odd_number_breaks_them()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await database.ScalarAsync<DateTime>("SELECT lower_bound FROM factory.ensure_partition('readings', '2026-01-01Z')");
        await database.ScalarAsync<DateTime>("SELECT lower_bound FROM factory.ensure_partition('engine_windows', '2026-01-01Z')");
        await database.RowsAsync(
            """
            INSERT INTO factory.engines (engine_no, factory_id, engine_id) VALUES (1, 'f', 'e');
            INSERT INTO factory.readings VALUES
                (1, 1, '2026-01-01 00:00:01Z', '2026-01-01 00:00:02Z', '\x01',
                    '{"temp_air": 20.5, "rpm": 3.0e3, "vibration": -1E-2}', '\x'),
                (1, 1, '2026-01-01 00:00:02Z', '2026-01-01 00:00:02Z', '\x02', '{"temp_air": 1e-400, "rpm": 1.7e308}', '\x'),
                (1, 1, '2026-01-01 00:00:03Z', '2026-01-01 00:00:03Z', '\x03',
                    '{"temp_air": "1", "temp_oil": null, "vibration": {"x": 1}, "rpm": 7}', '\x');
            INSERT INTO factory.engine_windows (engine_no, revision, window_start, window_end, updated_at, metrics, counts, sums, mins,
                maxs, squared_deviations) VALUES
                (1, 0, '2026-01-01 00:00:00Z', '2026-01-01 00:00:10Z', now(), '{temp_air,rpm}', '{4,3}', '{10,12}', '{1,1}', '{4,4}',
                    '{5,5}');
            """
        );

        Assert.Equal(
            ["f|e|01/01/2026 00:00:01|20.5||-0.01|3000", "f|e|01/01/2026 00:00:02|0|||1.7E+308", "f|e|01/01/2026 00:00:03||||7"],
            await database.RowsAsync(
                """
                SELECT factory_id, engine_id, "timestamp", temp_air, temp_oil, vibration, rpm FROM factory.sensor_data
                ORDER BY "timestamp"
                """
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
    public async Task Windows_that_were_stored_metric_by_metric_stay_when_the_database_is_migrated_and_back()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        using var context = new FactoryDbContext(
            FactoryDbContext.Configure(new DbContextOptionsBuilder<FactoryDbContext>().UseNpgsql(database)).Options
        );
        var migrator = context.GetService<IMigrator>();
        await migrator.MigrateAsync("20261127130000_RejectedData");
        foreach (var moment in (string[])["2020-03-09Z", "2031-01-01Z"])
            await database.RowsAsync($"SELECT factory.ensure_partition('windows', '{moment}')");
        await database.RowsAsync(
            """
            INSERT INTO factory.engines (engine_no, factory_id, engine_id) VALUES (1, 'f', 'e');
            INSERT INTO factory.windows (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at,
                metric) VALUES
                (1, 0, '2020-03-09 12:00:00Z', '2020-03-09 12:00:10Z', 4, 10, 1, 4, 5, '2020-03-09 13:00Z', 'rpm'),
                (1, 2, '2020-03-09 12:00:00Z', '2020-03-09 12:00:10Z', 3, 12, 2, 6, 8, '2020-03-09 14:00Z', 'air'),
                (2, 0, '2020-03-09 12:00:00Z', '2020-03-09 12:00:10Z', 1, 7, 7, 7, 0, '2020-03-09 13:00Z', 'rpm'),
                (1, 1, '2031-01-01 00:00:00Z', '2031-01-01 00:00:10Z', 2, 3, 1, 2, 0.5, '2031-01-01 01:00Z', 'rpm');
            """
        );
        const string Windows = """
            SELECT engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation, updated_at, closed, metric
            FROM factory.windows ORDER BY engine_no, window_start, metric
            """;
        string[] expected =
        [
            "1|2|03/09/2020 12:00:00|03/09/2020 12:00:10|3|12|2|6|8|03/09/2020 14:00:00|True|air",
            // A window's row tells of all its metrics when and how often it was corrected.
            "1|2|03/09/2020 12:00:00|03/09/2020 12:00:10|4|10|1|4|5|03/09/2020 14:00:00|True|rpm",
            "1|1|01/01/2031 00:00:00|01/01/2031 00:00:10|2|3|1|2|0.5|01/01/2031 01:00:00|True|rpm",
            "2|0|03/09/2020 12:00:00|03/09/2020 12:00:10|1|7|7|7|0|03/09/2020 13:00:00|True|rpm",
        ];

        await migrator.MigrateAsync();
        Assert.Equal(expected, await database.RowsAsync(Windows));
        Assert.Equal(3L, await database.ScalarAsync<long>("SELECT count(*) FROM factory.engine_windows"));
        await migrator.MigrateAsync("20261127130000_RejectedData");
        Assert.Equal(expected, await database.RowsAsync(Windows));
        Assert.Equal(1L, await database.ScalarAsync<long>("SELECT count(*) FROM factory.aggregated_sensor_data WHERE batch_size = 4"));
        await migrator.MigrateAsync();

        Assert.Equal(expected, await database.RowsAsync(Windows));
    }
}
