using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Distributed;

[Collection(DistributedTests.Name)]
public sealed class PipelineTests(SharedSystem shared)
{
    private readonly RunningSystem system = shared.RunningSystem;

    [Theory]
    [InlineData("v1", "/api/windows")]
    [InlineData("ingest", "/readings")]
    [InlineData("verifier", "/keys")]
    [InlineData("aggregator", "/purge")]
    public async Task The_dashboard_shows_the_OpenAPI_document_of_every_service(string document, string path)
    {
        using var dashboard = system.Client("dashboard");

        var answer = await dashboard.GetFromJsonAsync<JsonElement>($"/openapi/{document}.json");

        Assert.Contains(path, answer.GetProperty("paths").EnumerateObject().Select(one => one.Name));
    }

    [Fact]
    public async Task Valid_lines_are_stored_and_bad_ones_kept_with_their_reason_whoever_their_neighbours_are()
    {
        var folder = TestData.File("signed-readings");
        var pem = await File.ReadAllTextAsync(Path.Combine(folder, "public-key.pem"));
        for (var factory = 1; factory <= 10; factory++)
            await system.EnrolAsync($"factory_{factory:D3}", pem);
        string[] valid =
        [
            .. await File.ReadAllLinesAsync(Path.Combine(folder, "valid-max-salt.ndjson")),
            .. await File.ReadAllLinesAsync(Path.Combine(folder, "valid-digest-salt.ndjson")),
        ];
        var bad = (await File.ReadAllLinesAsync(Path.Combine(folder, "rejected.tsv"))).Select(line => line.Split('\t', 2)).ToArray();

        // A bad line between any two dozen good ones.
        var lines = new List<string>();
        for (var i = 0; i < valid.Length; i++)
        {
            lines.Add(valid[i]);
            if (i % 12 == 0 && i / 12 < bad.Length)
                lines.Add(bad[i / 12][1]);
        }
        Assert.Equal(valid.Length + bad.Length, lines.Count);
        var malformed = bad.Count(line => line[0].StartsWith("malformed", StringComparison.Ordinal));
        var (status, answer) = await system.PostAsync(lines);

        Assert.Equal(202, status);
        Assert.Equal(valid.Length + bad.Length - malformed, answer.GetProperty("accepted").GetInt32());
        Assert.Equal(
            bad.Select((line, i) => (Line: i * 13 + 2, Reason: line[0].Split(':')[0])).Where(line => line.Reason == "malformed"),
            answer
                .GetProperty("rejected")
                .EnumerateArray()
                .Select(line => (line.GetProperty("line").GetInt32(), line.GetProperty("reason").GetString()!))
        );

        // Each is found in the table, byte for byte, with its reason, and which of the two services said no.
        foreach (var line in bad)
        {
            var reason = line[0].Split(':')[0].Replace(' ', '_');
            var raw = System.Text.Encoding.UTF8.GetBytes(line[1]);
            await RunningSystem.EventuallyAsync(
                () =>
                    system.QueryAsync<long>(
                        "SELECT count(*) FROM factory.rejections WHERE line = $1 AND reason = $2 AND refused = $3",
                        raw,
                        reason,
                        reason == "malformed"
                    ),
                count => count == 1
            );
        }

        // The two valid files hold the same bytes in part: what is the same is stored once and counted as a duplicate.
        var distinct = valid.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("data").GetRawText()).Distinct().Count();
        for (var factory = 1; factory <= 10; factory++)
        {
            var id = $"factory_{factory:D3}";
            var mine = valid.Where(line => line.Contains($"\"{id}\"", StringComparison.Ordinal)).ToArray();
            var ledger = await system.LedgerWithoutBacklogAsync(id, mine.Length);
            Assert.Equal(
                mine.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("data").GetRawText()).Distinct().Count(),
                ledger.Stored
            );
            Assert.Equal(ledger.Stored, await system.StoredAsync(id));
            ledger.AssertBalanced();
        }
        Assert.Equal(
            distinct,
            await system.QueryAsync<long>(
                "SELECT count(*) FROM factory.readings JOIN factory.engines USING (engine_no) WHERE factory_id LIKE 'factory\\_0__'"
            )
        );
    }

    [Fact]
    public async Task A_machine_that_repeats_itself_is_counted_once()
    {
        using var signer = ReadingSigner.Create();
        const string factory = "repeater";
        await system.EnrolAsync(factory, signer.ExportPublicKeyPem());
        var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var lines = Enumerable
            .Range(0, 40)
            .Select(second => RunningSystem.Sign(signer, factory, "e1", start.AddSeconds(second), second))
            .ToArray();

        await system.PostAsync(lines);
        await system.PostAsync(lines[..25]);
        await system.PostAsync(lines);

        var ledger = await system.LedgerWithoutBacklogAsync(factory, 105);
        Assert.Equal((105, 40, 65), (ledger.Accepted, ledger.Stored, ledger.Duplicates));
        // Four windows of ten; the last one closes by the clock, for the engine is silent.
        await RunningSystem.EventuallyAsync(
            () =>
                system.QueryAsync<long>(
                    "SELECT count(*) FROM factory.windows JOIN factory.engines USING (engine_no) WHERE factory_id = $1 AND count = "
                        + "10 AND revision = 0",
                    factory
                ),
            count => count == 4
        );
        Assert.Equal(
            40L,
            await system.QueryAsync<long>(
                "SELECT sum(count)::bigint FROM factory.windows JOIN factory.engines USING (engine_no) WHERE factory_id = $1",
                factory
            )
        );
    }

    [Fact]
    public async Task Late_readings_correct_the_closed_window_and_raise_its_revision()
    {
        using var signer = ReadingSigner.Create();
        const string factory = "latecomer";
        await system.EnrolAsync(factory, signer.ExportPublicKeyPem());
        var start = new DateTime(2026, 1, 2, 0, 0, 0, DateTimeKind.Utc);
        string At(double second, double value) => RunningSystem.Sign(signer, factory, "e1", start.AddSeconds(second), value);

        await system.PostAsync(At(0, 10), At(1, 20), At(15, 1));
        await RunningSystem.EventuallyAsync(() => Window("count"), count => count == 2);
        await system.PostAsync(At(2, 60));

        await RunningSystem.EventuallyAsync(() => Window("count"), count => count == 3);
        Assert.Equal(
            (double[])[90, 10, 60, 1],
            new[] { await Window("sum"), await Window("min"), await Window("max"), await Window("revision") }
        );
        Assert.Equal(400 + 100 + 900, await Window("squared_deviation"), 9);

        Task<double> Window(string column) =>
            system.QueryAsync<double>(
                $"SELECT coalesce(max({column}), 0)::float8 FROM factory.windows JOIN factory.engines USING (engine_no) WHERE "
                    + "factory_id = $1 AND window_start = $2",
                factory,
                start
            );
    }

    [Fact]
    public async Task Minutes_are_rolled_up_and_given_as_the_stored_readings_have_them()
    {
        const string factory = "rolled_up";
        using var signer = ReadingSigner.Create();
        await system.EnrolAsync(factory, signer.ExportPublicKeyPem());
        var start = new DateTime(2026, 1, 4, 23, 58, 0, DateTimeKind.Utc);
        await system.PostAsync(
            Enumerable.Range(0, 70).Select(n => RunningSystem.Sign(signer, factory, "e1", start.AddSeconds(n * 3), n * n % 17))
        );
        await RunningSystem.EventuallyAsync(
            () =>
                system.QueryAsync<long>(
                    "SELECT count(*) FROM factory.window_minutes JOIN factory.engines USING (engine_no) WHERE factory_id = $1",
                    factory
                ),
            minutes => minutes == 3
        );
        // Late for a minute that is rolled up.
        await system.PostAsync(RunningSystem.Sign(signer, factory, "e1", start.AddSeconds(1), 1_000));

        using var client = system.Client("dashboard");
        var url = $"/api/windows?factory_id={factory}&step=1m&from={start:O}";
        var windows = await RunningSystem.EventuallyAsync(
            async () => (await client.GetFromJsonAsync<JsonElement>(url)).GetProperty("windows"),
            windows => windows[0].GetProperty("count").GetInt64() == 21
        );

        Assert.Equal(
            await system.QueryAsync<string>(
                """
                SELECT string_agg(format('%s %s %s %s %s', to_char(minute AT TIME ZONE 'UTC', 'HH24:MI'), count, sum, max, deviation), ', '
                    ORDER BY minute)
                FROM (
                    SELECT date_bin('1 minute', "timestamp", 'epoch') AS minute, count(*), sum(rpm), max(rpm),
                        round(stddev_pop(rpm::numeric), 6)::float8 AS deviation
                    FROM factory.sensor_data
                    WHERE factory_id = $1 AND "timestamp" < date_bin('10 s', (SELECT max(closed_until) FROM factory.engines
                        WHERE factory_id = $1), 'epoch')
                    GROUP BY 1) AS minutes
                """,
                factory
            ),
            string.Join(
                ", ",
                windows
                    .EnumerateArray()
                    .Select(window =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{window.GetProperty("window_start").GetDateTime():HH:mm} {window.GetProperty("count").GetInt64()} "
                                + $"{window.GetProperty("sum").GetDouble()} {window.GetProperty("max").GetDouble()} "
                                + $"{Math.Round(window.GetProperty("standard_deviation").GetDouble(), 6)}"
                        )
                    )
            )
        );
        Assert.Equal([true, true, true, false], windows.EnumerateArray().Select(window => window.GetProperty("closed").GetBoolean()));
    }

    [Fact]
    public async Task Two_factories_engines_with_one_id_are_two_engines()
    {
        using var signer = ReadingSigner.Create();
        var start = new DateTime(2026, 1, 3, 0, 0, 0, DateTimeKind.Utc);
        (string, double)[] twins = [("twin_a", 1), ("twin_b", 1000)];
        foreach (var (factory, value) in twins)
        {
            await system.EnrolAsync(factory, signer.ExportPublicKeyPem());
            await system.PostAsync(
                Enumerable.Range(0, 15).Select(second => RunningSystem.Sign(signer, factory, "engine", start.AddSeconds(second), value))
            );
        }

        using var client = system.Client("dashboard");
        foreach (var (factory, value) in twins)
        {
            var url = $"/api/windows?factory_id={factory}&engine_id=engine&metric=rpm&from={start:O}&to={start.AddSeconds(10):O}";
            var windows = await RunningSystem.EventuallyAsync(
                async () => (await client.GetFromJsonAsync<JsonElement>(url)).GetProperty("windows"),
                windows => windows.GetArrayLength() == 1
            );
            var window = windows[0];
            Assert.Equal(
                (10, value, value * 10),
                (window.GetProperty("count").GetInt64(), window.GetProperty("mean").GetDouble(), window.GetProperty("sum").GetDouble())
            );
            Assert.Equal(start, window.GetProperty("window_start").GetDateTime());
        }
    }

    [Fact]
    public async Task The_views_keep_the_Python_systems_columns()
    {
        const string sensor = "factory_id,engine_id,timestamp,temp_air,temp_oil,temp_exhaust,vibration,pressure_1,pressure_2,rpm";
        const string aggregated =
            "factory_id,engine_id,watermark,avg_temp_air,avg_temp_oil,avg_temp_exhaust,avg_vibration,"
            + "avg_pressure_1,avg_pressure_2,avg_rpm,batch_size";
        const string columns =
            "SELECT string_agg(column_name::text, ',' ORDER BY ordinal_position) FROM information_schema.columns WHERE "
            + "table_schema = 'factory' AND table_name = $1";
        Assert.Equal(sensor, await system.QueryAsync<string>(columns, "sensor_data"));
        Assert.Equal(aggregated, await system.QueryAsync<string>(columns, "aggregated_sensor_data"));
    }
}
