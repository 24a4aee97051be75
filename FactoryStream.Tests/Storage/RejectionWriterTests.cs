using System.Security.Cryptography;
using System.Text;
using FactoryStream.Storage;
using static FactoryStream.Tests.Storage.StorageSamples;

namespace FactoryStream.Tests.Storage;

[Collection(DatabaseTests.Name)]
public sealed class RejectionWriterTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task A_rejected_batch_is_kept_once_and_counts_its_readings()
    {
        await using var database = await DatabaseAsync(postgres);
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
    public async Task A_rejection_has_the_hash_of_what_was_signed_where_that_is_whole()
    {
        await using var database = await DatabaseAsync(postgres);
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await RejectionWriter.StoreAsync(
            connection,
            [
                new(3, Noon, "f", "bad_signature", false, null, """{"data": {"a":1}, "signature": "AA=="}"""u8.ToArray(), 5, 1),
                new(3, Noon, "f", "future", false, null, """{"batch": [{"a":1}], "signature": "AA=="}"""u8.ToArray(), 5, 2, 1),
                new(3, Noon, "f", "too_large", true, null, """{"data": {"a":"""u8.ToArray(), null, null),
            ],
            (_, reason) => Assert.Fail(reason),
            CancellationToken.None
        );
        await transaction.CommitAsync();

        Assert.Equal(
            [Hash("""{"a":1}"""), Hash("""[{"a":1}]"""), ""],
            await database.RowsAsync("SELECT encode(data_sha256, 'hex') FROM factory.rejections ORDER BY rejection_no")
        );

        static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    [SkippableFact]
    public async Task A_rejection_that_the_database_will_not_take_is_kept_without_its_words_and_harms_nothing_beside_it()
    {
        await using var database = await DatabaseAsync(postgres);
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
}
