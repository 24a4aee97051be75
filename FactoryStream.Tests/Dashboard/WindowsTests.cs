using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Dashboard.Windows;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class WindowsTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Windows_come_by_factory_engine_start_and_metric_from_inclusive_to_exclusive()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);

        var answer = await dashboard.Client.GetStringAsync(
            "/api/windows?factory_id=factory_a&metric=rpm&from=2026-02-25T06:13:20Z&to=2026-02-25T06:13:30Z"
        );
        var unbounded = await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/windows?from=1970-01-01T00:00:00Z");

        Assert.Equal(
            """
            {"windows":[{"factory_id":"factory_a","engine_id":"e1","metric":"rpm",
            "window_start":"2026-02-25T06:13:20Z","window_end":"2026-02-25T06:13:30Z","count":10,"sum":30000,"min":2999,"max":3002,
            "mean":3000,"standard_deviation":2,"revision":0,"closed":true}],"next_cursor":null}
            """.ReplaceLineEndings(""),
            answer
        );
        Assert.Equal(
            [
                "factory_a/e1 13:20 pressure_1",
                "factory_a/e1 13:20 rpm",
                "factory_a/e1 13:20 temp_air",
                "factory_a/e1 13:30 pressure_1",
                "factory_a/e1 13:30 rpm",
                "factory_a/e1 13:30 temp_air",
                "factory_b/e1 00:00 rpm",
            ],
            unbounded
                .GetProperty("windows")
                .EnumerateArray()
                .Select(window =>
                    $"{window.GetProperty("factory_id")}/{window.GetProperty("engine_id")} "
                    + $"{window.GetProperty("window_start").GetDateTime():mm:ss} {window.GetProperty("metric")}"
                )
        );
    }

    [SkippableFact]
    public async Task Without_times_the_windows_are_those_of_the_last_fifteen_minutes()
    {
        var recent = DateTime.UnixEpoch.AddSeconds(
            Math.Floor((TimeProvider.System.GetUtcNow().UtcDateTime - DateTime.UnixEpoch).TotalSeconds / 10) * 10 - 60
        );
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
            {
                var engine = await database.EngineAsync("f", "e");
                await database.CloseAsync(engine, recent.AddMinutes(-20), ("rpm", 1));
                await database.CloseAsync(engine, recent, ("rpm", 2));
            }
        );

        var answer = await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/windows");

        Assert.Equal(2, Assert.Single(answer.GetProperty("windows").EnumerateArray()).GetProperty("mean").GetDouble());
    }

    [SkippableFact]
    public async Task Pages_of_any_size_put_together_are_all_windows_in_their_order()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
            {
                await Seeds.TwoFactoriesAsync(database);
                // In no order, and one name that only sorts so by its bytes.
                await database.CloseAsync(
                    await database.EngineAsync("Factory", "é"),
                    Seeds.Start.AddDays(-40),
                    ("x", 1),
                    ("B", 2),
                    ("a", 3)
                );
                await database.CloseAsync(await database.EngineAsync("factory_a", "e0"), Seeds.Start, ("rpm", 4));
            }
        );
        const string address = "/api/windows?from=1970-01-01T00:00:00Z";
        var all = (await dashboard.Client.GetFromJsonAsync<JsonElement>(address))
            .GetProperty("windows")
            .EnumerateArray()
            .Select(window => window.GetRawText())
            .ToArray();

        for (var limit = 1; limit <= all.Length + 1; limit++)
        {
            var pages = new List<string[]>();
            string? cursor = null;
            do
            {
                var page = await dashboard.Client.GetFromJsonAsync<JsonElement>(
                    $"{address}&limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}"
                );
                pages.Add([.. page.GetProperty("windows").EnumerateArray().Select(window => window.GetRawText())]);
                cursor = page.GetProperty("next_cursor").GetString();
            } while (cursor is not null && pages.Count < 20);
            Assert.Equal(all, pages.SelectMany(page => page));
            Assert.All(pages[..^1], page => Assert.Equal(limit, page.Length));
        }
        Assert.Equal(
            ["Factory B", "Factory a", "Factory x", "factory_a rpm"],
            all.Take(4)
                .Select(text => JsonDocument.Parse(text).RootElement)
                .Select(window => $"{window.GetProperty("factory_id")} {window.GetProperty("metric")}")
        );
    }

    [SkippableFact]
    public async Task The_next_page_is_linked_to_and_keeps_the_filter_and_the_form()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);

        using var first = await dashboard.Client.GetAsync("/api/windows?metric=rpm&from=2020-01-01T00:00:00Z&excel=true&limit=2");
        var link = Assert.Single(first.Headers.GetValues("Link"));
        using var last = await dashboard.Client.GetAsync(link[1..link.IndexOf('>', StringComparison.Ordinal)]);

        Assert.Equal(["factory_a", "factory_a"], await FactoriesAsync(first));
        Assert.Equal(["factory_b"], await FactoriesAsync(last));
        Assert.False(last.Headers.Contains("Link"));

        static async Task<IEnumerable<string>> FactoriesAsync(HttpResponseMessage response) =>
            (await response.Content.ReadAsStringAsync())
                .Split("\r\n", StringSplitOptions.RemoveEmptyEntries)[1..]
                .Select(line => line.Split(',')[0]);
    }

    [SkippableTheory]
    [InlineData(null)]
    [InlineData("2026-02-25 08:00:00")]
    public async Task A_page_of_a_long_time_reads_hardly_more_windows_than_it_holds(string? after)
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await database.ScalarAsync<object>("SELECT factory.ensure_partition('engine_windows', $1)", Seeds.Start);
        for (var engine = 0; engine < 3; engine++)
        {
            await database.ScalarAsync<int>(
                """
                INSERT INTO factory.engine_windows (engine_no, revision, window_start, window_end, updated_at, metrics, counts, sums, mins,
                    maxs, squared_deviations)
                SELECT $1, 0, $2 + n * interval '10 s', $2 + (n + 1) * interval '10 s', now(), '{rpm}', '{1}', '{1}', '{1}', '{1}', '{0}'
                FROM generate_series(0, 999) AS n RETURNING 1
                """,
                await database.EngineAsync("f", $"e{engine}"),
                Seeds.Start
            );
        }
        await database.RowsAsync("UPDATE factory.engines SET closed_until = 'infinity'");
        await database.RowsAsync("ANALYZE");
        var cursor = after is null ? null : new WindowsCursor("f", "e1", UtcTime(after), UtcTime(after).AddSeconds(10), "rpm");
        await using var command = new WindowsReader(database).Command(
            new WindowsQuery(null, null, null, DateTime.UnixEpoch, null, cursor),
            10
        );
        command.CommandText = "EXPLAIN (ANALYZE, TIMING OFF) " + command.CommandText;

        var plan = new List<string>();
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                plan.Add(reader.GetString(0));
        }

        // Sample: "->  Index Scan using engine_windows_202602_pkey on engine_windows_202602 engine_windows  (cost=0.28..49.25 rows=1000
        // width=78) (actual rows=12.00 loops=1)"
        var scans = plan.Select(line =>
                System.Text.RegularExpressions.Regex.Match(
                    line,
                    @" on engine_windows_.*\(actual rows=([0-9]+)(?:\.[0-9]+)? loops=([0-9]+)\)"
                )
            )
            .Where(match => match.Success)
            .ToArray();
        Assert.True(scans.Sum(scan => Number(scan, 1) * Number(scan, 2)) is >= 11 and < 100, string.Join('\n', plan));
        Assert.DoesNotContain(plan, line => line.Contains("Rows Removed by Filter", StringComparison.Ordinal) && Digits(line) > 20);

        static int Number(System.Text.RegularExpressions.Match match, int group) =>
            int.Parse(match.Groups[group].Value, System.Globalization.CultureInfo.InvariantCulture);

        static int Digits(string line) => int.Parse(line.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);

        static DateTime UtcTime(string text) =>
            DateTime.SpecifyKind(DateTime.Parse(text, System.Globalization.CultureInfo.InvariantCulture), DateTimeKind.Utc);
    }
}
