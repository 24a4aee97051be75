using System.Security.Cryptography;
using System.Text;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Aggregator.Windowing;
using FactoryStream.Storage;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Npgsql;

namespace FactoryStream.Tests.Storage;

[Collection(DatabaseTests.Name)]
public sealed class BatchWriterTests(PostgresFixture postgres)
{
    private static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    [SkippableFact]
    public async Task Copy_stores_the_exact_bytes_that_were_signed()
    {
        await using var database = await DatabaseAsync();
        const string Data = "{ \"factory_id\":\"f\",\t\"rpm\": 1.50e0 , \"größe\":\"\\u0041\", \"rpm2\":1}  ";
        var entry = Entry(1, Noon.AddTicks(10), Data);
        var rows = new BinaryCopyBuffer();
        rows.Reset();
        ReadingStatements.Append(rows, entry);

        await using (var connection = await database.OpenConnectionAsync())
            await rows.CopyToAsync(connection, ReadingStatements.CopyTarget, CancellationToken.None);

        Assert.Equal(
            [$"1|7|{Data}|SIGNATURE|2026-01-01 12:00:00.000001+00|True"],
            await database.RowsAsync(
                """
                SELECT engine_no, key_no, data::text, convert_from(signature, 'UTF8'), measured_at AT TIME ZONE 'UTC' || '+00', data_sha256 = sha256(convert_to(data::text, 'UTF8')) FROM factory.readings
                """
            )
        );
    }

    [SkippableFact]
    public async Task Of_readings_that_may_be_there_only_the_new_ones_are_told_and_the_first_of_equals()
    {
        await using var database = await DatabaseAsync();
        await using var connection = await database.OpenConnectionAsync();
        Assert.Equal([0], await ReadingStatements.InsertNewAsync(connection, [Entry(1, Noon, "{}")], CancellationToken.None));

        ReadingEntry[] entries =
        [
            Entry(2, Noon, "{}"),
            Entry(1, Noon, "{}"),
            Entry(1, Noon, "{ }"),
            Entry(2, Noon, "{}"),
            Entry(1, Noon.AddTicks(10), "{}"),
        ];

        Assert.Equal([0, 2, 4], (await ReadingStatements.InsertNewAsync(connection, entries, CancellationToken.None)).Order());
        Assert.Equal(4L, await database.ScalarAsync<long>("SELECT count(*) FROM factory.readings"));
    }

    [SkippableFact]
    public async Task A_signed_batch_is_stored_once_and_its_readings_refer_to_it_on_either_way()
    {
        await using var database = await DatabaseAsync();
        await new TablePartitions(database, "batches").EnsureAsync(Noon, CancellationToken.None);
        await using var connection = await database.OpenConnectionAsync();
        var array = Encoding.UTF8.GetBytes("[{ }, {\"a\":1}]" + new string(' ', 10_000));
        var batch = new BatchEntry(SHA256.HashData(array), Noon, 7, Noon, array, "SIGNATURE"u8.ToArray());
        var other = batch with { Sha256 = SHA256.HashData("[]"u8), Data = "[]"u8.ToArray() };
        var rows = new BinaryCopyBuffer();
        rows.Reset();
        ReadingStatements.Append(rows, Entry(1, Noon, "{ }") with { Signature = default, BatchSha256 = batch.Sha256 });
        await rows.CopyToAsync(connection, ReadingStatements.CopyTarget, CancellationToken.None);
        Assert.Equal(
            [0, 1],
            (
                await ReadingStatements.InsertNewAsync(
                    connection,
                    [Entry(1, Noon, "{\"a\":1}") with { Signature = default, BatchSha256 = batch.Sha256 }, Entry(2, Noon, "{}")],
                    CancellationToken.None
                )
            ).Order()
        );
        foreach (
            var batches in (List<BatchEntry>[])
                [
                    [other, batch],
                    [batch, other],
                ]
        )
        {
            await using var statements = new NpgsqlBatch(connection);
            statements.BatchCommands.Add(BatchStatements.Insert(batches));
            await statements.ExecuteNonQueryAsync();
        }

        Assert.Equal(
            [$"7|SIGNATURE|{array.Length}|True|True", "7|SIGNATURE|2|True|True"],
            await database.RowsAsync(
                """
                SELECT key_no, convert_from(signature, 'UTF8'), length(data), sha256 = sha256(data), pg_column_size(data) >= length(data) FROM factory.batches ORDER BY length(data) DESC
                """
            )
        );
        Assert.Equal(
            ["""1|{ }||True""", """1|{"a":1}||True""", """2|{}|SIGNATURE|False"""],
            await database.RowsAsync(
                """
                SELECT engine_no, r.data::text, convert_from(r.signature, 'UTF8'), b.sha256 IS NOT NULL AND position(convert_to(r.data::text, 'UTF8') IN b.data) > 0
                FROM factory.readings r LEFT JOIN factory.batches b ON b.sha256 = r.batch_sha256 ORDER BY 1, 2
                """
            )
        );
    }

