using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.InMemoryKafka;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Verifier;
using FactoryStream.Verifier.Topics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FactoryStream.Tests.Verifier;

/// <summary>On librdkafka's broker in memory.</summary>
public sealed class EarlierVerdictsReaderTests : IDisposable
{
    private readonly InMemoryBroker kafka = new(TopicNames.All, 1);

    public void Dispose() => kafka.Dispose();

    [Fact]
    public async Task What_the_last_owner_wrote_is_found_behind_any_number_of_refused_lines()
    {
        await ProduceAsync(TopicNames.Rejected, Rejection("7:0"), Rejection("8:1"), Rejection("9:0"));
        await ProduceAsync(TopicNames.Rejected, [.. Enumerable.Repeat<(string, string)[]>([(MessageHeaders.RejectedBy, "ingest")], 300)]);
        await ProduceAsync(TopicNames.Verified, Verified("7:1!0="), Verified("8:2!1="));

        var earlier = Read(from: 8);

        Assert.True(earlier.IsRejected(new SourcePosition(8, 1), out var rejection));
        Assert.Equal(new EarlierRejection(Verdict.UnknownKey, "no key", "", 1), rejection);
        Assert.True(earlier.IsRejected(new SourcePosition(9, 0), out _));
        Assert.False(earlier.IsRejected(new SourcePosition(7, 0), out _));
        Assert.True(earlier.HasVerdicts(8, out var lines));
        Assert.Equal([new SourceRejection(1, "")], lines);
        Assert.Equal((8, 9), (earlier.LastVerified, earlier.LastOffset));
    }

    [Fact]
    public async Task Reading_back_is_bounded_and_then_nothing_is_taken_for_known()
    {
        await ProduceAsync(TopicNames.Rejected, Rejection("7:0"), Rejection("8:1"));
        await ProduceAsync(TopicNames.Rejected, [.. Enumerable.Repeat<(string, string)[]>([(MessageHeaders.RejectedBy, "ingest")], 200)]);
        await ProduceAsync(TopicNames.Verified, Verified("8:2!1="));

        Assert.Equal(-1, Read(from: 8, most: 128).LastOffset);
        Assert.Equal(8, Read(from: 8, most: 1_000).LastOffset);
    }

    [Fact]
    public void Of_empty_topics_there_is_nothing_to_repeat() => Assert.Equal(-1, Read(from: 0).LastOffset);

    private EarlierVerdicts Read(long from, int most = 100_000)
    {
        var reader = new EarlierVerdictsReader(
            new KafkaConnection(kafka.BootstrapServers),
            Options.Create(new VerifierOptions { MaxRecalledMessages = most }),
            TimeProvider.System,
            new VerifierLog(NullLogger<VerifierLog>.Instance)
        );
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return reader.Read(new Dictionary<int, long> { [0] = from }, "topic-1", timeout.Token)[0];
    }

    private static (string, string)[] Rejection(string source) =>
        [
            (MessageHeaders.RejectedBy, "verifier"),
            (MessageHeaders.Source, source),
            (MessageHeaders.SourceTopicId, "topic-1"),
            (MessageHeaders.Reason, "unknown_key"),
            (MessageHeaders.Detail, "no key"),
            (MessageHeaders.FactoryId, "f2"),
            (MessageHeaders.Ledger, "unknown"),
        ];

    private static (string, string)[] Verified(string source) =>
        [(MessageHeaders.Source, source), (MessageHeaders.SourceTopicId, "topic-1")];

    private async Task ProduceAsync(string topic, params (string Name, string Text)[][] messages)
    {
        using var producer = new ProducerBuilder<Null, string>(
            new ProducerConfig { BootstrapServers = kafka.BootstrapServers, EnableIdempotence = true }
        ).Build();
        var sent = new List<Task>();
        foreach (var message in messages)
        {
            var headers = new Headers();
            foreach (var (name, text) in message)
                headers.Add(name, Encoding.UTF8.GetBytes(text));
            sent.Add(producer.ProduceAsync(new TopicPartition(topic, 0), new Message<Null, string> { Value = "line", Headers = headers }));
        }
        await Task.WhenAll(sent).WaitAsync(TimeSpan.FromSeconds(60));
    }
}
