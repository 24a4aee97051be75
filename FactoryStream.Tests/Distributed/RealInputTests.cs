using System.Globalization;

namespace FactoryStream.Tests.Distributed;

/// <summary>
/// Sixteen runs of a real water-circulation rig, replayed flat out as the engines of one factory, against a computation from the CSV alone.
/// </summary>
[Collection(DistributedTests.Name)]
public sealed class RealInputTests(SharedSystem shared)
{
    private readonly RunningSystem system = shared.RunningSystem;

    [SkippableFact]
    public async Task Every_row_is_stored_once_and_every_window_is_what_the_CSV_says()
    {
        const string factory = "skab";
        var files = Directory.GetFiles(SharedData.Require("data/skab"), "*.csv").Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(16, files.Length);
        var expected = new Dictionary<(string Engine, DateTime Start, string Metric), List<double>>();
        var rows = new HashSet<string>();
        var count = 0;
        foreach (var file in files)
        {
            var engine = Path.GetFileNameWithoutExtension(file);
            var lines = await File.ReadAllLinesAsync(file);
            var names = lines[0].Split(';');
            foreach (var line in lines[1..])
            {
                var cells = line.Split(';');
                var time = DateTime.ParseExact(
                    cells[0],
                    "yyyy-MM-dd HH:mm:ss",
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal
                );
                var start = new DateTime(time.Ticks - time.Ticks % (10 * TimeSpan.TicksPerSecond), DateTimeKind.Utc);
                for (var column = 1; column <= 8; column++)
                {
                    if (!expected.TryGetValue((engine, start, names[column]), out var values))
                        expected.Add((engine, start, names[column]), values = []);
                    values.Add(double.Parse(cells[column], CultureInfo.InvariantCulture));
                }
                rows.Add($"{engine};{line}");
                count++;
            }
        }
        Assert.Equal(count, rows.Count);

        using var folder = new TemporaryFolder();
        var signed = Path.Combine(folder.Path, "skab.ndjson");
        var (exitCode, output) = await ToolProcess.RunAsync(
            system,
            "FactoryStream.Simulator",
            ["replay", "--factory", factory, "--save", signed, "--keys", folder.Path, "--csv", .. files]
        );
        Assert.True(exitCode == 0, output);
        var ledger = await system.LedgerWithoutBacklogAsync(factory, count);
        Assert.Equal((count, count, 0), (ledger.Accepted, ledger.Stored, ledger.Duplicates));
        Assert.Equal(count, await system.StoredAsync(factory));
        Assert.Equal(
            count,
            await system.QueryAsync<long>(
                "SELECT count(DISTINCT (engine_no, measured_at, data::text)) FROM factory.readings JOIN factory.engines USING "
                    + "(engine_no) WHERE factory_id = $1",
                factory
            )
        );

        // The last window of each engine closes by the clock.
        await RunningSystem.EventuallyAsync(WindowRowsAsync, windows => windows == expected.Count);
        await CompareAsync();

        // The very same bytes again: nothing changes, and all of it is counted as duplicates.
        (exitCode, output) = await ToolProcess.RunAsync(
            system,
            "FactoryStream.Simulator",
            "replay",
            "--factory",
            factory,
            "--from",
            signed,
            "--keys",
            folder.Path
        );
        Assert.True(exitCode == 0, output);
        ledger = await system.LedgerWithoutBacklogAsync(factory, 2L * count);
        Assert.Equal((2L * count, count, count), (ledger.Accepted, ledger.Stored, ledger.Duplicates));
        Assert.Equal(count, await system.StoredAsync(factory));
        await CompareAsync();

        Task<long> WindowRowsAsync() =>
            system.QueryAsync<long>(
                "SELECT count(*) FROM factory.windows JOIN factory.engines USING (engine_no) WHERE factory_id = $1",
                factory
            );

        async Task CompareAsync()
        {
            Assert.Equal(expected.Count, await WindowRowsAsync());
            await using var command = system.Database.CreateCommand(
                "SELECT engine_id, window_start, metric, count, sum, min, max, sqrt(squared_deviation / count), window_end FROM "
                    + "factory.windows JOIN factory.engines USING (engine_no) WHERE factory_id = $1"
            );
            command.Parameters.AddWithValue(factory);
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                var key = (reader.GetString(0), reader.GetDateTime(1), reader.GetString(2));
                var values = expected[key];
                var mean = values.Sum() / values.Count;
                Assert.Equal(
                    (key, (long)values.Count, values.Min(), values.Max()),
                    (key, reader.GetInt64(3), reader.GetDouble(5), reader.GetDouble(6))
                );
                AssertClose(values.Sum(), reader.GetDouble(4), values.Sum(Math.Abs));
                // The deviation is compared with the values' own size: of nearly equal values it is all rounding.
                AssertClose(
                    Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / values.Count),
                    reader.GetDouble(7),
                    values.Max(Math.Abs)
                );
                Assert.Equal(key.Item2.AddSeconds(10), reader.GetDateTime(8));
            }
        }
    }

    private static void AssertClose(double expected, double actual, double scale) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-9 * Math.Max(Math.Abs(expected), 1e-4 * scale), $"{actual:R} is not {expected:R}");
}
