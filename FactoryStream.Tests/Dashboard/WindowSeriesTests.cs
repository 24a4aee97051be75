using FactoryStream.Dashboard;
using FactoryStream.Dashboard.Windows;
using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class WindowSeriesTests(PostgresFixture postgres)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private static readonly DateTime Midnight = new(2026, 2, 25, 0, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData("00:01:00", "00:00:10")]
    [InlineData("02:00:00", "00:00:10")]
    [InlineData("02:00:01", "00:01:00")]
    [InlineData("06:00:00", "00:01:00")]
    [InlineData("1.00:00:00", "00:10:00")]
    [InlineData("7.00:00:00", "01:00:00")]
    [InlineData("30.00:00:00", "01:00:00")]
    [InlineData("31.00:00:00", "1.00:00:00")]
    [InlineData("720.00:00:00", "1.00:00:00")]
    public void A_step_is_the_smallest_with_at_most_720_points(string span, string step) =>
        Assert.Equal(TimeSpan.Parse(step, null), SeriesStep.For(TimeSpan.Parse(span, null)));

    [SkippableTheory]
    [InlineData(1, false)]
    [InlineData(5, false)]
    [InlineData(23, false)]
    [InlineData(200, false)]
    [InlineData(740, false)]
    [InlineData(5, true)]
    [InlineData(23, true)]
    [InlineData(200, true)]
    [InlineData(740, true)]
    public async Task A_point_holds_what_the_raw_values_of_its_step_give(int hours, bool isRolledUp)
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        var to = Midnight.AddHours(hours);
        // Values far from zero next to small differences: what a formula without means would lose.
        var random = new Random(hours);
        var readings = Enumerable
            .Range(0, 2_000)
            .Select(_ => Midnight.AddSeconds(random.NextDouble() * hours * 3_600))
            .Select(at => (At: at, Value: 1_000_000 + Math.Round(random.NextDouble(), 6)))
            .ToArray();
        await SeedAsync(database, await database.EngineAsync("f", "e"), "rpm", readings, correctedFrom: Midnight.AddMinutes(30));

        if (isRolledUp)
        {
            // But for the last half hour.
            await database.RowsAsync("UPDATE factory.engines SET closed_until = $1", to.AddMinutes(-30));
            while ((await Rollup.RunAsync(database, Midnight, null, null, CancellationToken.None)).IsMore) { }
        }

        var series = await Reader(database).ReadAsync("f", "e", (Midnight, to), null, CancellationToken.None);

        var metric = Assert.Single(series.Metrics);
        var expected = readings
            .GroupBy(reading => Floor(reading.At, series.Step))
            .OrderBy(step => step.Key)
            .Select(step => Expected(step.Key, step.Select(reading => reading.Value)))
            .ToArray();
        Assert.Equal("rpm", metric.Metric);
        Assert.InRange(metric.Points.Count, 2, SeriesStep.MaxPoints);
        Assert.Equal(expected.Length, metric.Points.Count);
        foreach (var (wanted, point) in expected.Zip(metric.Points))
        {
            Assert.Equal((wanted.Start, wanted.Start + series.Step), (point.Start, point.End));
            Assert.Equal((wanted.Count, wanted.Min, wanted.Max), (point.Totals.Count, point.Min, point.Max));
            Assert.Equal((double)wanted.Sum, point.Totals.Sum, (double)wanted.Sum * 1e-14);
            Assert.Equal(wanted.StandardDeviation, point.StandardDeviation, 1e-7);
            Assert.Equal(point.End > Midnight.AddMinutes(30) ? 3 : 0, point.Revision);
        }
    }

    [SkippableFact]
    public async Task Of_the_smallest_step_a_point_is_a_window_from_inclusive_to_exclusive()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        var engine = await database.EngineAsync("f", "e");
        for (var window = 0; window < 4; window++)
            await database.CloseAsync(engine, Midnight.AddSeconds(10 * window), ("rpm", 10 + window), ("temp", 20 + window));
        await database.CloseAsync(await database.EngineAsync("g", "e"), Midnight.AddSeconds(10), ("rpm", 99));
        var reader = Reader(database);
        var range = (Midnight.AddSeconds(10), Midnight.AddSeconds(30));

        var all = await reader.ReadAsync("f", "e", range, null, CancellationToken.None);
        var one = await reader.ReadAsync("f", "e", range, ["temp"], CancellationToken.None);
        var none = await reader.ReadAsync("f", "e2", range, null, CancellationToken.None);

        Assert.Equal(["rpm 10 11", "rpm 20 12", "temp 10 21", "temp 20 22"], Points(all));
        Assert.Equal(["temp 10 21", "temp 20 22"], Points(one));
        Assert.Empty(none.Metrics);

        static IEnumerable<string> Points(WindowSeries series) =>
            series.Metrics.SelectMany(metric => metric.Points.Select(point => $"{metric.Metric} {point.Start.Second} {point.Mean}"));
    }

    [SkippableFact]
    public async Task The_greatest_numbers_there_are_end_no_read()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        var readings = Enumerable.Range(0, 20).Select(n => (Midnight.AddSeconds(10 * n), double.MaxValue / 2)).ToArray();
        await SeedAsync(database, await database.EngineAsync("f", "e"), "rpm", readings, Midnight);

        var series = await Reader(database).ReadAsync("f", "e", (Midnight, Midnight.AddHours(5)), null, CancellationToken.None);

        Assert.All(Assert.Single(series.Metrics).Points, point => Assert.True(double.IsFinite(point.Mean) && point.Totals.Count > 1));
    }

    [Fact]
    public void A_run_ends_where_a_point_is_missing()
    {
        var runs = SeriesRuns.Of([1, 2, 4, 5, 9], at => (Midnight.AddHours(at), Midnight.AddHours(at + 1)), TimeSpan.Zero);
        var bridged = SeriesRuns.Of([1, 2, 4, 5, 9], at => (Midnight.AddHours(at), Midnight.AddHours(at + 1)), TimeSpan.FromHours(1));

        Assert.Equal(["1 2", "4 5", "9"], runs.Select(run => string.Join(' ', run)));
        Assert.Equal(["1 2 4 5", "9"], bridged.Select(run => string.Join(' ', run)));
    }

    private static WindowSeriesReader Reader(NpgsqlDataSource database) =>
        new(new TimedSearch(database, Options.Create(new DashboardOptions { SearchTimeout = TimeSpan.FromMinutes(1) })));

    private static DateTime Floor(DateTime time, TimeSpan step) =>
        new(time.Ticks - (time - DateTime.UnixEpoch).Ticks % step.Ticks, DateTimeKind.Utc);

    /// <summary>From the values themselves, in decimal digits and with the mean known first.</summary>
    private static (DateTime Start, long Count, decimal Sum, double Min, double Max, double StandardDeviation) Expected(
        DateTime start,
        IEnumerable<double> values
    )
    {
        var all = values.Select(value => (decimal)value).ToArray();
        var mean = all.Average();
        var variance = all.Average(value => (value - mean) * (value - mean));
        return (start, all.Length, all.Sum(), (double)all.Min(), (double)all.Max(), Math.Sqrt((double)variance));
    }

    /// <summary>The windows of these values, each totalled by itself; those that end after a time were corrected three times.</summary>
    private static async Task SeedAsync(
        NpgsqlDataSource database,
        int engineNo,
        string metric,
        IEnumerable<(DateTime At, double Value)> readings,
        DateTime correctedFrom
    )
    {
        var windows = readings
            .GroupBy(reading => Floor(reading.At, Window))
            .Select(window =>
            {
                var values = window.Select(reading => reading.Value).ToArray();
                var mean = values.Average();
                var row = new MetricRow(
                    metric,
                    values.Length,
                    values.Sum(),
                    values.Min(),
                    values.Max(),
                    values.Sum(value => Math.Pow(value - mean, 2))
                );
                return new WindowTotals(engineNo, window.Key, window.Key + Window, [row]);
            })
            .ToArray();
        foreach (var day in windows.Select(window => window.WindowStart.Date).Distinct())
            await database.ScalarAsync<object>("SELECT factory.ensure_partition('engine_windows', $1)", day);
        await using var connection = await database.OpenConnectionAsync();
        foreach (var ofRevision in windows.GroupBy(window => window.WindowStart >= correctedFrom ? 3 : 0))
            await WindowStatements.UpsertAsync(connection, [.. ofRevision], ofRevision.Key, Midnight, CancellationToken.None);
    }
}
