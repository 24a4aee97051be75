using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class StepWindowsTests(PostgresFixture postgres)
{
    private const string From = "from=2026-02-01T00:00:00Z";

    private static readonly DateTime Evening = new(2026, 2, 24, 22, 58, 40, DateTimeKind.Utc);

    [SkippableTheory]
    [InlineData("1m", 60)]
    [InlineData("1h", 3_600)]
    [InlineData("1d", 86_400)]
    public async Task Windows_of_a_step_are_those_of_ten_seconds_together_rolled_up_or_not_in_pages_of_any_size(string step, int seconds)
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        var windows = await PagesAsync(dashboard, $"/api/windows?{From}", 1_000);
        // The seeds close one after the other; each engine is closed up to the end of its newest.
        var expected = windows
            .GroupBy(window => (Factory: Text(window, "factory_id"), Start: Start(window, seconds), Metric: Text(window, "metric")))
            .OrderBy(group => group.Key.Factory, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Start)
            .ThenBy(group => group.Key.Metric, StringComparer.Ordinal)
            .Select(group =>
            {
                var closedUntil = windows
                    .Where(window => Text(window, "factory_id") == group.Key.Factory)
                    .Max(window => window.GetProperty("window_end").GetDateTime());
                var end = group.Key.Start.AddSeconds(seconds);
                return $"{group.Key.Factory} {group.Key.Start:s} {end:s} {group.Key.Metric} {group.Sum(Count)} {group.Sum(Sum):F6} "
                    + $"{group.Min(window => Number(window, "min"))} {group.Max(window => Number(window, "max"))} {end <= closedUntil}";
            })
            .ToArray();

        foreach (var limit in (int[])[1, 2, 3, 7, 1_000])
        {
            var all = await PagesAsync(dashboard, $"/api/windows?{From}&step={step}", limit);
            Assert.Equal(
                expected,
                all.Select(window =>
                    $"{Text(window, "factory_id")} {window.GetProperty("window_start").GetDateTime():s} "
                    + $"{window.GetProperty("window_end").GetDateTime():s} {Text(window, "metric")} {Count(window)} {Sum(window):F6} "
                    + $"{Number(window, "min")} {Number(window, "max")} {window.GetProperty("closed").GetBoolean()}"
                )
            );
        }
        Assert.Equal(
            expected.Where(line => line.Contains(" temp ", StringComparison.Ordinal)).Count(),
            (await PagesAsync(dashboard, $"/api/windows?{From}&step={step}&metric=temp", 2)).Count
        );
    }

    [SkippableFact]
    public async Task Times_between_the_starts_of_a_step_count_from_the_next_start_on()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);

        var windows = await PagesAsync(
            dashboard,
            "/api/windows?factory_id=a&metric=rpm&step=1m&from=2026-02-24T23:00:30Z&to=2026-02-24T23:02:10Z",
            10
        );

        Assert.Equal(["01", "02"], windows.Select(window => $"{window.GetProperty("window_start").GetDateTime():mm}"));
    }

    [SkippableFact]
    public async Task CSV_of_a_step_has_the_columns_of_windows_and_another_step_is_a_problem()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);

        var csv = await dashboard.Client.GetStringAsync($"/api/windows?{From}&step=1d&metric=temp&excel=true&limit=1");
        using var wrong = await dashboard.Client.GetAsync("/api/windows?step=10m");

        Assert.StartsWith("factory_id,engine_id,metric,window_start,window_end,count,", csv, StringComparison.Ordinal);
        Assert.Contains("a,e,temp,2026-02-24T00:00:00Z,2026-02-25T00:00:00Z,", csv, StringComparison.Ordinal);
        Assert.Contains("step: expected 10s, 1m, 1h or 1d", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>
    /// Two engines whose windows go over midnight: the first rolled up until its last but one minute, with more windows since, the second
    /// not at all.
    /// </summary>
    private static async Task SeedAsync(NpgsqlDataSource database)
    {
        var first = await database.EngineAsync("a", "e");
        for (var n = 0; n < 400; n += n % 7 + 1)
            await database.CloseAsync(first, Evening.AddSeconds(10 * n), ("rpm", n), (n % 3 == 0 ? "temp" : "air", 1_000 - n));
        while ((await Rollup.RunAsync(database, Evening, null, null, CancellationToken.None)).IsMore) { }
        for (var n = 400; n < 420; n++)
            await database.CloseAsync(first, Evening.AddSeconds(10 * n), ("rpm", n), ("temp", 1_000 - n));
        var second = await database.EngineAsync("b", "e");
        for (var n = 0; n < 30; n += 3)
            await database.CloseAsync(second, Evening.AddSeconds(10 * n), ("rpm", n));
    }

    private static async Task<List<JsonElement>> PagesAsync(RunningDashboard dashboard, string address, int limit)
    {
        var windows = new List<JsonElement>();
        string? cursor = null;
        do
        {
            var page = await dashboard.Client.GetFromJsonAsync<JsonElement>(
                $"{address}&limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}"
            );
            var rows = page.GetProperty("windows").EnumerateArray().ToArray();
            cursor = page.GetProperty("next_cursor").GetString();
            Assert.True(cursor is null || rows.Length == limit);
            windows.AddRange(rows);
        } while (cursor is not null && windows.Count < 2_000);
        return windows;
    }

    private static string Text(JsonElement window, string name) => window.GetProperty(name).GetString()!;

    private static double Number(JsonElement window, string name) => window.GetProperty(name).GetDouble();

    private static long Count(JsonElement window) => window.GetProperty("count").GetInt64();

    private static double Sum(JsonElement window) => Number(window, "sum");

    private static DateTime Start(JsonElement window, int seconds)
    {
        var start = window.GetProperty("window_start").GetDateTime();
        return start.AddSeconds(-((start - DateTime.UnixEpoch).TotalSeconds % seconds));
    }
}
