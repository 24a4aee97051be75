using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using Confluent.Kafka;
using FactoryStream.Aggregator;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace FactoryStream.Benchmarks.Micro;

/// <summary>What does the Aggregator's decoding of a verified reading cost (headers, lines, parse, SHA-256, base64), by lines a message?</summary>
[MemoryDiagnoser]
public class BatchDecodeBenchmarks : IDisposable
{
    private const int Readings = 3_000;

    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private AggregatorMetrics? instruments;
    private Batch? batch;
    private ConsumeResult<Ignore, ReadOnlyMemory<byte>>[] messages = [];

    [Params(1, 20, 100)]
    public int LinesPerMessage { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        instruments = new AggregatorMetrics(services.GetRequiredService<IMeterFactory>());
        batch = new Batch(NullLogger.Instance, instruments);
        messages = Samples.VerifiedMessages(Readings / LinesPerMessage, LinesPerMessage);
        if (Decode() != Readings || batch.Rejections.Count > 0)
            throw new InvalidOperationException($"{batch.Readings.Count} of {Readings} readings were decoded.");
    }

    [Benchmark(OperationsPerInvoke = Readings)]
    public int Decode()
    {
        var progress = new PartitionProgress(new CheckpointRow { Topic = Topics.Verified, Partition = 0, TopicId = "", SourceTopicId = "", SourceOffset = -1 });
        batch!.Clear();
        foreach (var message in messages)
            batch.Add(message, progress);
        return batch.Readings.Count;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        instruments?.Dispose();
        services.Dispose();
        GC.SuppressFinalize(this);
    }
}
