using System.Net;
using static FactoryStream.Tests.Ingest.IngestApp;
using Partitioner = FactoryStream.Contracts.Partitioner;

namespace FactoryStream.Tests.Ingest;

public sealed class RoomTests
{
    [Fact]
    public async Task A_partition_near_what_Kafka_keeps_of_it_is_answered_429_and_why()
    {
        await using var app = await StartAsync(("RoomTimeout", "00:00:00"));
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
}
