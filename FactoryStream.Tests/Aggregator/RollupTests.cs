using System.Globalization;
using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using Npgsql;
using static FactoryStream.Tests.Aggregator.ConsumedMessages;

namespace FactoryStream.Tests.Aggregator;

[Collection(DatabaseTests.Name)]
public sealed class RollupTests(PostgresFixture postgres)
{
    private const string Stored = """
        SELECT (SELECT count(*) FROM factory.engine_minutes), (SELECT count(*) FROM factory.engine_hours),
            (SELECT count(*) FROM factory.engine_days), (SELECT count(*) FROM factory.stale_minutes),
            (SELECT count(*) FROM factory.engines WHERE rolled_until IS NOT NULL)
        """;

    private int messages;

    [SkippableFact]
    public async Task Minutes_hours_and_days_hold_what_the_raw_values_of_their_readings_give()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        var random = new Random(1);
        // Two days and two hours from noon on: an hour close together, the rest far apart, and late ones that nothing is rolled up for yet.
        await CommitAsync(owner, "e", Enumerable.Range(0, 1_200).Select(n => (n * 3, Value(random), n > 600)));
        await CommitAsync(owner, "e", [(100, Value(random), true), (1_500, Value(random), false)]);
        await RollUpAsync(owner);
        await CommitAsync(owner, "e", Enumerable.Range(0, 700).Select(n => (3_600 + n * 251, Value(random), n % 2 == 0)));
        await CommitAsync(owner, "f", Enumerable.Range(0, 300).Select(n => (n * 600 + 7, Value(random), false)));
        await RollUpAsync(owner);
        // Late ones for what is rolled up: of a metric that its minute did not have, and of a minute that had no reading at all.
        await CommitAsync(owner, "e", [(59, Value(random), true), (43_200, Value(random), true), (90_061, Value(random), false)]);
        await CommitAsync(owner, "f", [(30, Value(random), true)]);
        var stale = await RunAsync(owner);
        Assert.False(stale.IsMore);

