using FactoryStream.Storage;
using Npgsql;
using static FactoryStream.Tests.Storage.StorageSamples;

namespace FactoryStream.Tests.Storage;

[Collection(DatabaseTests.Name)]
public sealed class ReadingStatementsTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Copy_stores_the_exact_bytes_that_were_signed()
    {
        await using var database = await DatabaseAsync(postgres);
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
                SELECT engine_no, key_no, data::text, convert_from(signature, 'UTF8'), measured_at AT TIME ZONE 'UTC' || '+00',
                    data_sha256 = sha256(convert_to(data::text, 'UTF8'))
                FROM factory.readings
                """
            )
        );
    }

    [SkippableFact]
    public async Task Of_readings_that_may_be_there_only_the_new_ones_are_told_and_the_first_of_equals()
    {
        await using var database = await DatabaseAsync(postgres);
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
    public async Task A_reading_has_a_signature_or_a_batch_and_never_both_or_none()
    {
        await using var database = await DatabaseAsync(postgres);
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
}
