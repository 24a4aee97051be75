using FactoryStream.Storage;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Aggregator;

/// <summary>How long lines that no enrolled key fits are kept, so that they can be sent again.</summary>
[Collection(DatabaseTests.Name)]
public sealed class UnknownKeyRetentionTests(PostgresFixture postgres)
{
    // With what a rejection takes besides its line, 256 bytes each.
    private static readonly byte[] Line = new byte[256 - RejectionRetention.Overhead];

    [SkippableTheory]
    // No promise: the four newest of all nine.
    [InlineData(0, 4, "known 6, known 7, known 8, unknown_key 9")]
    // The older one is within the days and a quarter of eight: it stays in place of a newer one of another reason.
    [InlineData(9, 8, "known 3, known 4, known 5, known 6, known 7, known 8, unknown_key 1, unknown_key 9")]
    // A quarter of four is one: the older is as all others.
    [InlineData(9, 4, "known 6, known 7, known 8, unknown_key 9")]
    // The older one is not within the days.
    [InlineData(3, 8, "known 2, known 3, known 4, known 5, known 6, known 7, known 8, unknown_key 9")]
    public async Task By_size_lines_without_a_key_stay_so_long_and_take_no_more_than_a_quarter(int days, int most, string kept)
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await database.RejectAsync([Of("unknown_key", 1), .. Enumerable.Range(2, 7).Select(day => Of("known", day)), Of("unknown_key", 9)]);

        await DropAsync(database, new(null, most * 256, days));

        Assert.Equal(kept, await KeptAsync(database));
    }

    [SkippableFact]
    public async Task By_age_lines_without_a_key_are_not_dropped_before_the_promise_ends()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await database.RejectAsync(Of("known", 2), Of("unknown_key", 2), Of("unknown_key", 6), Of("known", 6), Of("known", 10));

        await DropAsync(database, new(2, null, 7));

        Assert.Equal("known 10, unknown_key 6", await KeptAsync(database));
    }

    private static RejectionEntry Of(string reason, int day) =>
        new(0, At(day), "f", reason, false, null, Line, day, 0, IsOfUnknownFactory: reason == "unknown_key");

    private static DateTime At(int day) => new(2030, 1, day, 0, 0, 0, DateTimeKind.Utc);

    // Two rows a transaction: what is dropped does not depend on how many at once.
    private static async Task DropAsync(NpgsqlDataSource database, RejectionBounds bounds)
    {
        await using var connection = await database.OpenConnectionAsync();
        while (await RejectionRetention.DropAsync(connection, At(10), bounds, most: 2, CancellationToken.None) > 0) { }
    }

    private static async Task<string> KeptAsync(NpgsqlDataSource database) =>
        await database.ScalarAsync<string>(
            "SELECT string_agg(format('%s %s', reason, extract(day FROM rejected_at)), ', ' ORDER BY reason, rejected_at) "
                + "FROM factory.rejections"
        );
}
