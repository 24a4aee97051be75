using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Api;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class ApiTests(PostgresFixture postgres)
{
    private static readonly DateTime Start = new(2026, 2, 25, 6, 13, 20, DateTimeKind.Utc);

    [SkippableFact]
    public async Task Latest_data_is_the_newest_window_of_each_engine_in_the_Python_systems_form()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);

        var all = await dashboard.Client.GetStringAsync("/api/latest-data");
        var one = await dashboard.Client.GetStringAsync("/api/latest-data?factory_id=factory_b");
        var none = await dashboard.Client.GetStringAsync("/api/latest-data?factory_id=nobody");

        const string a1 =
            """{"factory_id":"factory_a","engine_id":"e1","watermark":"2026-02-25T06:13:40Z","avg_temp_air":21,"avg_temp_oil":null,"avg_temp_exhaust":null,"avg_vibration":null,"avg_pressure_1":1.5,"avg_pressure_2":null,"avg_rpm":3001}""";
        const string b1 =
            """{"factory_id":"factory_b","engine_id":"e1","watermark":"2020-03-09T12:00:10Z","avg_temp_air":null,"avg_temp_oil":null,"avg_temp_exhaust":null,"avg_vibration":null,"avg_pressure_1":null,"avg_pressure_2":null,"avg_rpm":7}""";
        Assert.Equal($$"""{"status":"success","data":[{{a1}},{{b1}}]}""", all);
        Assert.Equal($$"""{"status":"success","data":[{{b1}}]}""", one);
        Assert.Equal("""{"status":"success","data":[]}""", none);
    }

    [SkippableFact]
    public async Task Windows_come_by_factory_engine_start_and_metric_from_inclusive_to_exclusive()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);

        var answer = await dashboard.Client.GetStringAsync(
            "/api/windows?factory_id=factory_a&metric=rpm&from=2026-02-25T06:13:20Z&to=2026-02-25T06:13:30Z"
        );
        var unbounded = await dashboard.Client.GetFromJsonAsync<JsonElement>("/api/windows?from=1970-01-01T00:00:00Z");

        Assert.Equal(
            """{"windows":[{"factory_id":"factory_a","engine_id":"e1","metric":"rpm","window_start":"2026-02-25T06:13:20Z","window_end":"2026-02-25T06:13:30Z","count":10,"sum":30000,"min":2999,"max":3002,"mean":3000,"standard_deviation":2,"revision":0,"closed":true}],"next_cursor":null}""",
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
    public async Task Windows_are_CSV_for_who_asks_for_it_quoted_where_need_be()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database => await database.CloseAsync(await database.EngineAsync("plant \"north\", hall 1", "e"), Start, ("rpm", 0.1))
        );
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/windows?from=2026-02-25T00:00:00Z");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/csv"));

        using var response = await dashboard.Client.SendAsync(request);

        Assert.Equal("text/csv; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(
            "factory_id,engine_id,metric,window_start,window_end,count,sum,min,max,mean,standard_deviation,revision,closed\r\n"
                + "\"plant \"\"north\"\", hall 1\",e,rpm,2026-02-25T06:13:20Z,2026-02-25T06:13:30Z,10,1,-0.9,2.1,0.1,2,0,true\r\n",
            await response.Content.ReadAsStringAsync()
        );
    }

    [SkippableFact]
    public async Task Pages_of_any_size_put_together_are_all_windows_in_their_order()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
            {
                await SeedAsync(database);
                // In no order, and one name that only sorts so by its bytes.
                await database.CloseAsync(await database.EngineAsync("Factory", "é"), Start.AddDays(-40), ("x", 1), ("B", 2), ("a", 3));
                await database.CloseAsync(await database.EngineAsync("factory_a", "e0"), Start, ("rpm", 4));
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
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);

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
        await database.ScalarAsync<object>("SELECT factory.ensure_partition('windows', $1)", Start);
        for (var engine = 0; engine < 3; engine++)
        {
            await database.ScalarAsync<int>(
                """
                INSERT INTO factory.windows (engine_no, revision, window_start, window_end, count, sum, min, max, squared_deviation,
                    updated_at, metric)
                SELECT $1, 0, $2 + n * interval '10 s', $2 + (n + 1) * interval '10 s', 1, 1, 1, 1, 0, now(),
                    'rpm' FROM generate_series(0, 999) AS n RETURNING 1
                """,
                await database.EngineAsync("f", $"e{engine}"),
                Start
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

        // Sample: "->  Index Scan using windows_202602_pkey on windows_202602 windows_1  (cost=0.28..49.25 rows=1000 width=78) (actual
        // rows=12.00 loops=1)"
        var scans = plan.Select(line =>
                System.Text.RegularExpressions.Regex.Match(line, @" on windows_.*\(actual rows=([0-9]+)(?:\.[0-9]+)? loops=([0-9]+)\)")
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

    [SkippableFact]
    public async Task A_name_that_a_spreadsheet_would_take_for_a_formula_is_text_and_Excel_gets_its_mark()
    {
        await using var dashboard = await RunningDashboard.StartAsync(
            postgres,
            async database =>
                await database.CloseAsync(await database.EngineAsync("=1+1", "@e,\"1\""), Start, ("-ü", -5), ("+a", 1), ("b=1", 1))
        );

        using var response = await dashboard.Client.GetAsync("/api/windows?from=2026-02-25T00:00:00Z&excel=true");

        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal("text/csv; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(
            "\uFEFFfactory_id,engine_id,metric,window_start,window_end,count,sum,min,max,mean,standard_deviation,revision,closed\r\n"
                + "'=1+1,\"'@e,\"\"1\"\"\",'+a,2026-02-25T06:13:20Z,2026-02-25T06:13:30Z,10,10,0,3,1,2,0,true\r\n"
                + "'=1+1,\"'@e,\"\"1\"\"\",'-ü,2026-02-25T06:13:20Z,2026-02-25T06:13:30Z,10,-50,-6,-3,-5,2,0,true\r\n"
                + "'=1+1,\"'@e,\"\"1\"\"\",b=1,2026-02-25T06:13:20Z,2026-02-25T06:13:30Z,10,10,0,3,1,2,0,true\r\n",
            Encoding.UTF8.GetString(bytes)
        );
    }

    [SkippableFact]
    public async Task One_socket_too_many_is_told_when_to_come_again_and_has_its_turn_when_another_goes()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync, "--Dashboard:MaxSocketClients=1");
        using var timeout = new CancellationTokenSource(RunningDashboard.Patience);
        var address = new UriBuilder(dashboard.Address) { Scheme = "ws", Path = "/ws" }.Uri;
        using var first = new ClientWebSocket();
        await first.ConnectAsync(address, timeout.Token);
        using var refused = new ClientWebSocket { Options = { CollectHttpResponseDetails = true } };

        await Assert.ThrowsAsync<WebSocketException>(() => refused.ConnectAsync(address, timeout.Token));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.HttpStatusCode);
        Assert.True(refused.HttpResponseHeaders!.ContainsKey("Retry-After"));
        await first.CloseAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);

        await Plant.EventuallyAsync(
            async () =>
            {
                using var next = new ClientWebSocket { Options = { CollectHttpResponseDetails = true } };
                try
                {
                    await next.ConnectAsync(address, timeout.Token);
                    return true;
                }
                catch (WebSocketException) when (next.HttpStatusCode == HttpStatusCode.TooManyRequests)
                {
                    return false;
                }
            },
            connected => connected
        );
    }

    [SkippableTheory]
    [InlineData("/api/windows?limit=0", "limit")]
    [InlineData("/api/windows?limit=50001", "limit")]
    [InlineData("/api/windows?cursor=nonsense", "cursor")]
    [InlineData("/api/windows?cursor=WyJmIiwiZSIsIjAiLCIwIiwibSJd", "cursor")]
    [InlineData("/api/windows?from=yesterday", "from")]
    [InlineData("/api/windows?to=25.02.2026%2006:13", "to")]
    [InlineData("/api/windows?from=2026-02-25T06:13:20Z&to=2026-02-25T06:13:20Z", "from must be before to")]
    public async Task A_parameter_that_makes_no_sense_is_a_problem_that_names_it(string address, string named)
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        using var response = await dashboard.Client.GetAsync(address);

        Assert.Equal(
            (HttpStatusCode.BadRequest, "application/problem+json"),
            (response.StatusCode, response.Content.Headers.ContentType?.MediaType)
        );
        Assert.Contains(named, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_socket_sends_the_newest_windows_at_once_and_whenever_one_closes()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        using var timeout = new CancellationTokenSource(RunningDashboard.Patience);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(dashboard.Address) { Scheme = "ws", Path = "/ws" }.Uri, timeout.Token);

        var first = await ReceiveAsync(socket, timeout.Token);
        await dashboard.Database.CloseAsync(1, Start.AddSeconds(20), ("rpm", 3002));
        var second = await ReceiveAsync(socket, timeout.Token);

        Assert.Equal(["2026-02-25T06:13:40Z 3001", "2020-03-09T12:00:10Z 7"], Rpm(first));
        Assert.Equal(["2026-02-25T06:13:50Z 3002", "2020-03-09T12:00:10Z 7"], Rpm(second));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);

        static IEnumerable<string> Rpm(JsonElement data) =>
            data.EnumerateArray().Select(engine => $"{engine.GetProperty("watermark")} {engine.GetProperty("avg_rpm")}");
    }

    [SkippableFact]
    public async Task A_late_reading_of_an_old_window_and_many_engines_at_once_are_read_as_well()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, SeedAsync);
        await dashboard.Database.ScalarAsync<object>(
            "UPDATE factory.windows SET sum = 30050, revision = 1 WHERE metric = 'rpm' AND window_start = $1 RETURNING 1",
            Start.AddSeconds(10)
        );

        await dashboard.Database.ScalarAsync<object>("SELECT pg_notify('factory_windows', '\"*\"')");

        await Plant.EventuallyAsync(
            () => dashboard.Client.GetStringAsync("/api/latest-data?factory_id=factory_a"),
            answer => answer.Contains("\"avg_rpm\":3005}", StringComparison.Ordinal)
        );
    }

    [SkippableFact]
    public async Task Books_are_the_ledger_and_what_the_log_holds_beyond_it()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);
        using (var incarnations = new TopicIds(new KafkaConnection(dashboard.Kafka)))
        {
            // Three messages in partition 1, of which the ledger knows the first.
            using var producer = new ProducerBuilder<byte[]?, byte[]>(new ProducerConfig { BootstrapServers = dashboard.Kafka }).Build();
            foreach (var lines in (string[])["{}", $"{Envelope("f")}\n{Envelope("f")}\n{Envelope("g")}\n{Envelope("invented")}", "no JSON"])
                await producer.ProduceAsync(
                    new TopicPartition(Topics.Signed, 1),
                    new Message<byte[]?, byte[]> { Value = Encoding.UTF8.GetBytes(lines) }
                );
            await dashboard.Database.ScalarAsync<object>(
                """
                INSERT INTO factory.checkpoints (topic, partition, epoch, topic_id, next_offset, source_topic_id, source_offset, source_line)
                VALUES ($1, 1, 1, 'x', 1, $2, 0, 0) RETURNING 1
                """,
                Topics.Verified,
                await incarnations.GetAsync(Topics.Signed)
            );
        }
        await dashboard.Database.ScalarAsync<object>(
            "INSERT INTO factory.ledger (partition, factory_id, accepted, stored, duplicates) VALUES (1, 'f', 10, 6, 1), (2, 'f', "
                + "5, 5, 0) RETURNING 1"
        );
        await dashboard.Database.ScalarAsync<object>(
            """
            INSERT INTO factory.rejection_counts (partition, factory_id, reason, refused, count)
            VALUES (1, 'f', 'bad_signature', false, 2), (2, 'f', 'bad_signature', false, 1), (1, '', 'malformed', true, 4) RETURNING 1
            """
        );

        // What retention took is told whether somebody has taken note of it or not, and balances nobody's books.
        await dashboard.Database.ScalarAsync<object>(
            """
            INSERT INTO factory.losses (topic, partition, messages, acknowledged)
            VALUES ('readings.verified', 1, 7, 7), ('readings.signed', 3, 5, 0) RETURNING 1
            """
        );
        await dashboard.Database.ScalarAsync<object>(
            """
            INSERT INTO factory.signing_keys (key_id, factory_id, algorithm, public_key, enrolled_at)
            VALUES ('k1', 'f', 'RSASSA-PSS-SHA256', '', now()), ('k2', 'g', 'RSASSA-PSS-SHA256', '', now()) RETURNING 1
            """
        );

        var books = await dashboard.Client.GetStringAsync("/api/books");

        Assert.Equal(
            """{"factories":[{"factory_id":"unknown","accepted":2,"stored":0,"duplicates":0,"rejected":{},"refused":"""
                + """{"malformed":4},"backlog":2},"""
                + """{"factory_id":"f","accepted":17,"stored":11,"duplicates":1,"rejected":{"bad_signature":3},"refused":{},"backlog":2},"""
                + """{"factory_id":"g","accepted":1,"stored":0,"duplicates":0,"rejected":{},"refused":{},"backlog":1}]"""
                + ""","lost":12,"losses":[{"topic":"readings.signed","partition":3,"messages":5},"""
                + """{"topic":"readings.verified","partition":1,"messages":7}]}""",
            books
        );

        static string Envelope(string factoryId) =>
            $$"""{"data": {"factory_id": "{{factoryId}}", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm": 1}, "signature": "AAAA"}""";
    }

    [SkippableFact]
    public async Task That_nothing_is_stored_though_readings_wait_is_told()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, "--Dashboard:StalledAfter=00:00:01");
        using var incarnations = new TopicIds(new KafkaConnection(dashboard.Kafka));
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = dashboard.Kafka }).Build();
        await producer
            .ProduceAsync(new TopicPartition(Topics.Signed, 1), new Message<Null, byte[]> { Value = [] })
            .WaitAsync(RunningDashboard.Patience);

        await Plant.EventuallyAsync(
            PipelineAsync,
            told => told is ["Degraded", var why] && why.EndsWith("s. Messages of readings.signed that wait: 1.", StringComparison.Ordinal)
        );

        await dashboard.Database.ScalarAsync<object>(
            """
            INSERT INTO factory.checkpoints (topic, partition, epoch, topic_id, next_offset, source_topic_id, source_offset, source_line)
            VALUES ($1, 1, 1, 'x', 1, $2, 0, 0) RETURNING 1
            """,
            Topics.Verified,
            await incarnations.GetAsync(Topics.Signed)
        );
        await Plant.EventuallyAsync(PipelineAsync, told => told is ["Healthy", ""]);

        async Task<string[]> PipelineAsync()
        {
            using var response = await dashboard.Client.GetAsync("/health");
            // Degraded or not, it serves.
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var check = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("checks").GetProperty("pipeline");
            return [check.GetProperty("status").GetString()!, check.TryGetProperty("description", out var text) ? text.GetString()! : ""];
        }
    }

    [SkippableFact]
    public async Task What_it_offers_is_described()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        var document = await dashboard.Client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");

        Assert.Superset(
            new HashSet<string> { "/api/latest-data", "/api/windows", "/api/books" },
            document.GetProperty("paths").EnumerateObject().Select(path => path.Name).ToHashSet()
        );
    }

    private static async Task SeedAsync(NpgsqlDataSource database)
    {
        var first = await database.EngineAsync("factory_a", "e1");
        await database.CloseAsync(first, Start, ("temp_air", 20), ("pressure_1", 1), ("rpm", 3000));
        await database.CloseAsync(first, Start.AddSeconds(10), ("temp_air", 21), ("pressure_1", 1.5), ("rpm", 3001));
        // Silent for years, and in a partition of its own.
        await database.CloseAsync(
            await database.EngineAsync("factory_b", "e1"),
            new DateTime(2020, 3, 9, 12, 0, 0, DateTimeKind.Utc),
            ("rpm", 7)
        );
        // No window has closed yet.
        await database.EngineAsync("factory_b", "e2");
    }

    private static async Task<JsonElement> ReceiveAsync(ClientWebSocket socket, CancellationToken cancellation)
    {
        var message = new ArraySegment<byte>(new byte[64 << 10]);
        var received = await socket.ReceiveAsync(message, cancellation);
        Assert.True(received is { MessageType: WebSocketMessageType.Text, EndOfMessage: true });
        return JsonDocument.Parse(message[..received.Count].ToArray()).RootElement;
    }
}
