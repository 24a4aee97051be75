using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using FactoryStream.Storage;

namespace FactoryStream.Benchmarks.Micro;

/// <summary>What does a row cost before it leaves for COPY, of readings and of windows?</summary>
[MemoryDiagnoser]
public class CopyEncodingBenchmarks
{
    private const int Rows = 1_024;

    private readonly BinaryCopyBuffer buffer = new();
    private ReadingEntry[] readings = [];
    private WindowTotals[] windows = [];

    [GlobalSetup]
    public void Setup()
    {
        var noise = new Random(1);
        readings =
        [
            .. Enumerable
                .Range(0, Rows)
                .Select(i =>
                {
                    var data = Encoding.UTF8.GetBytes(Samples.Data("factory_001", "engine_001", Samples.Start.AddMilliseconds(i), noise));
                    var signature = new byte[256];
                    noise.NextBytes(signature);
                    return new ReadingEntry(
                        1,
                        1,
                        Samples.Start.AddMilliseconds(i),
                        Samples.Start.AddSeconds(1),
                        SHA256.HashData(data),
                        data,
                        signature
                    );
                }),
        ];
        windows =
        [
            .. Enumerable
                .Range(0, Rows)
                .Select(i => new WindowTotals(
                    i,
                    Samples.Start,
                    Samples.Start.AddSeconds(10),
                    [.. Enumerable.Range(0, 7).Select(metric => new MetricRow($"temp_exhaust_{metric}", 100, 76_000, 759, 761, 12.5))]
                )),
        ];
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Readings()
    {
        buffer.Reset();
        foreach (ref readonly var reading in readings.AsSpan())
            ReadingStatements.Append(buffer, reading);
        return buffer.Complete().Length;
    }

    [Benchmark(OperationsPerInvoke = Rows)]
    public int Windows()
    {
        buffer.Reset();
        foreach (ref readonly var window in windows.AsSpan())
            WindowStatements.Append(buffer, window, Samples.Start);
        return buffer.Complete().Length;
    }
}
