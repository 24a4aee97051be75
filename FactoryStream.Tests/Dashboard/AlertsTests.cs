using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class AlertsTests(PostgresFixture postgres)
{
    private const string TooHot = """
        {"name": "too hot", "kind": "threshold", "factory_id": "f", "metric": "temp_oil", "comparison": "above", "limit": 95,
         "severity": "alarm"}
        """;

    private const string Acknowledgement = """{"by": "Ada", "comment": "on my way"}""";

    private const string Token = "the-tests-operator-token";

    [SkippableFact]
    public async Task Who_is_no_operator_changes_nothing()
    {
        await using var dashboard = await StartAsync(postgres, SeedAsync);
        dashboard.Client.DefaultRequestHeaders.Authorization = null;

        using var rule = await SendAsync(dashboard, HttpMethod.Post, "/api/alert-rules", TooHot);
        using var deleted = await dashboard.Client.DeleteAsync("/api/alert-rules/1");
        using var acknowledged = await SendAsync(dashboard, HttpMethod.Post, "/api/alerts/1/acknowledgement", Acknowledgement);

        Assert.All([rule, deleted, acknowledged], answer => Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode));
        Assert.Empty((await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/alert-rules")).GetProperty("rules").EnumerateArray());
    }

    [SkippableFact]
    public async Task A_rule_is_made_shown_changed_and_deleted()
    {
        await using var dashboard = await StartAsync(postgres);

        using var made = await SendAsync(dashboard, HttpMethod.Post, "/api/alert-rules", TooHot);
        Assert.Equal((HttpStatusCode.Created, "/api/alert-rules/1"), (made.StatusCode, made.Headers.Location?.ToString()));
        using var changed = await SendAsync(
            dashboard,
            HttpMethod.Put,
            "/api/alert-rules/1",
            TooHot.Replace("95", "96.5, \"duration\": 30, \"statistic\": \"max\", \"is_enabled\": false", StringComparison.Ordinal)
        );
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);

        var rules = (await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/alert-rules")).GetProperty("rules");
        var rule = Assert.Single(rules.EnumerateArray());
        Assert.Equal((1, 2), (rule.GetProperty("rule_no").GetInt32(), rule.GetProperty("version").GetInt32()));
        Assert.Equal(
            """{"name":"too hot","kind":"threshold","factory_id":"f","engine_id":null,"metric":"temp_oil","comparison":"above","""
                + "\"statistic\":\"max\",\"limit\":96.5,\"duration\":30,\"severity\":\"alarm\",\"is_enabled\":false}",
            rule.GetProperty("settings").GetRawText()
        );

        using var deleted = await dashboard.Client.DeleteAsync("/api/alert-rules/1");
        using var again = await dashboard.Client.DeleteAsync("/api/alert-rules/1");
        using var gone = await SendAsync(dashboard, HttpMethod.Put, "/api/alert-rules/1", TooHot);
        Assert.Equal(
            [HttpStatusCode.NoContent, HttpStatusCode.NotFound, HttpStatusCode.NotFound],
            [deleted.StatusCode, again.StatusCode, gone.StatusCode]
        );
    }

    [SkippableFact]
    public async Task A_rule_that_another_has_changed_meanwhile_is_not_written_over()
    {
        await using var dashboard = await StartAsync(postgres);
        using var made = await SendAsync(dashboard, HttpMethod.Post, "/api/alert-rules", TooHot);
        var body = TooHot.Replace("95", "96, \"version\": 1", StringComparison.Ordinal);

        using var first = await SendAsync(dashboard, HttpMethod.Put, "/api/alert-rules/1", body);
        using var second = await SendAsync(
            dashboard,
            HttpMethod.Put,
            "/api/alert-rules/1",
            body.Replace("96", "97", StringComparison.Ordinal)
        );
        using var none = await SendAsync(dashboard, HttpMethod.Put, "/api/alert-rules/2", body);

        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.Conflict, HttpStatusCode.NotFound],
            [first.StatusCode, second.StatusCode, none.StatusCode]
        );
        Assert.Equal("Somebody else has changed alert rule 1 meanwhile; read it again, then change it.", await DetailAsync(second));
        Assert.Equal(["96|2"], await dashboard.Database.RowsAsync("SELECT \"limit\", version FROM factory.alert_rules"));
    }

    [SkippableFact]
    public async Task Who_made_changed_and_deleted_a_rule_is_an_audit_event()
    {
        await using var dashboard = await StartAsync(postgres);

        using var made = await SendAsync(dashboard, HttpMethod.Post, "/api/alert-rules", TooHot);
        using var changed = await SendAsync(
            dashboard,
            HttpMethod.Put,
            "/api/alert-rules/1",
            TooHot.Replace("95", "96, \"is_enabled\": false", StringComparison.Ordinal)
        );
        using var deleted = await dashboard.Client.DeleteAsync("/api/alert-rules/1");
        using var again = await dashboard.Client.DeleteAsync("/api/alert-rules/1");

        Assert.Equal(
            [
                "operator token|operator|alert_rule_made|1|too hot, threshold, f, temp_oil, above, 95, alarm",
                "operator token|operator|alert_rule_changed|1|too hot, threshold, f, temp_oil, above, 96, alarm, turned off",
                "operator token|operator|alert_rule_deleted|1|too hot, threshold, f, temp_oil, above, 96, alarm, turned off",
            ],
            await dashboard.Database.RowsAsync("SELECT who, role, action, subject, detail FROM factory.audit_events ORDER BY event_no")
        );
    }

    [SkippableFact]
    public async Task A_body_that_is_no_rule_is_refused_with_what_was_expected()
    {
        (string Body, string Expected)[] wrong =
        [
            ("{", "body: expected {"),
            ("null", "body: expected {"),
            ("""{"kind": "threshold"}""", "name: expected text of 1 to 128 characters"),
            ("""{"name": "n", "kind": "heat"}""", "kind: expected threshold, rate_of_change, silence, rejections, anomaly, found 'heat'"),
            ("""{"name": "n", "kind": "silence"}""", "severity: expected warning, alarm, found null"),
            (Rule("threshold", ""), "metric: expected text"),
            (Rule("threshold", """, "metric": "m", "comparison": "over" """), "comparison: expected above, below, found 'over'"),
            (Rule("threshold", """, "metric": "m", "comparison": "above" """), "limit: expected a number, found null"),
            (Rule("threshold", """, "metric": "m", "comparison": "above", "limit": "NaN" """), "limit: expected a number, found NaN"),
            (
                Rule("threshold", """, "metric": "m", "comparison": "above", "limit": 1, "duration": 3601 """),
                "duration: expected seconds from 0 to 3600, found 3601"
            ),
            (Rule("silence", """, "engine_id": "e" """), "factory_id: expected the factory of engine_id, found null"),
            (Rule("silence", ""), "duration: expected seconds from 1 to 86400, found null"),
            (Rule("silence", """, "metric": "m" """), "metric: expected none in a rule of the kind silence, found 'm'"),
            (Rule("anomaly", """, "metric": "m" """), "metric: expected none in a rule of the kind anomaly, found 'm'"),
            (Rule("anomaly", """, "limit": 0 """), "limit: expected a number above 0, at most 100000, found 0"),
            (Rule("anomaly", """, "duration": -1 """), "duration: expected seconds from 0 to 3600, found -1"),
            (Rule("rejections", """, "limit": 1.5 """), "limit: expected a whole number from 0 to 100000, found 1.5"),
        ];
        await using var dashboard = await StartAsync(postgres);

        foreach (var (body, expected) in wrong)
        {
            using var answer = await SendAsync(dashboard, HttpMethod.Post, "/api/alert-rules", body);
            Assert.Equal((body, HttpStatusCode.BadRequest), (body, answer.StatusCode));
            Assert.StartsWith(expected, await DetailAsync(answer), StringComparison.Ordinal);
        }
        Assert.Equal(0L, await dashboard.Database.ScalarAsync<long>("SELECT count(*) FROM factory.alert_rules"));
    }

    [SkippableFact]
    public async Task Alerts_are_found_by_what_is_said_of_them_the_newest_first_and_page_by_page()
    {
        (string Query, string Numbers)[] searches =
        [
            ("", "5 4 3 2 1"),
            ("state=raised", "4 1"),
            ("factory_id=f&engine_id=e1", "2 1"),
            ("factory_id=g", "5 4"),
            ("severity=alarm", "3 1"),
            ("from=2026-02-25T06:13:22Z&to=2026-02-25T06:13:24Z", "4 3"),
        ];
        await using var dashboard = await StartAsync(postgres, SeedAsync);

        foreach (var (query, numbers) in searches)
        {
            foreach (var limit in (int[])[1, 2, 100])
            {
                var found = new List<long>();
                string? cursor = null;
                do
                {
                    var page = await dashboard.Client.GetFromJsonAsync<JsonElement>(
                        $"/api/alerts?{query}&limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}"
                    );
                    found.AddRange(page.GetProperty("alerts").EnumerateArray().Select(alert => alert.GetProperty("alert_no").GetInt64()));
                    cursor = page.GetProperty("next_cursor").GetString();
                } while (cursor is not null && found.Count < 10);
                Assert.Equal((query, numbers), (query, string.Join(' ', found)));
            }
        }
    }

    [SkippableFact]
    public async Task A_rule_of_the_anomaly_score_needs_nothing_but_a_name_and_a_severity()
    {
        await using var dashboard = await StartAsync(postgres);

        using var made = await SendAsync(
            dashboard,
            HttpMethod.Post,
            "/api/alert-rules",
            """{"name": "odd", "kind": "anomaly", "severity": "warning"}"""
        );

        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Equal(
            ["anomaly|||above|1|0|True"],
            await dashboard.Database.RowsAsync(
                """SELECT kind, factory_id, metric, comparison, "limit", duration, is_enabled FROM factory.alert_rules"""
            )
        );
    }

    [SkippableTheory]
    [InlineData("state=open", "state: expected raised, cleared, withdrawn, found 'open'")]
    [InlineData("severity=bad", "severity: expected warning, alarm, found 'bad'")]
    [InlineData("from=now", "from: expected")]
    [InlineData("cursor=x", "cursor: expected the next_cursor of a page")]
    [InlineData("limit=0", "limit: expected a number from 1 to 1000")]
    public async Task A_search_that_is_none_is_refused_with_what_was_expected(string query, string expected)
    {
        await using var dashboard = await StartAsync(postgres);

        using var answer = await dashboard.Client.GetAsync($"/api/alerts?{query}");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(expected, await DetailAsync(answer), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task An_acknowledgement_is_written_once_and_stands_in_the_history()
    {
        await using var dashboard = await StartAsync(postgres, SeedAsync);

        using var nobody = await SendAsync(dashboard, HttpMethod.Post, "/api/alerts/1/acknowledgement", "{}");
        using var first = await SendAsync(dashboard, HttpMethod.Post, "/api/alerts/1/acknowledgement", Acknowledgement);
        using var second = await SendAsync(dashboard, HttpMethod.Post, "/api/alerts/1/acknowledgement", Acknowledgement);
        using var none = await SendAsync(dashboard, HttpMethod.Post, "/api/alerts/99/acknowledgement", Acknowledgement);
        using var noHistory = await dashboard.Client.GetAsync("/api/alerts/99/events");

        Assert.Equal(
            [
                HttpStatusCode.BadRequest,
                HttpStatusCode.NoContent,
                HttpStatusCode.Conflict,
                HttpStatusCode.NotFound,
                HttpStatusCode.NotFound,
            ],
            [nobody.StatusCode, first.StatusCode, second.StatusCode, none.StatusCode, noHistory.StatusCode]
        );
        var events = (await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/alerts/1/events")).GetProperty("events");
        Assert.Equal(
            ["raised||", "acknowledged|Ada|on my way"],
            events.EnumerateArray().Select(entry => $"{Text(entry, "event")}|{Text(entry, "by")}|{Text(entry, "comment")}")
        );
        var alerts = await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/alerts?state=raised&factory_id=f");
        Assert.Equal("Ada", Text(alerts.GetProperty("alerts")[0], "acknowledged_by"));
    }

    /// <summary>Five alerts, each raised a second after the one before.</summary>
    private static async Task SeedAsync(NpgsqlDataSource database)
    {
        var (e1, e2) = (await database.EngineAsync("f", "e1"), await database.EngineAsync("f", "e2"));
        var g = await database.EngineAsync("g", "e1");
        (string Factory, int? Engine, string State, string Severity)[] alerts =
        [
            ("f", e1, "raised", "alarm"),
            ("f", e1, "cleared", "warning"),
            ("f", e2, "withdrawn", "alarm"),
            ("g", g, "raised", "warning"),
            ("g", null, "cleared", "warning"),
        ];
        for (var i = 0; i < alerts.Length; i++)
        {
            var (factory, engine, state, severity) = alerts[i];
            await database.AlertAsync(i + 1, factory, engine, state, severity, Seeds.Start.AddSeconds(i));
        }
    }

    private static string Rule(string kind, string more) => $$"""{"name": "n", "severity": "alarm", "kind": "{{kind}}"{{more}}}""";

    private static async Task<RunningDashboard> StartAsync(PostgresFixture postgres, Func<NpgsqlDataSource, Task>? seed = null)
    {
        var dashboard = await RunningDashboard.StartAsync(postgres, seed, $"--Dashboard:Access:OperatorToken={Token}");
        dashboard.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return dashboard;
    }

    private static Task<HttpResponseMessage> SendAsync(RunningDashboard dashboard, HttpMethod method, string address, string body) =>
        dashboard.Client.SendAsync(
            new HttpRequestMessage(method, address) { Content = new StringContent(body, Encoding.UTF8, "application/json") }
        );

    private static async Task<string> DetailAsync(HttpResponseMessage answer) =>
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!;

    private static string? Text(JsonElement element, string member) => element.GetProperty(member).GetString();
}
