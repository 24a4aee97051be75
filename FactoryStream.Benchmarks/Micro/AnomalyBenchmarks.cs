using System.Globalization;
using BenchmarkDotNet.Attributes;
using FactoryStream.Aggregator.Anomalies;
using FactoryStream.Benchmarks.EndToEnd;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Benchmarks.Micro;

/// <summary>
/// What does an anomaly rule cost for each window of ten seconds that closes, of 60 engines with seven metrics and a full hour behind them:
/// by windows kept in memory, and after a start, by windows that are read? In a PostgreSQL of the AppHost's making; where there is none the
/// start says so and there is no figure.
/// </summary>
[MemoryDiagnoser]
public class AnomalyBenchmarks
{
    private const int Engines = 60;
    private const int Learned = 360;

    private static readonly string[] Names = [.. Enumerable.Range(0, 7).Select(i => string.Create(CultureInfo.InvariantCulture, $"m_{i}"))];

    private readonly Random noise = new(1);
    private readonly PastWindows[] pasts = new PastWindows[Engines];
    private SystemUnderLoad? system;
    private NpgsqlConnection? connection;
    private DateTime next;

    [GlobalSetup]
    public async Task Setup()
    {
        system = await SystemUnderLoad.StartAsync(isApacheKafka: false, [], CancellationToken.None);
        await new TablePartitions(system.Database, WindowStatements.Table).EnsureAsync(Samples.Start, CancellationToken.None);
        for (var engine = 0; engine < Engines; engine++)
            pasts[engine] = new(Samples.Start);
        var rows = new BinaryCopyBuffer();
        rows.Reset();
        for (next = Samples.Start; next < Samples.Start.AddSeconds(10 * Learned); next = next.AddSeconds(10))
        {
            for (var engine = 0; engine < Engines; engine++)
            {
                var means = Means();
                pasts[engine].Add(next, next.AddSeconds(10), means);
                WindowStatements.Append(
                    rows,
                    new(
                        engine + 1,
                        next,
                        next.AddSeconds(10),
                        [.. means.Select(metric => new MetricRow(metric.Metric, 1, metric.Mean, metric.Mean, metric.Mean, 0))]
                    ),
                    next
                );
            }
        }
        connection = await system.Database.OpenConnectionAsync();
        await rows.CopyToAsync(connection, WindowStatements.CopyTarget, CancellationToken.None);
        await ReadPast();
    }

    [Benchmark(OperationsPerInvoke = Engines)]
    public double ScoreWindow()
    {
        var greatest = 0.0;
        foreach (var past in pasts)
        {
            past.Add(next, next.AddSeconds(10), Means());
            past.Forget(next - AnomalyRules.LearnedTime);
            greatest = Math.Max(greatest, past.ScoresFrom(next).Single().Score);
        }
        next = next.AddSeconds(10);
        return greatest;
    }

    [Benchmark(OperationsPerInvoke = Engines)]
    public async Task ReadPast()
    {
        var read = Enumerable.Range(1, Engines).ToDictionary(engineNo => engineNo, _ => new PastWindows(Samples.Start));
        (int, DateTime)[] wanted = [.. read.Keys.Select(engineNo => (engineNo, Samples.Start))];
        var count = 0;
        await foreach (var window in WindowStatements.ReadFromAsync(connection!, wanted, CancellationToken.None))
        {
            read[window.EngineNo]
                .Add(window.WindowStart, window.WindowEnd, window.Metrics.Select(metric => (metric.Metric, metric.Sum / metric.Count)));
            count++;
        }
        if (count != Engines * Learned)
            throw new InvalidOperationException($"{count} windows are stored.");
    }

    [GlobalCleanup]
    public async Task CleanUp()
    {
        await connection!.DisposeAsync();
        await system!.DisposeAsync();
    }

    private (string Metric, double Mean)[] Means() => [.. Names.Select(name => (name, 100 + noise.NextDouble()))];
}
