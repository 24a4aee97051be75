using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using FactoryStream.Storage;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Simulator;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class RedrivesTests(PostgresFixture postgres)
{
    private const string Token = "the-admin-token";

    [SkippableFact]
    public async Task A_selection_is_previewed_sent_marked_counted_and_written_down()
    {
        await using var ingest = await IngestStub.StartAsync();
        await using var dashboard = await StartAsync(ingest, LateFactoryAsync);

        var preview = await PostAsync(dashboard, "?preview=true", """{"factory_id": "late"}""", HttpStatusCode.OK);
        Assert.Equal("""{"matched":4,"readings":4,"unavailable":0,"by_reason":{"future":1,"unknown_key":3}}""", preview.GetRawText());
        Assert.Empty(ingest.Posts);

        var begun = await PostAsync(dashboard, "", """{"factory_id": "late", "reason": "unknown_key"}""");
        var ended = await EndAsync(dashboard, begun);

        Assert.Equal("complete 3 of 3, 0 refused, 0 unavailable, 3 readings", Told(ended));
        Assert.Equal(["1", "2", "3"], ingest.AcceptedLines.Select(Value));
        Assert.Equal(
            ["1|1|True", "2|1|True", "3|1|True", "4||False", "5||False"],
            await dashboard.Database.RowsAsync(
                "SELECT rejection_no, redrive_no, redriven_at IS NOT NULL FROM factory.rejections ORDER BY rejection_no"
            )
        );
        Assert.Equal(
            ["admin token|operator|redrive_begun|late|re-drive 1 of 3 lines"],
            await dashboard.Database.RowsAsync("SELECT who, role, action, subject, detail FROM factory.audit_events")
        );
        var books = await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/books");
        var ledger = Assert.Single(books.GetProperty("factories").EnumerateArray(), one => Text(one, "factory_id") == "late");
        Assert.Equal(3, ledger.GetProperty("redriven").GetInt64());
    }

    [SkippableFact]
    public async Task A_selection_of_one_engine_passes_over_the_lines_of_others()
    {
        await using var ingest = await IngestStub.StartAsync();
        await using var dashboard = await StartAsync(
            ingest,
            database =>
                database.RejectAsync(
                    Rejected(1, "unknown_key", Line(1)),
                    Rejected(2, "unknown_key", Line(2, "other")),
                    Rejected(3, "unknown_key", Batch("other", "e")),
                    Rejected(4, "unknown_key", Batch("other", "another")),
                    Rejected(5, "too_large", "the beginning"),
                    Rejected(6, "future", Line(6))
                )
        );
        const string Selection = """{"factory_id": "late", "engine_id": "e"}""";

        var preview = await PostAsync(dashboard, "?preview=true", Selection, HttpStatusCode.OK);
        var ended = await EndAsync(dashboard, await PostAsync(dashboard, "", Selection));

        Assert.Equal("""{"matched":3,"readings":3,"unavailable":0,"by_reason":{"future":1,"unknown_key":2}}""", preview.GetRawText());
        Assert.Equal("complete 3 of 3, 0 refused, 0 unavailable, 4 readings", Told(ended));
        Assert.Equal([Line(1), Batch("other", "e"), Line(6)], ingest.AcceptedLines);
        Assert.Equal(
            ["1", "3", "6"],
            await dashboard.Database.RowsAsync(
                "SELECT rejection_no FROM factory.rejections WHERE redriven_at IS NOT NULL ORDER BY rejection_no"
            )
        );
    }

    [SkippableFact]
    public async Task What_was_sent_is_left_out_unless_it_is_asked_for_again()
    {
        await using var ingest = await IngestStub.StartAsync();
        await using var dashboard = await StartAsync(ingest, LateFactoryAsync);
        const string Selection = """{"factory_id": "late", "reason": "unknown_key", "ids": [1, 2, 4, 99]}""";

        var first = await EndAsync(dashboard, await PostAsync(dashboard, "", Selection));
        var second = await EndAsync(dashboard, await PostAsync(dashboard, "", Selection));
        var again = await EndAsync(dashboard, await PostAsync(dashboard, "", Selection[..^1] + """, "again": true}"""));

        Assert.Equal("complete 2 of 2, 0 refused, 0 unavailable, 2 readings", Told(first));
        Assert.Equal("complete 0 of 0, 0 refused, 0 unavailable, 0 readings", Told(second));
        Assert.Equal("complete 2 of 2, 0 refused, 0 unavailable, 2 readings", Told(again));
        Assert.Equal(["1", "2", "1", "2"], ingest.AcceptedLines.Select(Value));
        var page = await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/redrives?limit=2");
        Assert.Equal([3, 2], page.GetProperty("redrives").EnumerateArray().Select(one => one.GetProperty("id").GetInt64()));
        var rest = await dashboard.Client.GetFromJsonAsync<JsonElement>($"/api/redrives?cursor={Text(page, "next_cursor")}");
        Assert.Equal([1], rest.GetProperty("redrives").EnumerateArray().Select(one => one.GetProperty("id").GetInt64()));
    }

    [SkippableFact]
    public async Task Lines_that_were_not_kept_whole_are_counted_and_one_with_line_breaks_travels_alone()
    {
        const string Taken = """{"accepted":1,"rejected":[],"rejected_count":0}""";
        await using var ingest = await IngestStub.StartAsync(
            // The two that go together: Ingest takes neither, and then says of each what it has against it.
            IngestStub.Status(400, body: """{"detail":"No line was accepted.","accepted":0,"rejected":[],"rejected_count":2}"""),
            IngestStub.Status(400, body: """{"detail":"No line was accepted.","accepted":0,"rejected":[],"rejected_count":1}"""),
            IngestStub.Status(202, body: Taken),
            IngestStub.Status(202, body: Taken)
        );
        await using var dashboard = await StartAsync(
            ingest,
            database =>
                database.RejectAsync(
                    Rejected(1, "malformed", "{"),
                    Rejected(2, "too_large", "the beginning"),
                    Rejected(3, "unknown_key", Line(3)),
                    Rejected(4, "unknown_key", Line(4).Replace(",", ",\n", StringComparison.Ordinal))
                )
        );

        var ended = await EndAsync(dashboard, await PostAsync(dashboard, "", """{"factory_id": "late"}"""));

        Assert.Equal("complete 2 of 4, 1 refused, 1 unavailable, 2 readings", Told(ended));
        var posts = ingest.Posts.Select(Encoding.UTF8.GetString).ToArray();
        Assert.Equal([$"{{\n{Line(3)}\n", "{\n", $"{Line(3)}\n"], posts[..3]);
        Assert.StartsWith("{\"data\": {\"factory_id\":\"late\",\n", posts[3], StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task While_Ingest_is_full_or_away_a_re_drive_waits_and_another_of_its_factory_is_refused()
    {
        await using var ingest = await IngestStub.StartAsync(IngestStub.Reset);
        await using var dashboard = await StartAsync(ingest, LateFactoryAsync);
        ingest.IsAway = true;
        var begun = await PostAsync(dashboard, "", """{"factory_id": "late"}""");
        await RunningSystem.EventuallyAsync(() => GetAsync(dashboard, begun), one => Text(one, "detail") == "Ingest answers 503.");

        var refused = await PostAsync(dashboard, "", """{"factory_id": "late"}""", HttpStatusCode.Conflict);
        Assert.Contains("A re-drive of factory late is running", Text(refused, "detail"), StringComparison.Ordinal);

        ingest.IsAway = false;
        // The next answer is a connection that breaks off.
        var ended = await EndAsync(dashboard, begun);
        Assert.Equal("complete 4 of 4, 0 refused, 0 unavailable, 4 readings", Told(ended));
        Assert.Equal(JsonValueKind.Null, ended.GetProperty("detail").ValueKind);
    }

    [SkippableFact]
    public async Task A_running_re_drive_is_stopped_once()
    {
        await using var ingest = await IngestStub.StartAsync();
        await using var dashboard = await StartAsync(ingest, LateFactoryAsync);
        ingest.IsAway = true;
        var begun = await PostAsync(dashboard, "", """{"factory_id": "late"}""");

        Assert.Equal(HttpStatusCode.NoContent, await StopAsync());
        Assert.Equal(HttpStatusCode.NotFound, await StopAsync());

        Assert.Equal("stopped 0 of 4, 0 refused, 0 unavailable, 0 readings", Told(await GetAsync(dashboard, begun)));
        Assert.Equal(
            ["redrive_begun|re-drive 1 of 4 lines", "redrive_stopped|re-drive 1 after 0 of 4 lines"],
            await dashboard.Database.RowsAsync("SELECT action, detail FROM factory.audit_events ORDER BY event_no")
        );

        async Task<HttpStatusCode> StopAsync() => (await SendAsync(dashboard, HttpMethod.Delete, "/1", null)).StatusCode;
    }

    [SkippableTheory]
    [InlineData("""{"reason": "unknown_key"}""", "factory_id: expected text")]
    [InlineData("""{"factory_id": "unknown"}""", "factory_id: expected a factory's own id, found 'unknown'")]
    [InlineData("""{"factory_id": "late", "reason": "invented"}""", "reason: expected ")]
    [InlineData("""{"factory_id": "late", "engine_id": ""}""", "engine_id: expected text")]
    [InlineData("""{"factory_id": "late", "ids": []}""", "ids: expected 1 to 1000")]
    [InlineData("""{"factory_id": "late", "from": "soon"}""", "from: expected ")]
    [InlineData("nonsense", "body: expected ")]
    public async Task A_selection_that_is_none_is_refused_with_what_is_wrong(string body, string detail)
    {
        await using var ingest = await IngestStub.StartAsync();
        await using var dashboard = await StartAsync(ingest, LateFactoryAsync);

        var refused = await PostAsync(dashboard, "", body, HttpStatusCode.BadRequest);

        Assert.StartsWith(detail, Text(refused, "detail"), StringComparison.Ordinal);
        Assert.Empty(await dashboard.Database.RowsAsync("SELECT redrive_no FROM factory.redrives"));
    }

    [SkippableFact]
    public async Task Who_may_only_look_sends_nothing_again()
    {
        await using var ingest = await IngestStub.StartAsync();
        await using var dashboard = await StartAsync(ingest, LateFactoryAsync);
        using var content = new StringContent("""{"factory_id": "late"}""", Encoding.UTF8, "application/json");

        using var refused = await dashboard.Client.PostAsync("/api/redrives", content);

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    private Task<RunningDashboard> StartAsync(IngestStub ingest, Func<NpgsqlDataSource, Task> seed) =>
        RunningDashboard.StartAsync(
            postgres,
            seed,
            $"--services:ingest:http:0={ingest.Address.GetLeftPart(UriPartial.Authority)}",
            $"--Dashboard:Access:AdminToken={Token}"
        );

    private static Task LateFactoryAsync(NpgsqlDataSource database) =>
        database.RejectAsync(
            Rejected(1, "unknown_key", Line(1)),
            Rejected(2, "unknown_key", Line(2)),
            Rejected(3, "unknown_key", Line(3)),
            Rejected(4, "future", Line(4)),
            Rejected(5, "unknown_key", Line(5), "another")
        );

    private static RejectionEntry Rejected(int offset, string reason, string line, string factoryId = "late") =>
        new(1, Seeds.Start.AddSeconds(offset), factoryId, reason, false, null, Encoding.UTF8.GetBytes(line), offset, 0);

    private static string Line(int value, string engineId = "e") => $$"""{"data": {{Reading(engineId, value)}}, "signature": "AAAA"}""";

    private static string Batch(params string[] engineIds) =>
        $$"""{"batch": [{{string.Join(", ", engineIds.Select(engineId => Reading(engineId, 1)))}}], "signature": "AAAA"}""";

    private static string Reading(string engineId, int value) =>
        $$"""{"factory_id":"late","engine_id":"{{engineId}}","timestamp":"2026-02-25 06:13:20","rpm":{{value}}}""";

    private static string Value(string line) => JsonDocument.Parse(line).RootElement.GetProperty("data").GetProperty("rpm").GetRawText();

    private static async Task<HttpResponseMessage> SendAsync(RunningDashboard dashboard, HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, $"/api/redrives{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        return await dashboard.Client.SendAsync(request);
    }

    private static async Task<JsonElement> PostAsync(
        RunningDashboard dashboard,
        string query,
        string body,
        HttpStatusCode expected = HttpStatusCode.Created
    )
    {
        using var response = await SendAsync(dashboard, HttpMethod.Post, query, body);
        var answer = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{response.StatusCode}: {answer}");
        return JsonDocument.Parse(answer).RootElement;
    }

    private static Task<JsonElement> GetAsync(RunningDashboard dashboard, JsonElement begun) =>
        dashboard.Client.GetFromJsonAsync<JsonElement>($"/api/redrives/{begun.GetProperty("id")}");

    private static Task<JsonElement> EndAsync(RunningDashboard dashboard, JsonElement begun) =>
        RunningSystem.EventuallyAsync(() => GetAsync(dashboard, begun), one => Text(one, "state") != "running");

    private static string Text(JsonElement element, string member) => element.GetProperty(member).ToString();

    private static string Told(JsonElement one) =>
        $"{Text(one, "state")} {Text(one, "sent")} of {Text(one, "matched")}, {Text(one, "refused")} refused, "
        + $"{Text(one, "unavailable")} unavailable, {Text(one, "readings")} readings";
}
