using System.Net;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Topics;
using Microsoft.Extensions.DependencyInjection;
using static FactoryStream.Tests.Ingest.IngestApp;
using Partitioner = FactoryStream.Contracts.Partitioner;

namespace FactoryStream.Tests.Ingest;

public sealed class AdmissionTests
{
    [Fact]
    public async Task A_partition_near_what_Kafka_keeps_of_it_is_answered_429_and_why()
    {
        await using var app = await StartAsync(("AdmissionTimeout", "00:00:00"));
        app.Backlog.BoundPartitions(Envelope().Length);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope())).Status);

        var answer = await app.PostAsync(Envelope());

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.Status);
        Assert.NotNull(answer.RetryAfter);
        Assert.Contains("Kafka would soon drop some (retention.bytes)", answer.Detail, StringComparison.Ordinal);
        // Another partition's machines have room.
        var other = Enumerable
            .Range(2, 99)
            .Select(number => $"e{number}")
            .First(engine => Partitioner.Partition("f1", engine, 4) != Partitioner.Partition("f1", "e1", 4));
        app.Backlog.BoundPartitions(Envelope(engineId: other).Length);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope(engineId: other))).Status);
    }

    [Fact]
    public async Task Nothing_is_accepted_and_why_while_the_topics_have_other_partitions()
    {
        await using var app = await StartAsync();
        app.Backlog.Refuse("twelve are twenty-four.");

        var answer = await app.PostAsync(Envelope());

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "twelve are twenty-four. Nothing was accepted."), (answer.Status, answer.Detail));
        app.Backlog.Refuse(null);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope())).Status);
    }

    [Fact]
    public async Task A_full_backlog_asks_machines_to_wait()
    {
        await using var app = await StartAsync(("MaxBacklogReadings", 3), ("AdmissionTimeout", "00:00:00.050"));
        var cut = await app.PostAsync(Enumerable.Range(0, 5).Select(value => Envelope(value: value)));
        var turnedAway = await app.PostAsync(Envelope());

        Assert.Equal((HttpStatusCode.TooManyRequests, 3, TimeSpan.FromSeconds(1)), (cut.Status, cut.Accepted, cut.RetryAfter));
        Assert.Equal((HttpStatusCode.TooManyRequests, 0), (turnedAway.Status, turnedAway.Accepted));

        // All of the partition is stored.
        app.Services.GetRequiredService<SignedTopicWriter>().Partitions![Partitioner.Partition("f1", "e1", 4)].Observe(long.MaxValue, 0);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope())).Status);
    }

    [Fact]
    public async Task A_request_under_way_goes_on_when_room_comes()
    {
        await using var app = await StartAsync(1, ("MaxBacklogReadings", 3));
        var answer = app.PostAsync(Enumerable.Range(0, 5).Select(value => Envelope(value: value)));
        await UntilAsync(() => app.Backlog is { Readings: 3, PendingBytes: 0 });
        Assert.False(answer.IsCompleted);

        app.Services.GetRequiredService<SignedTopicWriter>().Partitions![0].Observe(1, 1);
        app.Backlog.Looked();
        Assert.Equal((HttpStatusCode.Accepted, 5), ((await answer).Status, (await answer).Accepted));
    }

    [Fact]
    public async Task A_broker_in_memory_is_never_given_more_of_a_partition_than_it_keeps()
    {
        await using var app = await StartAsync(2, ("MaxPartitionBytes", 1 << 20), ("AdmissionTimeout", "00:00:00"));
        var padding = new string(' ', 1_000);
        var full = Enumerable.Range(0, 50).First(engine => Partitioner.Partition("f1", $"e{engine}", 2) == 0);
        var other = Enumerable.Range(0, 50).First(engine => Partitioner.Partition("f1", $"e{engine}", 2) == 1);
        var answer = await app.PostAsync(
            Enumerable.Repeat(Envelope("f1", $"e{full}").Replace("}, ", $"}},{padding}", StringComparison.Ordinal), 2_000)
        );

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.Status);
        Assert.InRange(app.Kafka.To(TopicNames.Signed).Sum(message => message.Message.Value.Length), 1_000_000, (1 << 20) + 10_000);
        Assert.Equal(HttpStatusCode.Accepted, (await app.PostAsync(Envelope("f1", $"e{other}"))).Status);
    }
}
