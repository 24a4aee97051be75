using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using FactoryStream.Storage;
using FactoryStream.Tests.Signatures;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class RejectionsTests(PostgresFixture postgres)
{
    private const string Data = """{"factory_id":"f","engine_id":"e","timestamp":"2026-02-25 06:13:20","rpm":1}""";

    private static readonly JsonSerializerOptions AsTheApiWrites = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [SkippableTheory]
    [InlineData("", "7 6 5 4 3 2 1")]
    [InlineData("factory_id=f", "7 5 1")]
    [InlineData("factory_id=unknown", "6 4 2")]
    // What a factory without a key calls itself finds its lines as well.
    [InlineData("factory_id=nobody", "6 2")]
    [InlineData("reason=future", "3")]
    [InlineData("factory_id=f&reason=bad_signature", "7 1")]
    [InlineData("from=2026-02-25T06:13:22Z&to=2026-02-25T06:13:24Z", "4 3")]
    public async Task Rejections_come_the_newest_first_as_they_are_asked_for(string query, string ids)
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);

        var answer = await dashboard.Client.GetFromJsonAsync<JsonElement>($"/api/rejections?{query}");

        Assert.Equal(ids, string.Join(' ', Ids(answer)));
    }

    [SkippableFact]
    public async Task Pages_of_any_size_put_together_are_all_rejections()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        // Two of one moment.
        await dashboard.Database.RowsAsync("UPDATE factory.rejections SET rejected_at = '2026-02-25 06:13:22+00' WHERE rejection_no = 5");

        for (var limit = 1; limit <= 8; limit++)
        {
            var ids = new List<long>();
            string? cursor = null;
            do
            {
                var page = await dashboard.Client.GetFromJsonAsync<JsonElement>(
                    $"/api/rejections?limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}"
                );
                ids.AddRange(Ids(page));
                cursor = page.GetProperty("next_cursor").GetString();
            } while (cursor is not null && ids.Count < 20);
            Assert.Equal([7, 6, 4, 5, 3, 2, 1], ids);
        }
    }

    [SkippableFact]
    public async Task A_rejection_has_its_place_its_hashes_and_the_envelope_as_it_came()
    {
        byte[] broken = [0x7b, 0xff];
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            database =>
                database.RejectAsync(
                    new(
                        3,
                        Seeds.Start,
                        "f",
                        "bad_signature",
                        false,
                        "no key fits",
                        Encoding.UTF8.GetBytes($$"""{"data": {{Data}}}"""),
                        12,
                        4
                    ),
                    new(3, Seeds.Start, null, "malformed", true, null, broken, null, null, 1, true)
                )
        );

        var first = await dashboard.Client.GetStringAsync("/api/rejections/1");
        var second = await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/rejections/2");
        using var none = await dashboard.Client.GetAsync("/api/rejections/3");

        var line = $$"""{"data": {{Data}}}""";
        Assert.Equal(
            JsonSerializer.Serialize(
                new
                {
                    rejection = new
                    {
                        id = 1,
                        rejected_at = "2026-02-25T06:13:20Z",
                        factory_id = "f",
                        unknown_factory = false,
                        reason = "bad_signature",
                        refused = false,
                        detail = "no key fits",
                        partition = 3,
                        offset = 12,
                        line = 4,
                        readings = 1,
                        data_sha256 = Hash(Data),
                        sha256 = Hash(line),
                        size = line.Length,
                    },
                    envelope = line,
                    envelope_base64 = (string?)null,
                },
                AsTheApiWrites
            ),
            first
        );
        Assert.Equal(Convert.ToBase64String(broken), second.GetProperty("envelope_base64").GetString());
        Assert.Equal(JsonValueKind.Null, second.GetProperty("envelope").ValueKind);
        Assert.Equal("unknown", second.GetProperty("rejection").GetProperty("factory_id").GetString());
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [SkippableFact]
    public async Task An_explanation_names_the_cause_and_the_key_and_says_what_to_change()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedSignedAsync);

        var pkcs1 = await ExplainAsync(dashboard, 1);
        var valid = await ExplainAsync(dashboard, 2);
        var revoked = await ExplainAsync(dashboard, 3);
        var nothing = await ExplainAsync(dashboard, 4);
        var unsigned = await ExplainAsync(dashboard, 5);

        Assert.Equal(
            ("found", "The signature is RSASSA-PKCS1-v1_5; sign with RSASSA-PSS, SHA-256.", "k1", 1),
            (Text(pkcs1, "outcome"), Text(pkcs1, "sentence"), Text(pkcs1, "key_id"), pkcs1.GetProperty("keys_tried").GetInt32())
        );
        Assert.Equal(
            ["pkcs1_v1_5"],
            pkcs1
                .GetProperty("tries")
                .EnumerateArray()
                .Where(tried => tried.GetProperty("holds").GetBoolean())
                .Select(tried => Text(tried, "name"))
        );
        Assert.Equal("valid", Text(valid, "outcome"));
        Assert.StartsWith("The signature holds now", Text(valid, "sentence"), StringComparison.Ordinal);
        Assert.Equal("The signature holds; the reading was rejected for another reason, key_revoked.", Text(revoked, "sentence"));
        Assert.Equal("nothing_found", Text(nothing, "outcome"));
        Assert.DoesNotContain(nothing.GetProperty("tries").EnumerateArray(), tried => tried.GetProperty("holds").GetBoolean());
        Assert.Equal("nothing_to_check", Text(unsigned, "outcome"));
    }

    [SkippableFact]
    public async Task Who_asks_for_too_many_explanations_is_asked_to_come_again()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedSignedAsync, "--Dashboard:ExplanationsPerMinute=2");
        await ExplainAsync(dashboard, 1);
        using var missing = await dashboard.Client.GetAsync("/api/rejections/99/explanation");

        using var third = await dashboard.Client.GetAsync("/api/rejections/1/explanation");

        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, third.StatusCode);
        Assert.InRange(third.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
    }

    private static Task SeedAsync(NpgsqlDataSource database) =>
        database.RejectAsync(
            Entry(0, "f", "bad_signature"),
            Entry(1, "nobody", "unknown_key", isOfUnknownFactory: true),
            Entry(2, "g", "future"),
            Entry(3, null, "malformed", isOfUnknownFactory: true),
            Entry(4, "f", "too_old"),
            Entry(5, "nobody", "unknown_key", isOfUnknownFactory: true),
            Entry(6, "f", "bad_signature")
        );

    private static async Task SeedSignedAsync(NpgsqlDataSource database)
    {
        var (signer, key) = TestKeys.Pair();
        await database.EnrolAsync("f", "k1", key);
        // The Verifier passes such a key over as well.
        await database.RowsAsync(
            "INSERT INTO factory.signing_keys (key_id, factory_id, algorithm, public_key, enrolled_at) VALUES ('k2', 'f', '', 'x', now())"
        );
        using var rsa = RSA.Create();
        rsa.ImportFromPem(signer.ExportPrivateKeyPem());
        var data = Encoding.UTF8.GetBytes(Data);
        var valid = Line(rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
        await database.RejectAsync(
            new(
                1,
                Seeds.Start,
                "f",
                "bad_signature",
                false,
                null,
                Line(rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
                1,
                0
            ),
            new(1, Seeds.Start, "f", "unknown_key", false, null, valid, 1, 1),
            new(1, Seeds.Start, "f", "key_revoked", false, null, valid, 1, 2),
            new(1, Seeds.Start, "f", "bad_signature", false, null, Line(new byte[256]), 1, 3),
            new(1, Seeds.Start, "f", "malformed", true, null, data, null, null)
        );
    }

    private static byte[] Line(byte[] signature) =>
        Encoding.UTF8.GetBytes($$"""{"data": {{Data}}, "signature": "{{Convert.ToBase64String(signature)}}"}""");

    private static RejectionEntry Entry(int seconds, string? factoryId, string reason, bool isOfUnknownFactory = false) =>
        new(1, Seeds.Start.AddSeconds(seconds), factoryId, reason, false, null, [1], seconds, 0, 1, isOfUnknownFactory);

    private static async Task<JsonElement> ExplainAsync(RunningDashboard dashboard, int id) =>
        await dashboard.Client.GetFromJsonAsync<JsonElement>($"/api/rejections/{id}/explanation");

    private static string? Text(JsonElement element, string member) => element.GetProperty(member).GetString();

    private static IEnumerable<long> Ids(JsonElement page) =>
        page.GetProperty("rejections").EnumerateArray().Select(rejection => rejection.GetProperty("id").GetInt64());

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
