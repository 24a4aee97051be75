using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class MetricsTests(PostgresFixture postgres)
{
    private const string Token = "the-operator-token";

    [SkippableFact]
    public async Task Metrics_that_are_known_or_described_come_by_name_and_page_by_page()
    {
        await using var dashboard = await StartAsync(async database =>
        {
            var first = await database.EngineAsync("f", "e1");
            var second = await database.EngineAsync("f", "e2");
            await database.KnowAsync(first, "rpm", "temp_oil");
            await database.KnowAsync(second, "rpm", "Zulu", "é");
            await database.RowsAsync(
                """
                INSERT INTO factory.metrics (name, unit, description, updated_by) VALUES
                    ('temp_oil', '°C', 'before the cooler', 'Ann'), ('to_come', 'bar', NULL, 'Ann')
                """
            );
        });

        Assert.Equal(
            ["Zulu|||0|True", "rpm|||0|True", "temp_oil|°C|before the cooler|1|True", "to_come|bar||1|False", "é|||0|True"],
            await ListAsync(dashboard, "/api/metrics")
        );
        for (var limit = 1; limit <= 5; limit++)
            Assert.Equal(await ListAsync(dashboard, "/api/metrics"), await ListAsync(dashboard, $"/api/metrics?limit={limit}"));
    }

    [SkippableFact]
    public async Task A_metric_is_described_changed_and_deleted_by_its_version_and_all_of_it_is_written_down()
    {
        await using var dashboard = await StartAsync();

        var described = await AnswerAsync(dashboard, HttpMethod.Put, "temp_oil", """{"unit": " °C ", "description": ""}""");
        Assert.Equal((HttpStatusCode.OK, "temp_oil|°C||1|False"), (described.Status, Told(described.Body)));
        Assert.Equal("operator token", described.Body.GetProperty("updated_by").GetString());
        // Nobody has described it, says the first; another has, says the second.
        Assert.Equal(HttpStatusCode.Conflict, (await AnswerAsync(dashboard, HttpMethod.Put, "temp_oil", """{"unit": "K"}""")).Status);
        var changed = await AnswerAsync(dashboard, HttpMethod.Put, "temp_oil", """{"unit": "K", "description": "oil", "version": 1}""");
        Assert.Equal("temp_oil|K|oil|2|False", Told(changed.Body));
        var late = await AnswerAsync(dashboard, HttpMethod.Put, "temp_oil", """{"unit": "°F", "version": 1}""");
        Assert.Equal(HttpStatusCode.Conflict, late.Status);
        Assert.Contains(
            "Somebody else has described temp_oil meanwhile",
            late.Body.GetProperty("detail").GetString(),
            StringComparison.Ordinal
        );

        Assert.Equal(HttpStatusCode.Conflict, (await AnswerAsync(dashboard, HttpMethod.Delete, "temp_oil?version=1")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await AnswerAsync(dashboard, HttpMethod.Delete, "temp_oil?version=2")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await AnswerAsync(dashboard, HttpMethod.Delete, "temp_oil?version=2")).Status);

        Assert.Equal(
            [
                "operator token|operator|metric_described|temp_oil|unit °C",
                "operator token|operator|metric_described|temp_oil|unit K; oil",
                "operator token|operator|metric_description_deleted|temp_oil|unit K; oil",
            ],
            await dashboard.Database.RowsAsync("SELECT who, role, action, subject, detail FROM factory.audit_events ORDER BY event_no")
        );
        Assert.Empty(await ListAsync(dashboard, "/api/metrics"));
    }

    [SkippableFact]
    public async Task A_name_may_hold_what_has_a_meaning_in_an_address()
    {
        await using var dashboard = await StartAsync();

        foreach (var name in (string[])["m/s", "m%2Fs", "a?b#c", "é + 1", "/"])
        {
            var answer = await AnswerAsync(dashboard, HttpMethod.Put, Uri.EscapeDataString(name), """{"unit": "x"}""");
            Assert.Equal((name, HttpStatusCode.OK), (answer.Body.GetProperty("name").GetString(), answer.Status));
        }

        Assert.Equal(
            ["/", "a?b#c", "m%2Fs", "m/s", "é + 1"],
            (await ListAsync(dashboard, "/api/metrics")).Select(row => row.Split('|')[0])
        );
    }

    [SkippableTheory]
    [InlineData("""{"unit": "12345678901234567"}""", "unit: expected at most 16 characters")]
    [InlineData("""{"unit": "a\u0007"}""", "unit: expected at most 16 characters, none of them a control character")]
    [InlineData("""{"description": " "}""", "unit: expected a unit, or a description, or both; found none")]
    [InlineData("""{"unit": "x", "version": -1}""", "version: expected 0 or the metric's version, found -1")]
    [InlineData("null", "found none")]
    [InlineData("[]", "body: expected")]
    public async Task What_is_wrong_is_named(string body, string expected)
    {
        await using var dashboard = await StartAsync();

        var answer = await AnswerAsync(dashboard, HttpMethod.Put, "rpm", body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Contains(expected, answer.Body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_viewer_reads_and_does_not_write()
    {
        await using var dashboard = await StartAsync();

        Assert.Equal(HttpStatusCode.OK, (await dashboard.Client.GetAsync("/api/metrics")).StatusCode);
        using var refused = await dashboard.Client.PutAsJsonAsync("/api/metrics/rpm", new { unit = "1/min" });
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Empty(await ListAsync(dashboard, "/api/metrics"));
    }

    [SkippableFact]
    public async Task A_purge_keeps_what_is_said_of_metrics()
    {
        await using var dashboard = await StartAsync(async database =>
            await database.KnowAsync(await database.EngineAsync("f", "e"), "rpm", "temp_oil")
        );
        await AnswerAsync(dashboard, HttpMethod.Put, "rpm", """{"unit": "1/min"}""");

        await Purge.RunAsync(dashboard.Database, CancellationToken.None);

        Assert.Equal(["rpm|1/min||1|False"], await ListAsync(dashboard, "/api/metrics"));
    }

    private Task<RunningDashboard> StartAsync(Func<NpgsqlDataSource, Task>? seed = null) =>
        RunningDashboard.StartAsync(postgres, seed, $"--Dashboard:Access:OperatorToken={Token}");

    private static async Task<(HttpStatusCode Status, JsonElement Body)> AnswerAsync(
        RunningDashboard dashboard,
        HttpMethod method,
        string path,
        string? body = null
    )
    {
        using var request = new HttpRequestMessage(method, $"/api/metrics/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        if (body is not null)
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await dashboard.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? default : JsonElement.Parse(text));
    }

    /// <summary>All pages put together.</summary>
    private static async Task<List<string>> ListAsync(RunningDashboard dashboard, string address)
    {
        var metrics = new List<string>();
        string? cursor = null;
        do
        {
            var separator = address.Contains('?', StringComparison.Ordinal) ? '&' : '?';
            var page = await dashboard.Client.GetFromJsonAsync<JsonElement>(
                cursor is null ? address : $"{address}{separator}cursor={cursor}"
            );
            metrics.AddRange(page.GetProperty("metrics").EnumerateArray().Select(Told));
            cursor = page.GetProperty("next_cursor").GetString();
        } while (cursor is not null && metrics.Count < 20);
        return metrics;
    }

    private static string Told(JsonElement metric) =>
        string.Join(
            '|',
            ((string[])["name", "unit", "description", "version", "is_measured"]).Select(member => metric.GetProperty(member).ToString())
        );
}
