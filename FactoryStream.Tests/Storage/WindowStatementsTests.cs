using FactoryStream.Aggregator.Committing;
using FactoryStream.Contracts;
using FactoryStream.Storage;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Npgsql;
using static FactoryStream.Tests.Storage.StorageSamples;

namespace FactoryStream.Tests.Storage;

[Collection(DatabaseTests.Name)]
public sealed class WindowStatementsTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Late_totals_are_merged_into_the_row_and_make_one_where_there_is_none()
    {
        await using var database = await DatabaseAsync(postgres);
        await using var connection = await database.OpenConnectionAsync();
        await MergeAsync(0, Of("a", 1, 2, 3));
        await MergeAsync(1, Of("a", 10) with { Metrics = [.. Of("a", 10).Metrics, .. Of("b", 4, 8).Metrics] });
        await MergeAsync(1, Of("a", -6, 2));

        var all = Of("a", 1, 2, 3, 10, -6, 2);
        Assert.Equal(
            ["a|2|6|12|-6|10", "b|2|2|12|4|8"],
            await database.RowsAsync("SELECT metric, revision, count, sum, min, max FROM factory.windows ORDER BY metric")
        );
        Assert.Equal(
            all.Metrics[0].SquaredDeviation,
            await database.ScalarAsync<double>("SELECT squared_deviation FROM factory.windows WHERE metric = 'a'"),
            1e-9
        );

        Task MergeAsync(int revision, params WindowTotals[] windows) =>
            WindowStore.MergeAsync(connection, windows, revision, Noon, CancellationToken.None);
    }

    [SkippableFact]
    public async Task A_copied_window_is_read_as_it_was_written()
    {
        await using var database = await DatabaseAsync(postgres);
        await using var connection = await database.OpenConnectionAsync();
        var window = new WindowTotals(
            7,
            Noon,
            Noon.AddSeconds(10),
            [
                new MetricRow("Öltemperatur \"{,}\\", long.MaxValue, -1.5, double.MinValue, double.MaxValue, 1e-290),
                new MetricRow("b", 1, 2, 2, 2, 0),
            ]
        );
        var rows = new BinaryCopyBuffer();
        rows.Reset();
        WindowStatements.Append(rows, window, Noon.AddSeconds(11));
        await rows.CopyToAsync(connection, WindowStatements.CopyTarget, CancellationToken.None);

        var read = Assert.Single(await WindowStatements.ReadAsync(connection, [window with { Metrics = [] }], CancellationToken.None));

        Assert.Equal((window.EngineNo, window.WindowStart, window.WindowEnd), (read.EngineNo, read.WindowStart, read.WindowEnd));
        Assert.Equal(window.Metrics, read.Metrics);
        Assert.Equal(["0|01/01/2026 12:00:11"], await database.RowsAsync("SELECT revision, updated_at FROM factory.engine_windows"));
    }

    [SkippableFact]
    public async Task No_value_that_a_machine_may_send_breaks_a_merge()
    {
        await using var database = await DatabaseAsync(postgres);
        await using var connection = await database.OpenConnectionAsync();
        double[] values = [1.7e308, -1.7e308, 1.7e308, 1e200, -1e-200, 5e-324, 1e-170, 0];
        foreach (var value in values)
            await WindowStore.MergeAsync(connection, [Of("a", value)], 1, Noon, CancellationToken.None);

        Assert.Equal(
            ["8|-1.7E+308|1.7E+308|True"],
            await database.RowsAsync(
                "SELECT count, min, max, sum / count < 1e308 AND sqrt(squared_deviation / count) > 1e100 FROM factory.windows"
            )
        );
    }

    [Property(MaxTest = 300)]
    public Property Merged_totals_are_those_of_all_values_at_once() =>
        Prop.ForAll(
            Gen.Choose(-1_000_000, 1_000_000).Select(value => value / 1000.0).NonEmptyListOf().Two().ToArbitrary(),
            values =>
            {
                var merged = Totals([.. values.Item1]).With(Totals([.. values.Item2]));
                var all = Of("a", [.. values.Item1, .. values.Item2]).Metrics[0];
                return merged.Count == all.Count
                    && merged.Min == all.Min
                    && merged.Max == all.Max
                    && Math.Abs(merged.Sum - all.Sum) <= 1e-6
                    && Math.Abs(merged.SquaredDeviation - all.SquaredDeviation) <= 1e-9 * Math.Max(1, all.SquaredDeviation);
            }
        );

    [SkippableFact]
    public async Task More_engines_than_a_notification_holds_are_notified_as_all_engines()
    {
        await using var database = await DatabaseAsync(postgres);
        await using var connection = await database.OpenConnectionAsync();
        var heard = new List<string>();
        connection.Notification += (_, notification) => heard.Add(notification.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {WindowStatements.Channel}", connection))
            await listen.ExecuteNonQueryAsync();
        foreach (
            var engines in (int[][])
                [
                    [1, 5, 7],
                    [.. Enumerable.Range(1, 5000)],
                ]
        )
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(WindowStatements.Notify(engines));
            await batch.ExecuteNonQueryAsync();
        }
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (heard.Count < 2)
            await connection.WaitAsync(timeout.Token);

        Assert.Equal(["[1,5,7]", "\"*\""], heard);
    }

    private static MetricTotals Totals(params double[] values)
    {
        var row = Of("a", values).Metrics[0];
        return new(row.Metric, row.Count, row.Sum, row.Min, row.Max, row.SquaredDeviation);
    }

    /// <summary>By definition, not by any update formula.</summary>
    private static WindowTotals Of(string metric, params double[] values)
    {
        var mean = values.Average();
        var squaredDeviation = values.Sum(value => (value - mean) * (value - mean));
        return new WindowTotals(
            1,
            Noon,
            Noon.AddSeconds(10),
            [new MetricRow(metric, values.Length, values.Sum(), values.Min(), values.Max(), squaredDeviation)]
        );
    }
}
