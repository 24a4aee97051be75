using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Live;

/// <summary>
/// <c>/ws</c>: the array of <c>/api/latest-data</c> as one text message at once and after every change. A slow reader skips states, none
/// waits for it.
/// </summary>
internal sealed class LatestDataSocket(
    LatestWindows latest,
    IOptions<DashboardOptions> options,
    DashboardMetrics metrics,
    TimeProvider time,
    IHostApplicationLifetime lifetime
)
{
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private (long Version, byte[] Message) last = (-1, []);

    private int clients;

    /// <summary>Serves until either side goes. False: there are as many clients as may be.</summary>
    public async Task<bool> TryServeAsync(HttpContext context, string? factoryId)
    {
        try
        {
            if (Interlocked.Increment(ref clients) > options.Value.MaxSocketClients)
                return false;
            await ServeAsync(context, factoryId);
            return true;
        }
        finally
        {
            Interlocked.Decrement(ref clients);
        }
    }

    private async Task ServeAsync(HttpContext context, string? factoryId)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        metrics.Sockets.Add(1);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var listening = ReceiveUntilCloseAsync(socket, ending);
        try
        {
            var version = 0L;
            while (true)
            {
                var snapshot = await latest.NextAsync(version, ending.Token);
                version = snapshot.Version;
                if (!snapshot.IsLive)
                    continue;
                // A send that is cancelled breaks the connection off: a client that says goodbye in that moment would be told nothing.
                await socket.SendAsync(Message(snapshot, factoryId), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
                await Task.Delay(options.Value.PushInterval, time, ending.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException)
        {
            // Either side's going is how every connection ends.
            await CloseAsync(socket);
        }
        finally
        {
            await ending.CancelAsync();
            await listening;
            metrics.Sockets.Add(-1);
        }
    }

    private byte[] Message(LatestSnapshot snapshot, string? factoryId)
    {
        if (factoryId is not null)
            return JsonSerializer.SerializeToUtf8Bytes(snapshot.ToLatestData(factoryId), LatestDataJson.Default.IReadOnlyListLatestData);
        // Everybody is sent the same: written once.
        lock (gate)
        {
            if (last.Version != snapshot.Version)
                last = (
                    snapshot.Version,
                    JsonSerializer.SerializeToUtf8Bytes(snapshot.ToLatestData(), LatestDataJson.Default.IReadOnlyListLatestData)
                );
            return last.Message;
        }
    }

    private static async Task ReceiveUntilCloseAsync(WebSocket socket, CancellationTokenSource ending)
    {
        var ignored = new byte[1_024];
        try
        {
            while ((await socket.ReceiveAsync(ignored, ending.Token)).MessageType != WebSocketMessageType.Close) { }
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException)
        {
            // A reader that vanished has closed as well.
        }
        await ending.CancelAsync();
    }

    private static async Task CloseAsync(WebSocket socket)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived))
            return;
        using var patience = new CancellationTokenSource(ClosePatience);
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, patience.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException)
        {
            // It is gone already.
        }
    }
}
