using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using FactoryStream.Tests.Signatures;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class ReadingsTests(PostgresFixture postgres)
{
    // No writer of JSON would lay it out like this: the bytes are the machine's own.
    private const string Data = """{ "factory_id":"f", "engine_id":"e", "timestamp":"2026-02-25 06:13:20", "rpm": 1.50, "name":"é" }""";

    private static readonly byte[] Batch = [.. Enumerable.Range(0, 32).Select(n => (byte)n)];

    [SkippableFact]
    public async Task Readings_come_the_newest_first_with_their_evidence()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);

        var answer = await dashboard.Client.GetFromJsonAsync<JsonElement>(
            "/api/readings?factory_id=f&engine_id=e&from=2026-02-25T06:13:20Z&to=2026-02-25T06:13:50Z"
        );

        var readings = answer.GetProperty("readings").EnumerateArray().ToArray();
        Assert.Equal(["06:13:45", "06:13:30", "06:13:20"], readings.Select(Time));
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("next_cursor").ValueKind);
        var (notClosed, corrected, first) = (readings[0], readings[1], readings[2]);
        Assert.Equal(Data, Encoding.UTF8.GetString(first.GetProperty("data_base64").GetBytesFromBase64()));
        Assert.Equal([1], first.GetProperty("signature_base64").GetBytesFromBase64());
        Assert.Equal(JsonValueKind.Null, first.GetProperty("batch_sha256").ValueKind);
        Assert.Equal(("f", "e", "k1"), (Text(first, "factory_id"), Text(first, "engine_id"), Text(first, "key_id")));
        Assert.Equal("2026-02-25T06:13:21Z", Text(first, "verdict_at"));
        Assert.Equal(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(Data))),
            Text(first, "data_sha256")
        );
        Assert.Equal(JsonValueKind.Null, corrected.GetProperty("signature_base64").ValueKind);
        Assert.Equal(Convert.ToHexStringLower(Batch), Text(corrected, "batch_sha256"));
        // Of a window that was corrected nobody knows which of its readings were late.
        Assert.Equal(JsonValueKind.False, first.GetProperty("late").ValueKind);
        Assert.Equal(JsonValueKind.Null, corrected.GetProperty("late").ValueKind);
        Assert.Equal(JsonValueKind.Null, notClosed.GetProperty("late").ValueKind);
    }

    [SkippableFact]
    public async Task Pages_of_any_size_put_together_are_all_readings_of_one_engine()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        const string address = "/api/readings?factory_id=f&engine_id=e";

        for (var limit = 1; limit <= 6; limit++)
        {
            var times = new List<string>();
            string? cursor = null;
            do
            {
                var page = await dashboard.Client.GetFromJsonAsync<JsonElement>(
                    $"{address}&limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}"
                );
                times.AddRange(page.GetProperty("readings").EnumerateArray().Select(Time));
                cursor = page.GetProperty("next_cursor").GetString();
            } while (cursor is not null && times.Count < 20);
            Assert.Equal(["06:13:50", "06:13:50", "06:13:45", "06:13:30", "06:13:20"], times);
        }
    }

    [SkippableFact]
    public async Task An_engine_that_there_is_not_has_no_readings()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        Assert.Equal(
            """{"readings":[],"next_cursor":null}""",
            await dashboard.Client.GetStringAsync("/api/readings?factory_id=f&engine_id=e")
        );
    }

    private static async Task SeedAsync(NpgsqlDataSource database)
    {
        var (_, key) = TestKeys.Pair();
        var keyNo = await database.EnrolAsync("f", "k1", key);
        var engineNo = await database.EngineAsync("f", "e");
        await database.ReadingAsync(engineNo, keyNo, Seeds.Start, Data);
        await database.ReadingAsync(engineNo, keyNo, Seeds.Start.AddSeconds(10), """{"n":2}""", Batch);
        await database.ReadingAsync(engineNo, keyNo, Seeds.Start.AddSeconds(25), """{"n":3}""");
        // Two of one moment.
        await database.ReadingAsync(engineNo, keyNo, Seeds.Start.AddSeconds(30), """{"n":4}""");
        await database.ReadingAsync(engineNo, keyNo, Seeds.Start.AddSeconds(30), """{"n":5}""");
        await database.ReadingAsync(await database.EngineAsync("f", "e2"), keyNo, Seeds.Start, """{"n":6}""");
        await database.CloseAsync(engineNo, Seeds.Start, ("rpm", 1));
        await database.CloseAsync(engineNo, Seeds.Start.AddSeconds(10), ("rpm", 2));
        await database.CorrectAsync(engineNo, Seeds.Start.AddSeconds(10), ("rpm", 1));
    }

    private static string Time(JsonElement reading) =>
        reading.GetProperty("measured_at").GetDateTime().ToString("HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);

    private static string? Text(JsonElement element, string member) => element.GetProperty(member).GetString();
}
