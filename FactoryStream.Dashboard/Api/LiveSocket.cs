using System.Net.WebSockets;
using System.Text.Json;
using FactoryStream.Dashboard.Windows;

namespace FactoryStream.Dashboard.Api;

/// <summary><c>/ws</c>: the array of the newest windows as one text message, on connecting and whenever it changes. Who reads slowly gets fewer, never old ones.</summary>
internal sealed class LiveSocket(Latest<LatestWindows> latest, IHostApplicationLifetime lifetime, DashboardMetrics metrics)
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    // The last message, shared by all sockets that want the whole.
    private Tuple<long, byte[]>? whole;

    public async Task ServeAsync(WebSocket socket, string? factoryId, CancellationToken aborted)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(aborted, lifetime.ApplicationStopping);
        metrics.Socket(+1);
        var listening = ListenAsync(socket, ended);
        try
        {
            await SendAsync(socket, factoryId, ended.Token);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The client closed, or the service stops: either way there is a farewell below.
        }
        catch (WebSocketException)
        {
            // The client is gone without a farewell.
        }
        finally
        {
            metrics.Socket(-1);
        }
        await ended.CancelAsync();
        using var timeout = new CancellationTokenSource(CloseTimeout);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(lifetime.ApplicationStopping.IsCancellationRequested ? WebSocketCloseStatus.EndpointUnavailable : WebSocketCloseStatus.NormalClosure, null, timeout.Token);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            socket.Abort();
        }
        await listening;
    }

    private async Task SendAsync(WebSocket socket, string? factoryId, CancellationToken cancellation)
    {
        long version = 0;
        byte[]? sent = null;
        while (true)
        {
            (version, var windows) = await latest.AfterAsync(version, cancellation);
            if (!windows.IsLive)
                continue;
            var message = factoryId is null ? Whole(version, windows) : Message(windows.Of(factoryId));
            // A factory of which nothing changed.
            if (sent is not null && sent.AsSpan().SequenceEqual(message))
                continue;
            await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, cancellation);
            sent = message;
        }
    }

    private byte[] Whole(long version, LatestWindows windows)
    {
        var shared = Volatile.Read(ref whole);
        if (shared?.Item1 == version)
            return shared.Item2;
        var message = Message(windows.Engines);
        Volatile.Write(ref whole, Tuple.Create(version, message));
        return message;
    }

    private static byte[] Message(IEnumerable<EngineWindow> engines) =>
        JsonSerializer.SerializeToUtf8Bytes(engines.Select(LatestDataAnswer.Of), DashboardJson.Default.IEnumerableLatestDataAnswer);

    /// <summary>Nothing is asked over a socket; what comes is thrown away, and its end is the end.</summary>
    private static async Task ListenAsync(WebSocket socket, CancellationTokenSource ended)
    {
        var buffer = new byte[256];
        try
        {
            while ((await socket.ReceiveAsync(buffer, ended.Token)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            // Gone without a farewell, or the service stops.
        }
        await ended.CancelAsync();
    }
}

/// <summary>Maps <see cref="LiveSocket"/>.</summary>
internal static class LiveSocketEndpoints
{
    public static void MapLiveSocket(this IEndpointRouteBuilder routes) => routes.Map("/ws", async (HttpContext context, LiveSocket live) =>
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await Results.Problem("This address speaks WebSocket; GET /api/latest-data answers once.", statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
            return;
        }
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await live.ServeAsync(socket, context.Request.Query["factory_id"].FirstOrDefault(id => !string.IsNullOrEmpty(id)), context.RequestAborted);
    }).ExcludeFromDescription();
}
