using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class LatestDataTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Latest_data_is_the_newest_window_of_each_engine_in_the_Python_systems_form()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);

        var all = await dashboard.Client.GetStringAsync("/api/latest-data");
        var one = await dashboard.Client.GetStringAsync("/api/latest-data?factory_id=factory_b");
        var none = await dashboard.Client.GetStringAsync("/api/latest-data?factory_id=nobody");

        var expected = TestData.Lines("dashboard/latest-data.ndjson");
        var (a1, b1) = (expected[0], expected[1]);
        Assert.Equal($$"""{"status":"success","data":[{{a1}},{{b1}}]}""", all);
        Assert.Equal($$"""{"status":"success","data":[{{b1}}]}""", one);
        Assert.Equal("""{"status":"success","data":[]}""", none);
    }

    [SkippableFact]
    public async Task One_socket_too_many_is_told_when_to_retry_and_is_accepted_when_another_closes()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync, "--Dashboard:MaxSocketClients=1");
        using var timeout = new CancellationTokenSource(RunningDashboard.Patience);
        var address = new UriBuilder(dashboard.Address) { Scheme = "ws", Path = "/ws" }.Uri;
        using var first = new ClientWebSocket();
        await first.ConnectAsync(address, timeout.Token);
        using var refused = new ClientWebSocket { Options = { CollectHttpResponseDetails = true } };

        await Assert.ThrowsAsync<WebSocketException>(() => refused.ConnectAsync(address, timeout.Token));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.HttpStatusCode);
        Assert.True(refused.HttpResponseHeaders!.ContainsKey("Retry-After"));
        await first.CloseAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);

        await RunningSystem.EventuallyAsync(
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

    [SkippableFact]
    public async Task The_socket_sends_the_newest_windows_at_once_and_whenever_one_closes()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);
        using var timeout = new CancellationTokenSource(RunningDashboard.Patience);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(dashboard.Address) { Scheme = "ws", Path = "/ws" }.Uri, timeout.Token);

        var first = await ReceiveAsync(socket, timeout.Token);
        await dashboard.Database.CloseAsync(1, Seeds.Start.AddSeconds(20), ("rpm", 3002));
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
        await using var dashboard = await RunningDashboard.StartAsync(postgres, Seeds.TwoFactoriesAsync);
        await dashboard.Database.ScalarAsync<object>(
            "UPDATE factory.engine_windows SET sums[array_position(metrics, 'rpm')] = 30050, revision = 1 WHERE window_start = $1 "
                + "RETURNING 1",
            Seeds.Start.AddSeconds(10)
        );

        await dashboard.Database.ScalarAsync<object>("SELECT pg_notify('factory_windows', '\"*\"')");

        await RunningSystem.EventuallyAsync(
            () => dashboard.Client.GetStringAsync("/api/latest-data?factory_id=factory_a"),
            answer => answer.Contains("\"avg_rpm\":3005}", StringComparison.Ordinal)
        );
    }

    private static async Task<JsonElement> ReceiveAsync(ClientWebSocket socket, CancellationToken cancellation)
    {
        var message = new ArraySegment<byte>(new byte[64 << 10]);
        var received = await socket.ReceiveAsync(message, cancellation);
        Assert.True(received is { MessageType: WebSocketMessageType.Text, EndOfMessage: true });
        return JsonDocument.Parse(message[..received.Count].ToArray()).RootElement;
    }
}
