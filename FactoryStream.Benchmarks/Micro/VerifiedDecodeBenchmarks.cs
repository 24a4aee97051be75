using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using Confluent.Kafka;
using FactoryStream.Aggregator;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Aggregator.Consuming;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace FactoryStream.Benchmarks.Micro;

/// <summary>
/// What does the Aggregator's decoding of a verified reading cost (headers, lines, parse, SHA-256, base64), by lines a message?
/// </summary>
[MemoryDiagnoser]
public class VerifiedDecodeBenchmarks : IDisposable
{
    private const int Readings = 3_000;

    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private AggregatorMetrics? instruments;
    private readonly PendingCommit pending = new();
    private MessageDecoder? decoder;
    private ConsumeResult<Ignore, ReadOnlyMemory<byte>>[] messages = [];

    [Params(1, 20, 100)]
    public int LinesPerMessage { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        instruments = new AggregatorMetrics(services.GetRequiredService<IMeterFactory>());
        decoder = new MessageDecoder(new AggregatorLog(NullLogger<AggregatorLog>.Instance), instruments);
        messages = Samples.VerifiedMessages(Readings / LinesPerMessage, LinesPerMessage);
        if (Decode() != Readings || pending.Rejections.Count > 0)
            throw new InvalidOperationException($"{pending.Readings.Count} of {Readings} readings were decoded.");
    }

    [Benchmark(OperationsPerInvoke = Readings)]
    public int Decode()
    {
        var progress = new PartitionProgress(
            new CheckpointRow
            {
                Topic = TopicNames.Verified,
                Partition = 0,
                TopicId = "",
                SourceTopicId = "",
                SourceOffset = -1,
            }
        );
        pending.Clear();
        foreach (var message in messages)
            decoder!.Decode(message, progress, pending);
        return pending.Readings.Count;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        instruments?.Dispose();
        services.Dispose();
        GC.SuppressFinalize(this);
    }
}
