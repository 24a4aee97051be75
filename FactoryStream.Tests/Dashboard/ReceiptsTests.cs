using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FactoryStream.Dashboard.Receipts;
using FactoryStream.Storage;
using FactoryStream.Tests.Signatures;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class ReceiptsTests(PostgresFixture postgres)
{
    private static readonly string Nothing = Hash("never sent");

    [SkippableTheory]
    [InlineData("")]
    [InlineData("?measured_at=2026-02-25T06:13:25Z")]
    [InlineData("?measured_at=2026-02-25T07:13:25%2B01:00")]
    [InlineData("?measured_at=2026-02-25")]
    public async Task A_stored_reading_is_found_with_its_window_and_its_revision(string hint)
    {
        var reading = "";
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
            {
                await Seeds.TwoFactoriesAsync(database);
                var key = await database.EnrolAsync("factory_a", "k1", TestKeys.Pair().Key);
                reading = await database.ReadingAsync(1, key, Seeds.Start.AddSeconds(5), """{"rpm":3001}""");
                await database.ReadingAsync(1, key, Seeds.Start.AddDays(3), """{"rpm":3002}""");
                await database.RowsAsync("UPDATE factory.engine_windows SET revision = 2 WHERE engine_no = 1");
            }
        );

        Assert.Equal(
            $$$"""
            {"sha256":"{{{reading}}}","outcome":"stored","stored":{"factory_id":"factory_a","engine_id":"e1",
            "measured_at":"2026-02-25T06:13:25Z","key_id":"k1","verdict_at":"2026-02-25T06:13:26Z","batch_sha256":null,
            "window":{"window_start":"2026-02-25T06:13:20Z","window_end":"2026-02-25T06:13:30Z","revision":2}},
            "rejection":null,"searched_from":null}
            """.ReplaceLineEndings(""),
            await dashboard.Client.GetStringAsync($"/api/receipts/{reading.ToUpperInvariant()}{hint}")
        );
    }

    [SkippableFact]
    public async Task A_time_at_which_it_was_not_measured_finds_no_reading()
    {
        var reading = "";
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database => reading = await SeedReadingAsync(database, Seeds.Start)
        );

        Assert.Equal("stored", await OutcomeAsync(dashboard, $"{reading}?measured_at=2026-02-25"));
        Assert.Equal("unknown", await OutcomeAsync(dashboard, $"{reading}?measured_at=2026-02-24"));
        Assert.Equal("unknown", await OutcomeAsync(dashboard, $"{reading}?measured_at=2026-02-25T06:13:21Z"));
    }

    [SkippableFact]
    public async Task Many_are_asked_for_at_once_and_answered_in_their_order()
    {
        string stored = "",
            batched = "";
        var batch = new byte[32];
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
            {
                stored = await SeedReadingAsync(database, Seeds.Start);
                batched = await database.ReadingAsync(1, 1, Seeds.Start.AddSeconds(1), """{"rpm":2}""", batch);
                await database.RejectAsync(
                    new(1, Seeds.Start, "f", "bad_signature", false, "no key", Envelope("""{"rpm":3}"""), 7, 2),
                    new(1, Seeds.Start, "f", "malformed", true, null, Envelope("""{"rpm":4}"""), null, null),
                    // Rejected first, and stored when it came again.
                    new(1, Seeds.Start, "f", "unknown_key", false, null, Envelope("""{"rpm":1}"""), 8, 0)
                );
            }
        );

        using var response = await dashboard.Client.PostAsJsonAsync(
            "/api/receipts",
            new { sha256 = (string[])[Hash("""{"rpm":4}"""), Nothing, batched, stored, Hash("""{"rpm":3}"""), stored] }
        );
        var receipts = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("receipts").EnumerateArray().ToArray();

        Assert.Equal(
            ["refused", "unknown", "stored", "stored", "rejected", "stored"],
            receipts.Select(receipt => receipt.GetProperty("outcome").GetString())
        );
        Assert.Equal(Convert.ToHexStringLower(batch), receipts[2].GetProperty("stored").GetProperty("batch_sha256").GetString());
        Assert.Equal(JsonValueKind.Null, receipts[2].GetProperty("stored").GetProperty("window").ValueKind);
        var rejection = receipts[4].GetProperty("rejection");
        Assert.Equal(
            ("bad_signature", "no key", 1, 7, 2),
            (
                rejection.GetProperty("reason").GetString(),
                rejection.GetProperty("detail").GetString(),
                rejection.GetProperty("partition").GetInt32(),
                rejection.GetProperty("offset").GetInt32(),
                rejection.GetProperty("line").GetInt32()
            )
        );
    }

    [SkippableFact]
    public async Task What_is_not_seen_is_pending_while_an_accepted_reading_has_no_outcome()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);
        Assert.Equal("unknown", await OutcomeAsync(dashboard, Nothing));

        await dashboard.Database.RowsAsync(
            "INSERT INTO factory.ledger (partition, factory_id, accepted, stored, duplicates) VALUES (1, 'f', 3, 1, 1)"
        );
        Assert.Equal("pending", await OutcomeAsync(dashboard, Nothing));

        await dashboard.Database.RejectAsync(new RejectionEntry(1, Seeds.Start, "f", "future", false, null, [1], 5, 0));
        Assert.Equal("unknown", await OutcomeAsync(dashboard, Nothing));
    }

    [SkippableTheory]
    [InlineData("""{"sha256": []}""", "expected 1 to 1000 texts, found 0")]
    [InlineData("""{}""", "expected 1 to 1000 texts, found 0")]
    [InlineData("null", "expected 1 to 1000 texts, found 0")]
    [InlineData("""{"sha256": [null]}""", "sha256[0]: expected 64 hexadecimal digits, found null")]
    [InlineData("""{"sha256": ["x"]}""", "sha256[0]: expected 64 hexadecimal digits, found 'x'")]
    [InlineData("""{"sha256": "x"}""", "body: expected")]
    [InlineData("""{"sha256": """, "body: expected")]
    public async Task A_body_that_makes_no_sense_is_a_problem_that_says_what_is_wrong(string body, string wrong)
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        using var response = await dashboard.Client.PostAsync("/api/receipts", new StringContent(body, Encoding.UTF8, "application/json"));
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(wrong, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_body_that_is_too_large_is_not_read_to_its_end()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        // The client waits for leave to send its body: one that sent it already could find the connection closed before the answer.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/receipts")
        {
            Content = new StringContent($$"""{"sha256": ["{{new string('a', 2_000_000)}}"]}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.ExpectContinue = true;
        using var response = await dashboard.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [SkippableTheory]
    [InlineData("0001-01-01")]
    [InlineData("9999-12-31")]
    [InlineData("9999-12-31T23:59:59.999999Z")]
    public async Task Any_time_may_be_asked_for(string measuredAt)
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, database => SeedReadingAsync(database, Seeds.Start));

        Assert.Equal("unknown", await OutcomeAsync(dashboard, $"{Nothing}?measured_at={measuredAt}"));
    }

    [SkippableFact]
    public async Task A_search_that_takes_too_long_is_asked_to_come_again_with_a_time()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            database => SeedReadingAsync(database, Seeds.Start),
            "--Dashboard:SearchTimeout=00:00:00.2"
        );
        await using var holder = await dashboard.Database.OpenConnectionAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("LOCK TABLE factory.engines", holder, transaction))
            await hold.ExecuteNonQueryAsync();

        using var response = await dashboard.Client.GetAsync($"/api/receipts/{Nothing}");
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Contains("Give measured_at", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task With_its_time_a_reading_is_looked_up_by_the_key_of_one_table_partition()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        for (var day = 0; day < 5; day++)
            await database.ScalarAsync<object>("SELECT factory.ensure_partition('readings', $1)", Seeds.Start.AddMonths(-day));
        await database.EngineAsync("f", "e");
        await database.EnrolAsync("f", "k1", TestKeys.Pair().Key);
        await database.RowsAsync(
            """
            INSERT INTO factory.readings (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature)
            SELECT 1, 1, $1 + n * interval '1 s', now(), sha256(n::text::bytea), '{}', 'x' FROM generate_series(1, 5000) AS n
            """,
            Seeds.Start
        );
        await database.RowsAsync("ANALYZE");
        await using var connection = await database.OpenConnectionAsync();
        var at = Seeds.Start.AddSeconds(77);
        await using var command = ReceiptsReader.Command(connection, [SHA256.HashData("77"u8)], (at, at.AddMicroseconds(1)));
        command.CommandText = "EXPLAIN (ANALYZE, TIMING OFF) " + command.CommandText;

        var plan = new List<string>();
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                plan.Add(reader.GetString(0));
        }

        // Sample: "->  Index Scan using readings_202602_pkey on readings_202602 readings  (cost=0.28..8.31 rows=1 width=88) (actual ..."
        var scans = plan.Where(line => line.Contains(" on readings_", StringComparison.Ordinal)).ToArray();
        Assert.Contains("Index Scan using readings_202602_pkey", Assert.Single(scans), StringComparison.Ordinal);
        Assert.Contains("rows=1", scans[0][scans[0].IndexOf("actual", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    private static async Task<string> SeedReadingAsync(NpgsqlDataSource database, DateTime measuredAt)
    {
        var engine = await database.EngineAsync("f", "e");
        var key = await database.EnrolAsync("f", "k1", TestKeys.Pair().Key);
        return await database.ReadingAsync(engine, key, measuredAt, """{"rpm":1}""");
    }

    private static async Task<string?> OutcomeAsync(RunningDashboard dashboard, string asked) =>
        (await dashboard.Client.GetFromJsonAsync<JsonElement>($"/api/receipts/{asked}")).GetProperty("outcome").GetString();

    private static byte[] Envelope(string data) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"data": {{data}}, "signature": "AA=="}"""));

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
