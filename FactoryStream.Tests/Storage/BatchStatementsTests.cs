using System.Security.Cryptography;
using System.Text;
using FactoryStream.Storage;
using Npgsql;
using static FactoryStream.Tests.Storage.StorageSamples;

namespace FactoryStream.Tests.Storage;

[Collection(DatabaseTests.Name)]
public sealed class BatchStatementsTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task A_signed_batch_is_stored_once_and_its_readings_refer_to_it_on_either_way()
    {
        await using var database = await DatabaseAsync(postgres);
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
                SELECT key_no, convert_from(signature, 'UTF8'), length(data), sha256 = sha256(data), pg_column_size(data) >= length(data)
                FROM factory.batches ORDER BY length(data) DESC
                """
            )
        );
        Assert.Equal(
            ["""1|{ }||True""", """1|{"a":1}||True""", """2|{}|SIGNATURE|False"""],
            await database.RowsAsync(
                """
                SELECT engine_no, r.data::text, convert_from(r.signature, 'UTF8'),
                    b.sha256 IS NOT NULL AND position(convert_to(r.data::text, 'UTF8') IN b.data) > 0
                FROM factory.readings r LEFT JOIN factory.batches b ON b.sha256 = r.batch_sha256 ORDER BY 1, 2
                """
            )
        );
    }
}
