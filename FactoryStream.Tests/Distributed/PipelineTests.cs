using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Distributed;

[Collection(DistributedTests.Name)]
public sealed class PipelineTests(SharedPlant shared)
{
    private readonly Plant plant = shared.Plant;

    [Fact]
    public async Task Valid_lines_are_stored_and_bad_ones_kept_with_their_reason_whoever_their_neighbours_are()
    {
        var folder = TestData.File("signed-readings");
        var pem = await File.ReadAllTextAsync(Path.Combine(folder, "public-key.pem"));
        for (var factory = 1; factory <= 10; factory++)
            await plant.EnrolAsync($"factory_{factory:D3}", pem);
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
        var (status, answer) = await plant.PostAsync(lines);

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
            await Plant.EventuallyAsync(
                () =>
                    plant.QueryAsync<long>(
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
            var books = await plant.CommittedAsync(id, mine.Length);
            Assert.Equal(
                mine.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("data").GetRawText()).Distinct().Count(),
                books.Stored
            );
            Assert.Equal(books.Stored, await plant.StoredAsync(id));
            books.AssertBalanced();
        }
        Assert.Equal(
            distinct,
            await plant.QueryAsync<long>(
                "SELECT count(*) FROM factory.readings JOIN factory.engines USING (engine_no) WHERE factory_id LIKE 'factory\\_0__'"
            )
        );
    }

    [Fact]
    public async Task A_machine_that_repeats_itself_is_counted_once()
    {
        using var signer = ReadingSigner.Create();
        const string factory = "repeater";
        await plant.EnrolAsync(factory, signer.ExportPublicKeyPem());
        var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var lines = Enumerable.Range(0, 40).Select(second => Plant.Sign(signer, factory, "e1", start.AddSeconds(second), second)).ToArray();

        await plant.PostAsync(lines);
        await plant.PostAsync(lines[..25]);
        await plant.PostAsync(lines);

        var books = await plant.CommittedAsync(factory, 105);
        Assert.Equal((105, 40, 65), (books.Accepted, books.Stored, books.Duplicates));
        // Four windows of ten; the last one closes by the clock, for the engine is idle.
        await Plant.EventuallyAsync(
            () =>
                plant.QueryAsync<long>(
                    "SELECT count(*) FROM factory.windows JOIN factory.engines USING (engine_no) WHERE factory_id = $1 AND count = "
                        + "10 AND revision = 0",
                    factory
                ),
            count => count == 4
        );
        Assert.Equal(
            40L,
            await plant.QueryAsync<long>(
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
        await plant.EnrolAsync(factory, signer.ExportPublicKeyPem());
        var start = new DateTime(2026, 1, 2, 0, 0, 0, DateTimeKind.Utc);
        string At(double second, double value) => Plant.Sign(signer, factory, "e1", start.AddSeconds(second), value);

        await plant.PostAsync(At(0, 10), At(1, 20), At(15, 1));
        await Plant.EventuallyAsync(() => Window("count"), count => count == 2);
        await plant.PostAsync(At(2, 60));

        await Plant.EventuallyAsync(() => Window("count"), count => count == 3);
        Assert.Equal(
            (double[])[90, 10, 60, 1],
            new[] { await Window("sum"), await Window("min"), await Window("max"), await Window("revision") }
        );
        Assert.Equal(400 + 100 + 900, await Window("squared_deviation"), 9);

        Task<double> Window(string column) =>
            plant.QueryAsync<double>(
                $"SELECT coalesce(max({column}), 0)::float8 FROM factory.windows JOIN factory.engines USING (engine_no) WHERE "
                    + "factory_id = $1 AND window_start = $2",
                factory,
                start
            );
    }

    [Fact]
    public async Task Two_factories_engines_with_one_id_are_two_engines()
    {
        using var signer = ReadingSigner.Create();
        var start = new DateTime(2026, 1, 3, 0, 0, 0, DateTimeKind.Utc);
        (string, double)[] twins = [("twin_a", 1), ("twin_b", 1000)];
        foreach (var (factory, value) in twins)
        {
            await plant.EnrolAsync(factory, signer.ExportPublicKeyPem());
            await plant.PostAsync(
                Enumerable.Range(0, 15).Select(second => Plant.Sign(signer, factory, "engine", start.AddSeconds(second), value))
            );
        }

        using var client = plant.Client("dashboard");
        foreach (var (factory, value) in twins)
        {
            var url = $"/api/windows?factory_id={factory}&engine_id=engine&metric=rpm&from={start:O}&to={start.AddSeconds(10):O}";
            var windows = await Plant.EventuallyAsync(
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
            "factory_id,engine_id,watermark,avg_temp_air,avg_temp_oil,avg_temp_exhaust,avg_vibration,avg_pressure_1,avg_pressure_2,avg_rpm,batch_size";
        const string columns =
            "SELECT string_agg(column_name::text, ',' ORDER BY ordinal_position) FROM information_schema.columns WHERE "
            + "table_schema = 'factory' AND table_name = $1";
        Assert.Equal(sensor, await plant.QueryAsync<string>(columns, "sensor_data"));
        Assert.Equal(aggregated, await plant.QueryAsync<string>(columns, "aggregated_sensor_data"));
    }
}
