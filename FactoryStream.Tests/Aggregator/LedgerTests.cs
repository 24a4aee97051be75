using System.Text;
using Confluent.Kafka;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Contracts;
using FactoryStream.Tests.Storage;
using static FactoryStream.Tests.Aggregator.ConsumedMessages;

namespace FactoryStream.Tests.Aggregator;

[Collection(DatabaseTests.Name)]
public sealed class LedgerTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Factories_without_a_key_share_one_row_of_the_ledger_and_it_balances()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await owner.CommitAsync(
            Message(0, "0:3!1=!2=", Single(0)),
            Unknown(0, "0:1", "invented-1"),
            Unknown(1, "0:2", "invented-2"),
            Refused(2, "invented-3"),
            Refused(3, "f"),
            Refused(4, "invented-4")
        );

        Assert.Equal(["|2|0|0", "f|1|1|0"], await owner.RowsAsync(PartitionOwner.Ledger + " ORDER BY 1"));
        Assert.Equal(
            ["|malformed|True|2", "|unknown_key|False|2", "f|malformed|True|1"],
            await owner.RowsAsync("SELECT factory_id, reason, refused, count FROM factory.rejection_counts ORDER BY 1, 2")
        );
        // People still read which name was claimed.
        Assert.Equal(
            ["invented-1|True", "invented-2|True", "invented-3|True", "f|False", "invented-4|True"],
            await owner.RowsAsync("SELECT factory_id, unknown_factory FROM factory.rejections ORDER BY rejection_no")
        );

        static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Unknown(long offset, string source, string factoryId)
        {
            var message = Rejected(offset, source, "unknown_key", 1, "line");
            message.Message.Headers.Remove(MessageHeaders.FactoryId);
            message.Message.Headers.Add(MessageHeaders.FactoryId, Encoding.UTF8.GetBytes(factoryId));
            message.Message.Headers.Add(MessageHeaders.Ledger, "unknown"u8.ToArray());
            return message;
        }

        static ConsumeResult<Ignore, ReadOnlyMemory<byte>> Refused(long offset, string factoryId) =>
            Consumed(
                TopicNames.Rejected,
                offset,
                "line",
                (MessageHeaders.Reason, "malformed"),
                (MessageHeaders.RejectedBy, "ingest"),
                (MessageHeaders.RejectedAt, "2026-01-01T12:00:00.000000Z"),
                (MessageHeaders.FactoryId, factoryId)
            );
    }

    [Fact]
    public void Between_commits_only_the_ledger_of_factories_with_engines_is_kept()
    {
        var engines = new PartitionEngines(0);
        engines.Add("f", "e1", engineNo: 1);

        foreach (var name in (string[])["f", "", "invented-1", "invented-2"])
            engines.Forget(engines.Ledger(name));

        Assert.Equal(1, engines.LedgerCount);
        Assert.Same(engines.Find("f", "e1")!.Ledger, engines.Ledger("f"));
    }

    [SkippableFact]
    public async Task A_message_whose_lines_are_broken_loses_no_neighbour_and_every_source_line_has_an_outcome()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        // Three source lines were accepted; the second was written with a line break in its signature.
        await owner.CommitAsync(
            Message(0, "0:3!0=f;1:1", Single(0), Single(1).Replace("QUJD", "QU\nJD", StringComparison.Ordinal), Single(2))
        );
        await owner.CommitAsync(Message(1, "2:1", Single(3)));

        Assert.Equal(["f|4|3|0", "|1|0|0"], await owner.RowsAsync(PartitionOwner.Ledger + " ORDER BY 1 DESC"));
        Assert.Equal(["|malformed|1"], await owner.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
        Assert.Equal(["2"], await owner.RowsAsync("SELECT source_offset FROM factory.checkpoints WHERE topic = 'readings.verified'"));
        Assert.Contains(
            "QU\nJD",
            Assert.Single(await owner.RowsAsync("SELECT convert_from(line, 'UTF8') FROM factory.rejections")),
            StringComparison.Ordinal
        );
    }

    [SkippableFact]
    public async Task Of_a_broken_message_that_was_answered_before_in_part_only_the_rest_is_accounted_for()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await owner.CommitAsync(Message(0, "0:1", Single(0)));
        await owner.CommitAsync(Message(1, "0:1;1:2", Single(0), Single(1)));
        await owner.CommitAsync(Message(2, "2:1", Single(1), Single(2), Single(3)));

        Assert.Equal(["f|1|1|0", "|3|0|0"], await owner.RowsAsync(PartitionOwner.Ledger + " ORDER BY 1 DESC"));
        Assert.Equal(["|malformed|3"], await owner.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
    }

    [SkippableFact]
    public async Task Messages_that_are_not_FactoryStreams_are_kept_as_rejections_and_stop_nothing()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        var odd = Message(0, "0:1", Single(0));
        odd.Message.Timestamp = new Timestamp(long.MaxValue, TimestampType.CreateTime);
        odd.Message.Headers.Remove(MessageHeaders.SourceTopicId);
        var sum = Message(1, "0:16777216;1:16777216;2:16777216", Single(0));
        var year = Message(2, "3:1", Single(0));
        year.Message.Headers.Remove(MessageHeaders.VerdictTime);
        year.Message.Headers.Add(MessageHeaders.VerdictTime, "0001-01-01T00:00:00Z"u8.ToArray());
        var nul = Rejected(0, "3:0", "future", 1, "\0");
        nul.Message.Headers.Remove(MessageHeaders.FactoryId);
        nul.Message.Headers.Add(MessageHeaders.FactoryId, "a\0b"u8.ToArray());
        nul.Message.Headers.Add(MessageHeaders.Detail, "\0"u8.ToArray());
        await owner.CommitAsync(odd, sum, year, nul, Message(3, "4:2!1=a%00b", Single(1)));

        // What only another hand could have written is nobody's; the sum's source lines are accounted for, beyond what a message can hold.
        Assert.Equal(["f|2|2|0", "|50331648|0|0"], await owner.RowsAsync(PartitionOwner.Ledger + " ORDER BY 1 DESC"));
        Assert.Equal(
            ["future|False|1", "malformed|False|50331647", "malformed|True|1", "malformed|True|1"],
            await owner.RowsAsync("SELECT reason, refused, readings FROM factory.rejections ORDER BY reason, refused, readings")
        );
        Assert.Equal(["4", "3"], await owner.RowsAsync("SELECT source_offset FROM factory.checkpoints ORDER BY topic DESC"));
    }

    [SkippableTheory, InlineData(false), InlineData(true)]
    public async Task A_reading_that_brings_its_engine_too_many_metrics_is_rejected_and_the_ledger_balances(bool isTolerant)
    {
        await using var owner = await PartitionOwner.StartAsync(postgres, isTolerant, maxMetrics: 3);
        await owner.CommitAsync(Message(0, "0:4", Single(0), Metrics(1, "a", "b"), Metrics(2, "b", "c"), Metrics(3, "b", "rpm")));
        await owner.CommitAsync(Message(1, "1:2", Metrics(1, "a", "b"), Metrics(2, "b", "c")));

        // Whoever takes over knows the names from the database alone, those of windows that are closed too.
        await owner.RestartAsync();
        await owner.CommitAsync(Message(2, "2:2", Metrics(100, "a"), Metrics(101, "d")));
        await owner.RestartAsync();
        await owner.CommitAsync(Message(3, "3:3", Metrics(102, "d"), Metrics(103, "rpm", "b", "a"), Metrics(1, "a", "b")));

        Assert.Equal(["a", "b", "rpm"], await owner.RowsAsync("SELECT metric FROM factory.engine_metrics ORDER BY 1"));
        Assert.Equal(["f|11|5|2"], await owner.RowsAsync(PartitionOwner.Ledger));
        Assert.Equal(
            ["f|too_many_metrics|False|4"],
            await owner.RowsAsync("SELECT factory_id, reason, refused, count FROM factory.rejection_counts")
        );
        Assert.Equal(
            [MetricsData(2, "b", "c"), MetricsData(2, "b", "c"), MetricsData(101, "d"), MetricsData(102, "d")],
            await owner.RowsAsync("SELECT convert_from(line, 'UTF8') FROM factory.rejections ORDER BY rejection_no")
        );
    }

    [SkippableFact]
    public async Task A_reading_of_an_engine_too_many_is_rejected_and_the_ledger_balances()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres, maxEngines: 2);
        await owner.CommitAsync(Message(0, "0:4", Of("e1", 0), Of("e2", 0), Of("e3", 0), Of("e1", 1)));
        await owner.RestartAsync();
        await owner.CommitAsync(Message(1, "1:3", Of("e3", 1), Of("e4", 1), Of("e2", 1)));

        Assert.Equal(["e1", "e2"], await owner.RowsAsync("SELECT engine_id FROM factory.engines ORDER BY engine_no"));
        Assert.Equal(["f|7|4|0"], await owner.RowsAsync(PartitionOwner.Ledger));
        Assert.Equal(["f|too_many_engines|3"], await owner.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
        Assert.Equal(
            ["3"],
            await owner.RowsAsync("SELECT count(*) FROM factory.rejections WHERE reason = 'too_many_engines' AND NOT refused")
        );
    }

    [SkippableFact]
    public async Task A_reading_that_retention_may_have_dropped_is_rejected_by_its_verdicts_time_and_the_ledger_balances()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres, retentionDays: 1);
        // Their verdicts are all of noon, whenever they are taken in.
        await owner.CommitAsync(Message(0, "0:3", Single(-86_400), Single(-86_401), Batch(-86_402, 0)));
        await owner.CommitAsync(Message(1, "1:2", Single(-86_400), Single(-86_401)));

        Assert.Equal(["f|6|2|1"], await owner.RowsAsync(PartitionOwner.Ledger));
        Assert.Equal(["f|too_old|3"], await owner.RowsAsync("SELECT factory_id, reason, count FROM factory.rejection_counts"));
        Assert.Equal(
            [Data(-86_401), Data(-86_402), Data(-86_401)],
            await owner.RowsAsync("SELECT convert_from(line, 'UTF8') FROM factory.rejections ORDER BY rejection_no")
        );
    }

    [SkippableFact]
    public async Task What_retention_took_is_counted_where_the_gap_is_met_and_is_in_no_factorys_ledger()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        // Source messages 1 to 3 were never answered: the Verifier came too late for them.
        await owner.CommitAsync(Message(0, "0:1", Single(0)), Message(1, "4:1", Single(1)));
        // Answers 2 to 4 are gone, and what they answered, 5 to 8, with them: that is one loss.
        await owner.CommitAsync(Message(5, "9:1", Single(2)));
        // Behind it the Verifier's can be told again; what is delivered twice is no loss.
        await owner.RestartAsync();
        await owner.CommitAsync(Message(6, "12:1", Single(3)), Message(7, "4:1", Single(1)), Message(8, "13:1", Single(4)));
        await owner.CommitAsync(Rejected(4, "13:0", "future", 1, "{}"));

        Assert.Equal(
            ["readings.rejected|0|4|0", "readings.signed|0|5|0", "readings.verified|0|3|0"],
            await owner.RowsAsync("SELECT topic, partition, messages, acknowledged FROM factory.losses ORDER BY topic")
        );
        Assert.Equal(["f|5|5|0"], await owner.RowsAsync(PartitionOwner.Ledger));
    }
}
