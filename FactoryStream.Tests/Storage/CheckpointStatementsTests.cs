using FactoryStream.Storage;
using static FactoryStream.Tests.Storage.StorageSamples;

namespace FactoryStream.Tests.Storage;

[Collection(DatabaseTests.Name)]
public sealed class CheckpointStatementsTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task An_older_epoch_and_another_offset_change_nothing()
    {
        await using var database = await DatabaseAsync(postgres);
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
}
