using System.Security.Cryptography;
using System.Text;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Tests.Storage;

/// <summary>What the tests of the statements write.</summary>
internal static class StorageSamples
{
    public static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    /// <summary>A database of its own, with the table partitions of readings and windows at noon.</summary>
    public static async Task<NpgsqlDataSource> DatabaseAsync(PostgresFixture postgres)
    {
        var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await new TablePartitions(database, "readings").EnsureAsync(Noon, CancellationToken.None);
        await new TablePartitions(database, WindowStatements.Table).EnsureAsync(Noon, CancellationToken.None);
        return database;
    }

    public static ReadingEntry Entry(int engineNo, DateTime measuredAt, string data)
    {
        var bytes = Encoding.UTF8.GetBytes(data);
        return new ReadingEntry(engineNo, 7, measuredAt, measuredAt, SHA256.HashData(bytes), bytes, "SIGNATURE"u8.ToArray());
    }
}
