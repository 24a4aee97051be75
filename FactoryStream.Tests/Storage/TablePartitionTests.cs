using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace FactoryStream.Tests.Storage;

[Collection(DatabaseTests.Name)]
public sealed class TablePartitionTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Many_may_ask_for_the_same_table_partition_at_once_while_others_write()
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
    public async Task Days_from_the_installation_on_and_months_before_make_a_bounded_number_of_table_partitions()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await database.RowsAsync("UPDATE factory.installation SET daily_since = '2026-02-01'");

        Assert.Equal(["01/01/1970 00:00:00|02/01/1970 00:00:00"], await BoundsAsync("1970-01-17 12:00Z"));
        Assert.Equal(["01/01/2026 00:00:00|02/01/2026 00:00:00"], await BoundsAsync("2026-01-31 23:59:59.999999Z"));
        Assert.Equal(["02/01/2026 00:00:00|02/02/2026 00:00:00"], await BoundsAsync("2026-02-01Z"));
        Assert.Equal(["12/31/9998 00:00:00|01/01/9999 00:00:00"], await BoundsAsync("9998-12-31 12:00Z"));

        Task<string[]> BoundsAsync(string moment) =>
            database.RowsAsync(
                "SELECT lower_bound, upper_bound FROM factory.ensure_partition('engine_windows', $1::timestamptz)",
                DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture).UtcDateTime
            );
    }

    [SkippableFact]
    public async Task Table_partitions_of_rows_that_are_only_inserted_are_not_vacuumed_for_that()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        foreach (var table in (string[])["readings", "batches", "engine_windows"])
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
    public async Task A_database_with_readings_is_taken_on_and_new_table_partitions_are_like_the_old()
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
            INSERT INTO factory.readings VALUES
                (1, 1, '2030-01-01 01:00Z', now(), '\x01', '{}', NULL, '\x03'),
                (1, 1, '2030-01-02Z', now(), '\x01', '{}', NULL, '\x03')
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
    public async Task Retention_drops_whole_table_partitions_and_gives_way_to_a_reader()
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
