using System.Text.Json;
using System.Text.RegularExpressions;
using FactoryStream.Storage;
using FactoryStream.Tests.Dashboard;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Publishing;

/// <summary>The dashboard for Grafana asks what the database answers.</summary>
[Collection(DatabaseTests.Name)]
public sealed class GrafanaDashboardTests(PostgresFixture postgres)
{
    private static readonly string Folder = Path.Combine(SharedData.Root, "deploy", "grafana");

    [SkippableFact]
    public async Task Every_query_is_answered_with_rows_at_every_step()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await Seeds.TwoFactoriesAsync(database);
        var engine = await database.ScalarAsync<int>("SELECT min(engine_no) FROM factory.engines");
        await database.AlertAsync(1, "factory_a", engine, "raised", "alarm", Seeds.Start);
        await database.RowsAsync(
            """
            INSERT INTO factory.rejection_counts (partition, factory_id, reason, refused, count, bytes)
            VALUES (0, 'factory_a', 'bad_signature', false, 3, 9)
            """
        );
        await database.RowsAsync(
            """
            INSERT INTO factory.rejections (rejected_at, factory_id, reason, refused, line, readings, unknown_factory)
            VALUES (now(), 'factory_a', 'bad_signature', false, 'x', 1, false)
            """
        );
        // Two days later, so that the first day is over and rolled up.
        await database.CloseAsync(engine, Seeds.Start.AddDays(2), ("temp_air", 20));
        while ((await Rollup.RunAsync(database, Seeds.Start.AddDays(3), null, null, CancellationToken.None)).IsMore) { }
        var queries = Queries();
        Assert.True(queries.Count >= 11, $"{queries.Count} queries");

        foreach (var query in queries)
        {
            foreach (var step in (string[])["windows", "window_minutes", "window_hours", "window_days"])
                Assert.True((await database.RowsAsync(AsGrafanaAsks(query, step))).Length > 0, $"No row: {query}");
        }
    }

    [SkippableFact]
    public async Task It_asks_views_alone_and_its_readme_names_each_of_them()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        var views = await database.RowsAsync(
            "SELECT viewname::text FROM pg_views WHERE schemaname = 'factory' ORDER BY viewname COLLATE \"C\""
        );

        var asked = Queries().SelectMany(query => Relations(AsGrafanaAsks(query, "windows"))).Distinct();
        var granted = Relations(await File.ReadAllTextAsync(Path.Combine(Folder, "README.md"))).Distinct().Order(StringComparer.Ordinal);

        Assert.Subset(views.ToHashSet(), asked.ToHashSet());
        Assert.Equal(views, granted);
    }

    private static List<string> Queries()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "factorystream.json")));
        var root = dashboard.RootElement;
        return
        [
            .. root.GetProperty("panels").EnumerateArray().SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(Sql),
            .. root.GetProperty("annotations").GetProperty("list").EnumerateArray().Select(one => Sql(one.GetProperty("target"))),
            .. root.GetProperty("templating")
                .GetProperty("list")
                .EnumerateArray()
                .Where(variable => variable.GetProperty("type").GetString() == "query")
                .Select(variable => variable.GetProperty("query").GetString()!),
        ];

        static string Sql(JsonElement target) => target.GetProperty("rawSql").GetString()!;
    }

    /// <summary>The query with Grafana's variables and macros replaced as Grafana does it.</summary>
    private static string AsGrafanaAsks(string query, string step)
    {
        var asked = query
            .Replace("${factory:sqlstring}", "'factory_a'", StringComparison.Ordinal)
            .Replace("${engine:sqlstring}", "'e1','e2'", StringComparison.Ordinal)
            .Replace("${metric:sqlstring}", "'temp_air'", StringComparison.Ordinal)
            .Replace("${step:raw}", step, StringComparison.Ordinal)
            .Replace("$__interval", "10s", StringComparison.Ordinal);
        asked = Regex.Replace(asked, @"\$__timeFilter\((\w+)\)", "$1 BETWEEN '2000-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z'");
        asked = Regex.Replace(asked, @"\$__timeGroup\((\w+), 10s\)", "floor(extract(epoch from $1)/10)*10");
        Assert.DoesNotContain('$', asked);
        return asked;
    }

    private static IEnumerable<string> Relations(string sql) =>
        Regex.Matches(sql, @"\bfactory\.(\w+)").Select(match => match.Groups[1].Value);
}
