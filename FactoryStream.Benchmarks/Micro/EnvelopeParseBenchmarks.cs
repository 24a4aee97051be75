using BenchmarkDotNet.Attributes;
using FactoryStream.Contracts;

namespace FactoryStream.Benchmarks.Micro;

/// <summary>What does it cost to take one envelope apart, next to a bare pass of Utf8JsonReader over its members?</summary>
[MemoryDiagnoser]
public class EnvelopeParseBenchmarks
{
    private const int Count = 600;

    private readonly ReadingParser parser = new();
    private byte[][] envelopes = [];

    [Params(false, true)]
    public bool HasKeyId { get; set; }

    [GlobalSetup]
    public void Setup() => envelopes = Samples.Envelopes(Count, 6, HasKeyId);

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
