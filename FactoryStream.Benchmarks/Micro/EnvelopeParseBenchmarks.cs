using BenchmarkDotNet.Attributes;
using FactoryStream.Contracts;

namespace FactoryStream.Benchmarks.Micro;

/// <summary>What does it cost to take one envelope apart, next to a bare pass of Utf8JsonReader over its members?</summary>
[MemoryDiagnoser]
public class EnvelopeParseBenchmarks
{
    private const int Count = 600,
        ReadingsPerBatch = 100;

    private readonly ReadingParser parser = new();
    private byte[][] envelopes = [];
    private byte[][] batches = [];

    [Params(false, true)]
    public bool HasKeyId { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        envelopes = Samples.Envelopes(Count, 6, HasKeyId);
        batches = Samples.Batches(Count / ReadingsPerBatch, ReadingsPerBatch, HasKeyId);
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public int Parse()
    {
        var metrics = 0;
        foreach (var envelope in envelopes)
        {
            if (parser.TryParse(envelope, out _, out var wrong) != Verdict.Accepted)
                throw new InvalidOperationException(wrong);
            metrics += parser.MetricsSpan.Length;
        }
        return metrics;
    }

    /// <summary>Without the short cut for what machines usually write.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public int ParseAny()
    {
        var metrics = 0;
        foreach (var envelope in envelopes)
        {
            if (parser.ReadAny(envelope, out _, out var wrong) != Verdict.Accepted)
                throw new InvalidOperationException(wrong);
            metrics += parser.MetricsSpan.Length;
        }
        return metrics;
    }

    [Benchmark(OperationsPerInvoke = Count)]
    public int ParseBatches()
    {
        var metrics = 0;
        foreach (var batch in batches)
        {
            if (parser.TryParse(batch, out _, out var wrong) != Verdict.Accepted)
                throw new InvalidOperationException(wrong);
            metrics += parser.MetricsSpan.Length;
        }
        return metrics;
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Count)]
    public int BareReader()
    {
        var tokens = 0;
        foreach (var envelope in envelopes)
        {
            var json = new System.Text.Json.Utf8JsonReader(envelope);
            while (json.Read())
                tokens++;
        }
        return tokens;
    }
}