        Assert.Equal(["0"], await owner.RowsAsync("SELECT count(*) FROM factory.stale_minutes"));
        foreach (var step in WindowStep.All.Where(step => step.Finer is not null))
            await AssertExactAsync(owner, step);
        Assert.Equal(
            ["True"],
            await owner.RowsAsync(
                "SELECT min(revision) > 0 FROM factory.engine_minutes JOIN factory.engines USING (engine_no) "
                    + "WHERE engine_id = 'e' AND window_start IN ('2026-01-01 12:00Z', '2026-01-02 13:01Z')"
            )
        );
        Assert.Equal(
            ["01/02/2026 00:00:00"],
            await owner.RowsAsync("SELECT DISTINCT window_start FROM factory.engine_days WHERE window_start > '2026-01-01 12:00Z'")
        );
    }

    [SkippableFact]
    public async Task An_engine_that_falls_idle_within_a_minute_is_rolled_up_to_there_and_goes_on_from_there()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await CommitAsync(owner, "e", [(0, 1, false), (30, 2, false), (61, 3, false), (95, 4, false)]);
        await RollUpAsync(owner);
        Assert.Equal(["01/01/2026 12:00:00|2"], await MinutesAsync(owner));

        // Weeks later: what was between is not walked through.
        await CommitAsync(owner, "e", [(3_000_000, 5, false), (3_000_061, 6, false), (3_000_125, 7, false)]);
        await RollUpAsync(owner);

        Assert.Equal(
            ["01/01/2026 12:00:00|2", "01/01/2026 12:01:00|2", "02/05/2026 05:20:00|1", "02/05/2026 05:21:00|1"],
            await MinutesAsync(owner)
        );
        await AssertExactAsync(owner, WindowStep.Hour);
        await AssertExactAsync(owner, WindowStep.Day);
    }

    [SkippableFact]
    public async Task What_nothing_can_come_for_any_more_is_complete_though_its_engine_fell_idle_within_it()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await CommitAsync(owner, "e", [(0, 1, false), (61, 3, false), (95, 4, false)]);
        await RollUpAsync(owner, expiredBefore: Noon.AddHours(11));
        Assert.Equal(["1|0|0|0|1"], await owner.RowsAsync(Stored));

        await RollUpAsync(owner, expiredBefore: Noon.AddHours(12));

        Assert.Equal(["2|1|1|0|1"], await owner.RowsAsync(Stored));
        Assert.Equal(["2"], await owner.RowsAsync("SELECT count FROM factory.window_days"));
        await RollUpAsync(owner, expiredBefore: Noon.AddHours(12));
        Assert.Equal(["01/02/2026 00:00:00"], await owner.RowsAsync("SELECT rolled_until FROM factory.engines"));
    }

    [SkippableFact]
    public async Task A_roll_up_that_fails_leaves_all_as_it_was_and_the_next_one_does_it()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await CommitAsync(owner, "e", Enumerable.Range(0, 30).Select(n => (n * 3_600, (double)n, false)));
        await CommitAsync(owner, "e", [(5, 1, false)]);
        await owner.RowsAsync("ALTER TABLE factory.engine_days RENAME TO gone");

        await Assert.ThrowsAsync<PostgresException>(() => RunAsync(owner));
        await owner.RowsAsync("ALTER TABLE factory.gone RENAME TO engine_days");
        Assert.Equal(["0|0|0|1|0"], await owner.RowsAsync(Stored));

        await RollUpAsync(owner);
        Assert.Equal(["29|28|1|0|1"], await owner.RowsAsync(Stored));
    }

    [SkippableFact]
    public async Task One_rolls_up_at_a_time_and_the_other_leaves()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await CommitAsync(owner, "e", Enumerable.Range(0, 5_000).Select(n => (n * 60, (double)n, false)));
        await CommitAsync(owner, "e", [(5, 1, false)]);
        await using (var other = await owner.Database.OpenConnectionAsync())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using (var alone = new NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtext('factory.rollup'))", other))
                await alone.ExecuteNonQueryAsync();
            Assert.Equal(default, await RunAsync(owner));
        }
        Assert.Equal(["0|0|0|1|0"], await owner.RowsAsync(Stored));

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => RollUpAsync(owner)));

        Assert.Equal(["4998|83|3|0|1"], await owner.RowsAsync(Stored));
        await AssertExactAsync(owner, WindowStep.Day);
    }

    [SkippableFact]
    public async Task An_engine_that_a_commit_is_writing_is_not_waited_for_and_rolled_up_again()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await CommitAsync(owner, "e", [(0, 1, false), (75, 2, false)]);
        await using (var committing = await owner.Database.OpenConnectionAsync())
        {
            await using var transaction = await committing.BeginTransactionAsync();
            await using (var update = new NpgsqlCommand("UPDATE factory.engines SET closed_until = closed_until", committing))
                await update.ExecuteNonQueryAsync();
            await RunAsync(owner).WaitAsync(TimeSpan.FromSeconds(60));
        }
        Assert.Equal(["1|0|0|0|0"], await owner.RowsAsync(Stored));

        await RollUpAsync(owner);
        Assert.Equal(["1|0|0|0|1"], await owner.RowsAsync(Stored));
    }

    [SkippableFact]
    public async Task After_a_purge_nothing_is_rolled_up_and_all_begins_anew()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await CommitAsync(owner, "e", Enumerable.Range(0, 40).Select(n => (n * 3_600, (double)n, false)));
        await RollUpAsync(owner);
        await CommitAsync(owner, "e", [(5, 1, false)]);

        await Purge.RunAsync(owner.Database, CancellationToken.None);
        Assert.Equal(["0|0|0|0|0"], await owner.RowsAsync(Stored));
        await owner.RestartAsync();
        await CommitAsync(owner, "e", [(0, 1, false), (75, 2, false)]);
        await RollUpAsync(owner);

        Assert.Equal(["1|0|0|0|1"], await owner.RowsAsync(Stored));
    }

    [SkippableFact]
    public async Task What_may_be_dropped_is_not_computed_again_from_what_is_left()
    {
        await using var owner = await PartitionOwner.StartAsync(postgres);
        await CommitAsync(owner, "e", [(0, 1, false), (75, 2, false)]);
        await RollUpAsync(owner);
        await owner.RowsAsync("TRUNCATE factory.engine_windows");
        await CommitAsync(owner, "e", [(5, 1, false)]);

        await Rollup.RunAsync(owner.Database, Noon, null, droppedBefore: Noon.AddMinutes(1), CancellationToken.None);

        Assert.Equal(["01/01/2026 12:00:00|1"], await MinutesAsync(owner));
        Assert.Equal(["1|0|0|0|1"], await owner.RowsAsync(Stored));
    }

    private static Task<string[]> MinutesAsync(PartitionOwner owner) =>
        owner.RowsAsync("SELECT window_start, count FROM factory.window_minutes WHERE metric = 'rpm' ORDER BY 1");

    private static double Value(Random random) => 1_000_000 + Math.Round(random.NextDouble(), 6);

    private static Task<RollupProgress> RunAsync(PartitionOwner owner, DateTime? expiredBefore = null) =>
        Rollup.RunAsync(owner.Database, Noon, expiredBefore, null, CancellationToken.None);

    private static async Task RollUpAsync(PartitionOwner owner, DateTime? expiredBefore = null)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await RunAsync(owner, expiredBefore)).IsMore)
            patience.Token.ThrowIfCancellationRequested();
    }

    /// <summary>Readings of an engine at seconds from noon on, all with <c>rpm</c> and some with <c>temp</c> as well.</summary>
    private Task CommitAsync(PartitionOwner owner, string engine, IEnumerable<(int Second, double Rpm, bool HasTemp)> readings)
    {
        var lines = readings
            .Select(reading =>
            {
                var time = Noon.AddSeconds(reading.Second).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
                var rpm = reading.Rpm.ToString("R", CultureInfo.InvariantCulture);
                var temp = reading.HasTemp ? $",\"temp\":{rpm}" : "";
                return $$$"""
                    {"data":{"factory_id":"f","engine_id":"{{{engine}}}","timestamp":"{{{time}}}","rpm":{{{rpm}}}{{{temp}}}},
                    "signature":"QUJD","key_id":"k1"}
                    """.ReplaceLineEndings("");
            })
            .ToArray();
        var offset = messages++;
        return owner.CommitAsync(Message(offset, $"{offset}:{lines.Length}", lines));
    }

    /// <summary>Each complete window of the step is there, and what it holds is by definition that of the stored readings.</summary>
    private static async Task AssertExactAsync(PartitionOwner owner, WindowStep step)
    {
        var readings = await owner.RowsAsync(
            """
            SELECT engine_id, extract(epoch FROM measured_at)::bigint, metric.key, metric.value, extract(epoch FROM closed_until)::bigint
            FROM factory.readings JOIN factory.engines USING (engine_no), json_each_text(data) AS metric
            WHERE metric.key IN ('rpm', 'temp')
            """
        );
        var seconds = (long)step.Length.TotalSeconds;
        var expected = readings
            .Select(row => row.Split('|'))
            .Select(row =>
                (Engine: row[0], Start: Number(row[1]) / seconds * seconds, Metric: row[2], Value: Decimal(row[3]), Until: Number(row[4]))
            )
            .Where(reading => reading.Start + seconds <= reading.Until)
            .GroupBy(reading => (reading.Engine, reading.Start, reading.Metric))
            .ToDictionary(step => step.Key, step => step.Select(reading => reading.Value).ToArray());
        var view =
            step == WindowStep.Minute ? "window_minutes"
            : step == WindowStep.Hour ? "window_hours"
            : "window_days";
        var rows = await owner.RowsAsync(
            $"""
            SELECT engine_id, extract(epoch FROM window_start)::bigint, metric, count, sum, min, max, squared_deviation,
                extract(epoch FROM window_end - window_start)::bigint
            FROM factory.{view} JOIN factory.engines USING (engine_no)
            """
        );

        Assert.Equal(expected.Count, rows.Length);
        foreach (var row in rows.Select(row => row.Split('|')))
        {
            var values = expected[(row[0], Number(row[1]), row[2])];
            var mean = values.Average();
            Assert.Equal((values.Length, values.Min(), values.Max()), (Number(row[3]), Decimal(row[5]), Decimal(row[6])));
            Assert.Equal((double)values.Sum(), Double(row[4]), (double)values.Sum() * 1e-14);
            Assert.Equal((double)values.Sum(value => (value - mean) * (value - mean)), Double(row[7]), 1e-6 * values.Length);
            Assert.Equal(seconds, Number(row[8]));
        }

        static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
        static double Double(string text) => double.Parse(text, CultureInfo.InvariantCulture);
        static decimal Decimal(string text) => decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
    }
}
