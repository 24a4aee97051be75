using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Benchmarks.EndToEnd;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Benchmarks.Micro;

/// <summary>
/// What does a late reading cost: its row where the database must say whether it is new, and the correction of its closed window's seven
/// metrics? In a PostgreSQL of the AppHost's making; where there is none the start says so and there is no figure.
/// </summary>
[MemoryDiagnoser]
public class LateUpsertBenchmarks
{
    private const int Metrics = 7;

    private readonly Random noise = new(1);
    private SystemUnderLoad? system;
    private NpgsqlConnection? connection;
    private WindowTotals[] totals = [];
    private DateTime measuredAt = Samples.Start;

    /// <summary>Late readings of one transaction, each of another engine.</summary>
    [Params(1, 100)]
    public int LateReadings { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        system = await SystemUnderLoad.StartAsync(isApacheKafka: false, [], CancellationToken.None);
        foreach (var parent in (string[])["readings", WindowStatements.Table])
            await new TablePartitions(system.Database, parent).EnsureAsync(Samples.Start, CancellationToken.None);
        totals =
        [
            .. Enumerable
                .Range(0, LateReadings)
                .Select(i => new WindowTotals(
                    1 + i,
                    Samples.Start,
                    Samples.Start.AddSeconds(10),
                    [.. Enumerable.Range(0, Metrics).Select(metric => new MetricRow($"metric_{metric}", 1, 100, 100, 100, 0))]
                )),
        ];
        connection = await system.Database.OpenConnectionAsync();
        await MergeWindows();
    }

    [Benchmark]
    public async Task InsertReadings()
    {
        measuredAt = measuredAt.AddMilliseconds(1);
        var readings = Enumerable
            .Range(0, LateReadings)
            .Select(i =>
            {
                var data = Encoding.UTF8.GetBytes(Samples.Data("factory_001", $"engine_{i:D3}", measuredAt, noise));
                var signature = new byte[256];
                noise.NextBytes(signature);
                return new ReadingEntry(1 + i, 1, measuredAt, measuredAt, SHA256.HashData(data), data, signature);
            })
            .ToArray();
        await using var transaction = await connection!.BeginTransactionAsync();
        var inserted = await ReadingStatements.InsertNewAsync(connection, readings, CancellationToken.None);
        if (inserted.Count != readings.Length)
            throw new InvalidOperationException($"{inserted.Count} of {readings.Length} were new.");
        await transaction.CommitAsync();
    }

    [Benchmark]
    public async Task MergeWindows()
    {
        await using var transaction = await connection!.BeginTransactionAsync();
        await WindowStore.MergeAsync(connection, totals, newRevision: 1, Samples.Start, CancellationToken.None);
        await transaction.CommitAsync();
    }

    [GlobalCleanup]
    public async Task CleanUp()
    {
        await connection!.DisposeAsync();
        await system!.DisposeAsync();
    }
}
