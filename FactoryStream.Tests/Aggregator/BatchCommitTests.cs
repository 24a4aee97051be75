using FactoryStream.Tests.Storage;
using static FactoryStream.Tests.Aggregator.ConsumedMessages;

namespace FactoryStream.Tests.Aggregator;

[Collection(DatabaseTests.Name)]
public sealed class BatchCommitTests(PostgresFixture postgres)
{
    private const string Stored = """
        SELECT count(*), count(r.signature), count(batch_sha256), count(DISTINCT batch_sha256),
            count(*) FILTER (WHERE position(convert_to(r.data::text, 'UTF8') IN b.data) > 0), (SELECT count(*) FROM factory.batches)
        FROM factory.readings r LEFT JOIN factory.batches b ON b.sha256 = r.batch_sha256
        """;

    [SkippableFact]
    public async Task Each_reading_of_a_batch_is_a_row_and_the_batch_is_stored_once()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await owner.CommitAsync(Message(0, "0:2", Batch(0, 1, 2), Single(3)));

        Assert.Equal(["4|1|3|1|3|1"], await owner.RowsAsync(Stored));
        Assert.Equal(["f|4|4|0"], await owner.RowsAsync(PartitionOwner.Ledger));
        Assert.Equal(
            [$"[{Data(0)}, {Data(1)}, {Data(2)}]"],
            await owner.RowsAsync("SELECT convert_from(data, 'UTF8') FROM factory.batches")
        );
        Assert.Equal(
            ["ABC|k1|01/01/2026 12:00:02"],
            await owner.RowsAsync(
                "SELECT convert_from(signature, 'UTF8'), key_id, measured_until FROM factory.batches JOIN factory.signing_keys "
                    + "USING (key_no)"
            )
        );
    }

    [SkippableTheory, InlineData(false), InlineData(true)]
    public async Task A_reading_is_one_however_it_is_signed_and_sent_again(bool isTolerant)
    {
        await using var owner = await PartitionOwner.StartAsync(postgres, isTolerant);
        await owner.CommitAsync(Message(0, "0:1", Single(0)), Message(1, "1:1", Batch(0, 1)), Message(2, "2:2", Batch(0, 1), Single(1)));
        await owner.CommitAsync(Message(3, "3:2", Batch(0, 1), Batch(1, 0)));

        // The last batch has no reading of its own, so it is nobody's evidence.
        Assert.Equal(["2|1|1|1|1|1"], await owner.RowsAsync(Stored));
        Assert.Equal(["f|10|2|8"], await owner.RowsAsync(PartitionOwner.Ledger));
    }

    [SkippableFact]
    public async Task The_first_commit_of_an_owner_may_be_a_backlog_of_thousands()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        string[] lines = [.. Enumerable.Range(0, 3_000).Select(Single)];
        await owner.CommitAsync(Message(0, $"0:{lines.Length}", lines));

        Assert.Equal(["f|3000|3000|0"], await owner.RowsAsync(PartitionOwner.Ledger));
    }

    [SkippableFact]
    public async Task Late_readings_of_a_batch_bring_their_evidence_and_known_ones_bring_none()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await owner.CommitAsync(Message(0, "0:1", Batch(0, 100)));
        await owner.CommitAsync(Message(1, "1:3", Batch(1, 2), Batch(0, 1), Batch(0, 100)));

        Assert.Equal(["4|0|4|2|4|2"], await owner.RowsAsync(Stored));
        Assert.Equal(["f|8|4|4"], await owner.RowsAsync(PartitionOwner.Ledger));
        Assert.Equal(["3"], await owner.RowsAsync("SELECT count FROM factory.windows WHERE window_start = '2026-01-01 12:00Z'"));
    }

    [SkippableFact]
    public async Task A_batch_delivered_again_is_ignored_and_no_duplicate()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await owner.CommitAsync(Message(0, "0:1", Batch(0, 1)));
        await owner.CommitAsync(Message(1, "0:1", Batch(0, 1)), Message(2, "1:1!0*7=f"));

        Assert.Equal(["2|0|2|1|2|1"], await owner.RowsAsync(Stored));
        Assert.Equal(["f|9|2|0"], await owner.RowsAsync(PartitionOwner.Ledger));
    }

    [SkippableFact]
    public async Task A_share_is_stored_by_its_own_partition_and_the_batch_by_the_first_of_them()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        var batch = Batch(0, 1, 2, 3);
        await owner.CommitAsync(Share(0, "0:1", "0,2-3", batch));
        await owner.CommitAsync(Share(1, "1:1", "1", batch));
        await owner.CommitAsync(Share(2, "2:1", "0,2-3", batch), Share(3, "3:1", "1", batch));

        Assert.Equal(["4|0|4|1|4|1"], await owner.RowsAsync(Stored));
        Assert.Equal(["f|8|4|4"], await owner.RowsAsync(PartitionOwner.Ledger));
    }

    [SkippableFact]
    public async Task A_rejected_batch_is_a_row_and_counts_its_readings()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await owner.CommitAsync(Message(0, "0:2!1*3=f", Single(0)), Rejected(0, "0:1", "future", 3, Batch(100, 101, 102)));

        Assert.Equal(["f|4|1|0"], await owner.RowsAsync(PartitionOwner.Ledger));
        Assert.Equal(["f|future|3"], await owner.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
        Assert.Equal(["3|0|1"], await owner.RowsAsync("SELECT readings, source_offset, source_line FROM factory.rejections"));
    }
}
