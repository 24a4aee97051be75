using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;

namespace FactoryStream.Tests.Distributed;

/// <summary>What keeps a reading from being counted twice, at the database itself.</summary>
[Collection(DistributedTests.Name)]
public sealed class CheckpointTests(SharedSystem shared)
{
    private readonly RunningSystem system = shared.RunningSystem;

    [Fact]
    public async Task A_former_owner_can_no_longer_write()
    {
        const string topic = "test.fencing";
        var checkpoints = new CheckpointReader(system.Database);
        var former = await checkpoints.AcquireAsync(topic, 0, "log-1", CancellationToken.None);
        await AdvanceAsync(former.Epoch, from: 0, to: 7);

        var present = await checkpoints.AcquireAsync(topic, 0, "log-1", CancellationToken.None);

        Assert.Equal((former.Epoch + 1, 7L), (present.Epoch, present.NextOffset));
        await Assert.ThrowsAsync<FencedException>(() => AdvanceAsync(former.Epoch, from: 7, to: 9));
        await Assert.ThrowsAsync<FencedException>(() => AdvanceAsync(present.Epoch, from: 6, to: 9));
        await AdvanceAsync(present.Epoch, from: 7, to: 9);
        Assert.Equal(9, (await checkpoints.AcquireAsync(topic, 0, "log-1", CancellationToken.None)).NextOffset);

        async Task AdvanceAsync(long epoch, long from, long to)
        {
            await using var connection = await system.Database.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await CheckpointStatements.AdvanceAsync(
                connection,
                [new CheckpointStep(topic, 0, epoch, from, to, "signed-1", to, 0)],
                CancellationToken.None
            );
            await transaction.CommitAsync();
        }
    }

    [Fact]
    public async Task A_topic_with_another_id_begins_at_its_beginning()
    {
        const string topic = "test.topic-id";
        var checkpoints = new CheckpointReader(system.Database);
        var first = await checkpoints.AcquireAsync(topic, 3, "log-1", CancellationToken.None);
        await using (var connection = await system.Database.OpenConnectionAsync())
            await CheckpointStatements.AdvanceAsync(
                connection,
                [new CheckpointStep(topic, 3, first.Epoch, 0, 42, "signed-1", 17, 5)],
                CancellationToken.None
            );

        Assert.Equal(42, (await checkpoints.AcquireAsync(topic, 3, "log-1", CancellationToken.None)).NextOffset);
        var anew = await checkpoints.AcquireAsync(topic, 3, "log-2", CancellationToken.None);

        // The source position stays: it is of readings.signed, whose own topic id the messages name.
        Assert.Equal((0L, "signed-1", 17L, 5), (anew.NextOffset, anew.SourceTopicId, anew.SourceOffset, anew.SourceLine));
    }

    [Fact]
    public async Task Odd_timestamps_make_a_bounded_number_of_partitions()
    {
        var partitions = new TablePartitions(system.Database, "readings");
        var day = new DateTime(1999, 3, 1, 12, 0, 0, DateTimeKind.Utc);
        // Two at once, as two Aggregators would.
        await Task.WhenAll(
            Enumerable
                .Range(0, 2)
                .Select(async _ =>
                {
                    var mine = new TablePartitions(system.Database, "readings");
                    for (var i = 0; i < 31; i++)
                        await mine.EnsureAsync(day.AddDays(i), CancellationToken.None);
                })
        );
        await partitions.EnsureAsync(day, CancellationToken.None);
        Assert.Equal(
            1L,
            await system.QueryAsync<long>(
                "SELECT count(*) FROM pg_inherits WHERE inhparent = 'factory.readings'::regclass AND inhrelid::regclass::text LIKE "
                    + "'factory.readings_1999%'"
            )
        );
        Assert.Equal(1, await system.QueryAsync<int>("SELECT factory.drop_partitions('readings', '2000-01-01Z')"));
    }

    [Fact]
    public async Task The_schema_is_what_the_model_says()
    {
        var options = FactoryDbContext.Configure(new DbContextOptionsBuilder<FactoryDbContext>().UseNpgsql(system.Database)).Options;
        await using var context = new FactoryDbContext(options);
        Assert.False(context.Database.HasPendingModelChanges());
        Assert.Empty(await context.Database.GetPendingMigrationsAsync());
        // Every column that the model knows is there to be read.
        await context.SigningKeys.Take(1).ToListAsync();
        await context.Engines.Take(1).ToListAsync();
        await context.Readings.Take(1).ToListAsync();
        await context.Batches.Take(1).ToListAsync();
        await context.Windows.Take(1).ToListAsync();
        await context.Rejections.Take(1).ToListAsync();
        await context.Checkpoints.Take(1).ToListAsync();
        await context.Ledger.Take(1).ToListAsync();
        await context.RejectionCounts.Take(1).ToListAsync();
    }
}