    [SkippableFact]
    public async Task A_reading_has_a_signature_or_a_batch_and_never_both_or_none()
    {
        await using var database = await DatabaseAsync();
        foreach (var (signature, batch) in ((string, string)[])[("NULL", "NULL"), ("'a'", "'b'")])
        {
            var exception = await Assert.ThrowsAsync<PostgresException>(() =>
                database.RowsAsync(
                    "INSERT INTO factory.readings (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature, "
                        + $"batch_sha256) VALUES (1, 1, '{Noon:O}', now(), 'x', '{{}}', {signature}, {batch})"
                )
            );
            Assert.Equal("ck_readings_evidence", exception.ConstraintName);
        }
    }

    [SkippableFact]
    public async Task A_rejected_batch_is_kept_once_and_counts_its_readings()
    {
        await using var database = await DatabaseAsync();
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await RejectionWriter.StoreAsync(
            connection,
            [
                new(3, Noon, "f", "future", false, null, "[]"u8.ToArray(), 5, 1, 100),
                new(3, Noon, "f", "future", false, null, "x"u8.ToArray(), 5, 2),
            ],
            (_, reason) => Assert.Fail(reason),
            CancellationToken.None
        );
        await transaction.CommitAsync();

        Assert.Equal(["1|100", "2|1"], await database.RowsAsync("SELECT source_line, readings FROM factory.rejections ORDER BY 1"));
        Assert.Equal(["f|future|101"], await database.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
    }

    [SkippableFact]
    public async Task A_rejection_that_the_database_will_not_take_is_kept_without_its_words_and_harms_nothing_beside_it()
    {
        await using var database = await DatabaseAsync();
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ReadingStatements.InsertNewAsync(connection, [Entry(1, Noon, "{}")], CancellationToken.None);
        var bared = new List<string>();
        await RejectionWriter.StoreAsync(
            connection,
            [
                new(3, Noon, "f", "future", false, "one", "a"u8.ToArray(), 5, 1),
                new(3, Noon, "f", "no\0reason", false, "two", "b"u8.ToArray(), 5, 2),
                new(3, Noon, "f\0", "future", false, "thr\0ee \ud800", [0, 255], 5, 3),
            ],
            (entry, _) => bared.Add(entry.Detail!),
            CancellationToken.None
        );
        await transaction.CommitAsync();

        Assert.Equal(["two"], bared);
        Assert.Equal(
            ["1|f|future|one|61", "2||malformed||62", "3||future|thr\uFFFDee \uFFFD|00ff"],
            await database.RowsAsync(
                "SELECT source_line, factory_id, reason, detail, encode(line, 'hex') FROM factory.rejections ORDER BY 1"
            )
        );
        Assert.Equal(
            ["|future|1", "|malformed|1", "f|future|1"],
            await database.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts ORDER BY 1, 2")
        );
        Assert.Equal(1L, await database.ScalarAsync<long>("SELECT count(*) FROM factory.readings"));
    }

    [SkippableFact]
    public async Task An_older_epoch_and_another_offset_change_nothing()
    {
        await using var database = await DatabaseAsync();
        var checkpoints = new CheckpointReader(database);
        var first = await checkpoints.AcquireAsync("t", 0, "id", CancellationToken.None);
        var second = await checkpoints.AcquireAsync("t", 0, "id", CancellationToken.None);
        await using var connection = await database.OpenConnectionAsync();

        await Assert.ThrowsAsync<FencedException>(() => AdvanceAsync(first.Epoch, 0, 5));
        await AdvanceAsync(second.Epoch, 0, 5);
        await Assert.ThrowsAsync<FencedException>(() => AdvanceAsync(second.Epoch, 0, 7));
        await AdvanceAsync(second.Epoch, 5, 7);
        Assert.Equal(
            ["2|7|4|1"],
            await database.RowsAsync("SELECT epoch, next_offset, source_offset, source_line FROM factory.checkpoints")
        );

        var other = await checkpoints.AcquireAsync("t", 0, "another id", CancellationToken.None);
        Assert.Equal((3, 0, 4), (other.Epoch, other.NextOffset, other.SourceOffset));

        Task AdvanceAsync(long epoch, long from, long to) =>
            CheckpointStatements.AdvanceAsync(connection, [new CheckpointStep("t", 0, epoch, from, to, "s", 4, 1)], CancellationToken.None);
    }

    [SkippableFact]
    public async Task Late_totals_are_merged_into_the_row_and_make_one_where_there_is_none()
    {
        await using var database = await DatabaseAsync();
        await using var connection = await database.OpenConnectionAsync();
        await MergeAsync(0, Of("a", 1, 2, 3));
        await MergeAsync(1, Of("a", 10), Of("b", 4, 8));
        await MergeAsync(1, Of("a", -6, 2));

        var all = Of("a", 1, 2, 3, 10, -6, 2);
        Assert.Equal(
            ["a|2|6|12|-6|10", "b|1|2|12|4|8"],
            await database.RowsAsync("SELECT metric, revision, count, sum, min, max FROM factory.windows ORDER BY metric")
        );
        Assert.Equal(
            all.SquaredDeviation,
            await database.ScalarAsync<double>("SELECT squared_deviation FROM factory.windows WHERE metric = 'a'"),
            1e-9
        );

        Task MergeAsync(int revision, params WindowTotals[] windows) =>
            WindowStore.MergeAsync(connection, windows, revision, Noon, CancellationToken.None);
    }

    [SkippableFact]
    public async Task No_value_that_a_machine_may_send_breaks_a_merge()
    {
        await using var database = await DatabaseAsync();
        await using var connection = await database.OpenConnectionAsync();
        double[] values = [1.7e308, -1.7e308, 1.7e308, 1e200, -1e-200, 5e-324, 1e-170, 0];
        foreach (var value in values)
            await WindowStore.MergeAsync(connection, [Of("a", value)], 1, Noon, CancellationToken.None);

        Assert.Equal(
            ["8|-1.7E+308|1.7E+308|True"],
            await database.RowsAsync(
                "SELECT count, min, max, sum / count < 1e308 AND sqrt(squared_deviation / count) > 1e100 FROM factory.windows"
            )
        );
    }

    [Property(MaxTest = 300)]
    public Property Merged_totals_are_those_of_all_values_at_once() =>
        Prop.ForAll(
            Gen.Choose(-1_000_000, 1_000_000).Select(value => value / 1000.0).NonEmptyListOf().Two().ToArbitrary(),
            values =>
            {
                var merged = Totals([.. values.Item1]).With(Totals([.. values.Item2]));
                var all = Of("a", [.. values.Item1, .. values.Item2]);
                return merged.Count == all.Count
                    && merged.Min == all.Min
                    && merged.Max == all.Max
                    && Math.Abs(merged.Sum - all.Sum) <= 1e-6
                    && Math.Abs(merged.SquaredDeviation - all.SquaredDeviation) <= 1e-9 * Math.Max(1, all.SquaredDeviation);
            }
        );

    [SkippableFact]
    public async Task More_engines_than_a_notification_holds_are_all_engines()
    {
        await using var database = await DatabaseAsync();
        await using var connection = await database.OpenConnectionAsync();
        var heard = new List<string>();
        connection.Notification += (_, notification) => heard.Add(notification.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {WindowStatements.Channel}", connection))
            await listen.ExecuteNonQueryAsync();
        foreach (
            var engines in (int[][])
                [
                    [1, 5, 7],
                    [.. Enumerable.Range(1, 5000)],
                ]
        )
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(WindowStatements.Notify(engines));
            await batch.ExecuteNonQueryAsync();
        }
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (heard.Count < 2)
            await connection.WaitAsync(timeout.Token);

        Assert.Equal(["[1,5,7]", "\"*\""], heard);
    }

    private async Task<NpgsqlDataSource> DatabaseAsync()
    {
        var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await new TablePartitions(database, "readings").EnsureAsync(Noon, CancellationToken.None);
        await new TablePartitions(database, "windows").EnsureAsync(Noon, CancellationToken.None);
        return database;
    }

    private static ReadingEntry Entry(int engineNo, DateTime measuredAt, string data)
    {
        var bytes = Encoding.UTF8.GetBytes(data);
        return new ReadingEntry(engineNo, 7, measuredAt, measuredAt, SHA256.HashData(bytes), bytes, "SIGNATURE"u8.ToArray());
    }

    private static MetricTotals Totals(params double[] values)
    {
        var row = Of("a", values);
        return new(row.Metric, row.Count, row.Sum, row.Min, row.Max, row.SquaredDeviation);
    }

    /// <summary>By definition, not by any update formula.</summary>
    private static WindowTotals Of(string metric, params double[] values)
    {
        var mean = values.Average();
        return new WindowTotals(
            1,
            Noon,
            Noon.AddSeconds(10),
            metric,
            values.Length,
            values.Sum(),
            values.Min(),
            values.Max(),
            values.Sum(value => (value - mean) * (value - mean))
        );
    }
}
