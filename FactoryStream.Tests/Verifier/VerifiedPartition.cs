using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Verifier;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Topics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using static FactoryStream.Tests.Verifier.Factories;

namespace FactoryStream.Tests.Verifier;

/// <summary>Partition 3, and what verifies it.</summary>
internal sealed class VerifiedPartition : IDisposable
{
    private readonly VerifierParts parts;
    private readonly PolledMessages polled = new(new MessageBytes());
    private readonly KeySnapshot keys;
    private readonly VerdictWriter writer;

    public VerifiedPartition(VerifierParts parts, Action<VerifierOptions>? configure = null, SigningKey[]? keys = null)
    {
        this.parts = parts;
        var others = keys ?? [];
        this.keys = new KeySnapshot(others.Any(key => key.FactoryId == parts.Key.FactoryId) ? others : [.. others, parts.Key]);
        var options = new VerifierOptions();
        configure?.Invoke(options);
        var time = new FakeTimeProvider(new DateTimeOffset(Noon));
        Deliveries = new Deliveries(Producer, time, parts.Metrics);
        writer = new VerdictWriter(
            Deliveries,
            Topic,
            Options.Create(options),
            time,
            parts.Metrics,
            new VerifierLog(NullLogger<VerifierLog>.Instance)
        );
        Assignment = new PartitionAssignment(
            writer,
            Deliveries,
            Topic,
            Options.Create(options),
            time,
            new VerifierLog(NullLogger<VerifierLog>.Instance)
        );
        Assignment.Assign([new TopicPartition(TopicNames.Signed, 3)]);
        Topic.Identify("topic-1");
        Progress = Assignment.Find(3)!;
    }

    public RecordingProducer Producer { get; } = new();

    public SourceTopic Topic { get; } = new();

    public Deliveries Deliveries { get; }

    public PartitionAssignment Assignment { get; }

    public PartitionProgress Progress { get; }

    /// <summary>Verifies the messages as one poll brings them and writes the verdicts.</summary>
    public void Verify(params SourceValue[] sources)
    {
        polled.TakeLate();
        foreach (var source in sources)
            polled.Add(Progress, Consumed(source));
        parts.Verifier.Verify(polled.Lines, keys);
        writer.Write(polled, new PolledSpans());
        SendReady();
        polled.Reset();
    }

    public void SendReady() => writer.SendReady(Assignment.Owned);

    public void KeepLate(SourceValue source) => polled.AddLate(Progress, Consumed(source));

    private static ConsumeResult<byte[]?, ReadOnlyMemory<byte>> Consumed(SourceValue source) =>
        new()
        {
            Topic = TopicNames.Signed,
            Partition = 3,
            Offset = source.Offset,
            Message = new()
            {
                Key = source.Key is null ? null : Encoding.UTF8.GetBytes(source.Key),
                Value = source.Value,
                Headers = source.Headers,
                Timestamp = new Timestamp(Noon),
            },
        };

    /// <summary>Acknowledges until nothing is left.</summary>
    public void Drain()
    {
        for (var round = 0; round < 100; round++)
        {
            Producer.AcknowledgeAll();
            Deliveries.Drain();
            SendReady();
        }
        Assert.Equal(0, Progress.Outstanding);
    }

    public void Dispose()
    {
        Deliveries.Dispose();
        Producer.Dispose();
    }
}
