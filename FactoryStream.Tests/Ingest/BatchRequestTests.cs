using System.Net;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Topics;
using Microsoft.Extensions.DependencyInjection;
using static FactoryStream.Tests.Ingest.IngestApp;
using Partitioner = FactoryStream.Contracts.Partitioner;

namespace FactoryStream.Tests.Ingest;

public sealed class BatchRequestTests
{
    [Fact]
    public async Task A_batch_of_one_partition_is_a_line_among_others_and_counts_its_readings()
    {
        await using var app = await StartAsync(partitions: 1);
        string[] lines = [Envelope("f1", "e1", 1), Batch("f1", "e1", "e1", "e1"), Batch("f2", "a", "b")];
        var answer = await app.PostAsync(lines);

        Assert.Equal((HttpStatusCode.Accepted, 6, 0), (answer.Status, answer.Accepted, answer.RejectedCount));
        var message = Assert.Single(app.Kafka.To(TopicNames.Signed));
        Assert.Equal(string.Join('\n', lines), message.Value);
        Assert.Null(message[MessageHeaders.BatchShare]);
        Assert.Equal(6, app.Backlog.Readings);
    }

    [Theory]
    [InlineData("f1/e1", "e1", "e1")]
    [InlineData(null, "e1", "e2")]
    public async Task A_message_of_one_batch_has_a_key_when_that_is_of_one_engine(string? key, params string[] engines)
    {
        await using var app = await StartAsync(partitions: 1);
        await app.PostAsync("application/json", Encoding.UTF8.GetBytes(Batch("f1", engines)));
        Assert.Equal(key, Assert.Single(app.Kafka.To(TopicNames.Signed)).Key);
    }

    [Fact]
    public async Task A_batch_of_several_partitions_goes_to_each_with_its_share_and_every_reading_is_in_one()
    {
        await using var app = await StartAsync(partitions: 4);
        string[] engines = [.. Enumerable.Range(0, 60).Select(i => $"e{i % 20}")];
        var batch = Batch("f1", engines);
        var answer = await app.PostAsync(batch, Envelope());

        Assert.Equal((HttpStatusCode.Accepted, 61), (answer.Status, answer.Accepted));
        var shares = app.Kafka.To(TopicNames.Signed).Where(message => message[MessageHeaders.BatchShare] is not null).ToArray();
        Assert.Equal(4, shares.Length);
        Assert.All(
            shares,
            message =>
                Assert.Equal(
                    (batch, MessageHeaders.FramingSingle, shares[0].Message.Timestamp.UnixTimestampMs),
                    (message.Value, message[MessageHeaders.Framing], message.Message.Timestamp.UnixTimestampMs)
                )
        );
        var placed = shares
            .SelectMany(message => Indexes(message[MessageHeaders.BatchShare]!).Select(index => (index, message.Partition)))
            .OrderBy(reading => reading.index);
        Assert.Equal(engines.Select((engine, i) => (i, Partitioner.Partition("f1", engine, 4))), placed);
        Assert.Equal((61, 0), (app.Backlog.Readings, app.Backlog.PendingBytes));
    }

    [Fact]
    public async Task A_malformed_batch_is_one_refused_line_and_harms_no_neighbour()
    {
        await using var app = await StartAsync(partitions: 1);
        var answer = await app.PostAsync(Batch("f1", "e1", "e2"), Batch("f1", "e1", "", "e2"), Envelope());

        Assert.Equal((3, 1), (answer.Accepted, answer.RejectedCount));
        Assert.Equal(["2 malformed"], answer.Rejected);
        var kept = Assert.Single(app.Kafka.To(TopicNames.Rejected));
        Assert.Equal(
            (
                "reading 1: engine_id: expected text of 1 to 128 characters without control characters, found ''",
                "f1",
                Batch("f1", "e1", "", "e2")
            ),
            (kept[MessageHeaders.Detail], kept[MessageHeaders.FactoryId], kept.Value)
        );
    }

    [Fact]
    public async Task A_pretty_printed_batch_keeps_every_byte()
    {
        var pretty = Batch("f1", "e1", "e1").Replace(", ", ",\n  ", StringComparison.Ordinal);
        await using var app = await StartAsync();
        var answer = await app.PostAsync("application/json", Encoding.UTF8.GetBytes(pretty));

        Assert.Equal(2, answer.Accepted);
        var message = Assert.Single(app.Kafka.To(TopicNames.Signed));
        Assert.Equal(
            (pretty, MessageHeaders.FramingSingle, null),
            (message.Value, message[MessageHeaders.Framing], message[MessageHeaders.BatchShare])
        );
    }

    [Fact]
    public async Task What_Kafka_does_not_acknowledge_of_a_batch_is_not_accepted()
    {
        await using var app = await StartAsync(2);
        app.Kafka.AcknowledgesItself = false;
        var engines = Enumerable.Range(0, 10).Select(i => $"e{i}").ToArray();
        var posted = app.PostAsync(Batch("f1", engines));
        await UntilAsync(() => app.Kafka.To(TopicNames.Signed).Count == 2);
        app.Kafka.Acknowledge();
        app.Kafka.Acknowledge(ErrorCode.Local_MsgTimedOut);

        var answer = await posted;
        var safe = Indexes(app.Kafka.To(TopicNames.Signed)[0][MessageHeaders.BatchShare]!).Length;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, safe), (answer.Status, answer.Accepted));
        Assert.Equal(safe, app.Backlog.Readings);
    }

    [Fact]
    public async Task A_batch_goes_to_all_its_partitions_or_to_none()
    {
        await using var app = await StartAsync(2, ("MaxPartitionBytes", 1 << 20), ("AdmissionTimeout", "00:00:00"));
        var full = Enumerable.Range(0, 50).First(engine => Partitioner.Partition("f1", $"e{engine}", 2) == 1);
        var padded = Envelope("f1", $"e{full}").Replace("}, ", $"}},{new string(' ', 30_000)}", StringComparison.Ordinal);
        while ((await app.PostAsync(padded)).Status == HttpStatusCode.Accepted) { }
        var before = app.Kafka.To(TopicNames.Signed).Count;
        var batch = Batch("f1", Enumerable.Range(0, 300).Select(i => $"e{i % 10}"));

        var answer = await app.PostAsync(batch);
        Assert.Equal((HttpStatusCode.TooManyRequests, 0, before), (answer.Status, answer.Accepted, app.Kafka.To(TopicNames.Signed).Count));

        app.Services.GetRequiredService<SignedTopicWriter>().Partitions![1].Observe(long.MaxValue, 0);
        Assert.Equal((HttpStatusCode.Accepted, 300), ((answer = await app.PostAsync(batch)).Status, answer.Accepted));
        Assert.Equal(before + 2, app.Kafka.To(TopicNames.Signed).Count);
    }

    [Fact]
    public async Task The_backlogs_bound_is_of_readings()
    {
        await using var app = await StartAsync(1, ("MaxBacklogReadings", 5), ("AdmissionTimeout", "00:00:00"));
        var answer = await app.PostAsync(Enumerable.Repeat(Batch("f1", "e1", "e1", "e1"), 3));
        Assert.Equal((HttpStatusCode.TooManyRequests, 6), (answer.Status, answer.Accepted));
    }

    private static int[] Indexes(string share)
    {
        Assert.True(BatchShare.TryParse(Encoding.UTF8.GetBytes(share), out var indexes));
        return indexes;
    }
}
