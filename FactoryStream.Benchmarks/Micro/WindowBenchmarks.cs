using BenchmarkDotNet.Attributes;
using FactoryStream.Aggregator.Windowing;
using FactoryStream.Contracts;

namespace FactoryStream.Benchmarks.Micro;

/// <summary>
/// What does it cost to count a reading of seven metrics into its window, by how many engines take turns (and leave the caches)?
/// </summary>
[MemoryDiagnoser]
public class WindowBenchmarks
{
    private const int Readings = 100_000;
    private static readonly WindowingRules Rules = new(
        TimeSpan.FromSeconds(10).Ticks,
        TimeSpan.FromSeconds(2).Ticks,
        TimeSpan.FromSeconds(10).Ticks
    );

    private readonly List<ClosedWindow> closed = [];
    private Metric[] metrics = [];
    private UInt128[] identities = [];

    [Params(60, 10_000)]
    public int Engines { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        metrics =
        [
            .. ((string[])["temp_air", "temp_oil", "temp_exhaust", "vibration", "pressure_1", "pressure_2", "rpm"]).Select(
                (name, i) => new Metric(name, 100 + i)
            ),
        ];
        var noise = new Random(1);
        identities = [.. Enumerable.Range(0, Readings).Select(_ => new UInt128((ulong)noise.NextInt64(), (ulong)noise.NextInt64()))];
    }

    [Benchmark(OperationsPerInvoke = Readings)]
    public int Add()
    {
        var engines = Enumerable.Range(0, Engines).Select(_ => new EngineWindows()).ToArray();
        var closedWindows = 0;
        for (var i = 0; i < Readings; i++)
        {
            // Ten a second of each engine: a window closes after a hundred of them.
            var measuredAt = Samples.Start.Ticks + i / Engines * (TimeSpan.TicksPerSecond / 10);
            if (engines[i % Engines].Add(Rules, measuredAt, identities[i], metrics, closed) != Arrival.New)
                throw new InvalidOperationException("Each of them is new and in time.");
            closedWindows += closed.Count;
            closed.Clear();
        }
        return closedWindows;
    }
}
