using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Confluent.Kafka;
using FactoryStream.Dashboard.Books;
using FactoryStream.Dashboard.Windows;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard;

/// <summary>What the Dashboard knows, for programs: <c>/api/windows</c>, <c>/api/books</c>, <c>/api/latest-data</c> and <c>/ws</c>.</summary>
internal static class ApiEndpoints
{
    public static void MapApi(this IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup("/api");
        api.MapGet("/books", GetBooks).WithSummary("The books of every factory").Produces<BooksAnswer>().ProducesProblem(503);
        api.MapGet("/latest-data", GetLatestData).WithSummary("The newest closed window of each engine, in the Python system's shape");
        api.MapGet("/windows", GetWindows).WithSummary("Closed windows, JSON or CSV by Accept").Produces<WindowsAnswer>().ProducesProblem(400);
        endpoints.Map("/ws", StreamLatestData);
    }

    private static async Task<Results<Ok<BooksAnswer>, ProblemHttpResult>> GetBooks(BooksReader books, HttpResponse response, CancellationToken cancellation)
    {
        try
        {
            return TypedResults.Ok(await books.ReadAsync(cancellation));
        }
        catch (Exception exception) when (exception is BacklogTooLongException or KafkaException)
        {
            response.Headers.RetryAfter = "5";
            return TypedResults.Problem(exception.Message, statusCode: StatusCodes.Status503ServiceUnavailable, title: "The books cannot be drawn up now");
        }
    }

    private static Ok<LatestDataAnswer> GetLatestData(LatestWindows latest, string? factory_id = null) => TypedResults.Ok(new LatestDataAnswer("success", Latest(latest, factory_id)));

    private static LatestData[] Latest(LatestWindows latest, string? factoryId) =>
        [.. latest.All.Where(window => factoryId is null || window.FactoryId == factoryId).Select(window => window.ToLatestData())];

    private static async Task<IResult> GetWindows(
        HttpContext context, WindowsReader reader, IOptions<DashboardOptions> options, TimeProvider time,
        string? factory_id = null, string? engine_id = null, string? metric = null, string? from = null, string? to = null)
    {
        var end = time.GetUtcNow().UtcDateTime;
        if (to is not null && !TryParse(to, out end))
            return Wrong("to", to);
        var start = end - options.Value.RecentWindow;
        if (from is not null && !TryParse(from, out start))
            return Wrong("from", from);
        if (start > end)
            return TypedResults.Problem($"from ({start:O}) is after to ({end:O}).", statusCode: StatusCodes.Status400BadRequest, title: "No such time");

        var limit = options.Value.MaxWindows;
        var windows = new List<WindowAnswer>();
        await foreach (var window in reader.ReadAsync(new WindowsQuery(factory_id, engine_id, metric, start, end, limit)).WithCancellation(context.RequestAborted))
            windows.Add(window);
        if (windows.Count > limit)
        {
            return TypedResults.Problem($"More than {limit} windows: ask for a shorter time, one engine or one metric.", statusCode: StatusCodes.Status400BadRequest, title: "Too many windows");
        }
        var accept = context.Request.GetTypedHeaders().Accept;
        return accept.Any(type => type.MediaType.Equals("text/csv", StringComparison.OrdinalIgnoreCase))
            ? TypedResults.Text(Csv(windows), "text/csv", Encoding.UTF8)
            : TypedResults.Json(new WindowsAnswer(windows), DashboardJson.Default.WindowsAnswer);
    }

    /// <summary>RFC 4180, with a header.</summary>
    private static string Csv(List<WindowAnswer> windows)
    {
        var text = new StringBuilder("factory_id,engine_id,metric,window_start,window_end,count,sum,min,max,mean,standard_deviation,revision,closed\r\n");
        foreach (var window in windows)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"{Quote(window.FactoryId)},{Quote(window.EngineId)},{Quote(window.Metric)},{window.WindowStart:O},{window.WindowEnd:O},{window.Count},{window.Sum:R},{window.Min:R},{window.Max:R},{window.Mean:R},{window.StandardDeviation:R},{window.Revision},{(window.Closed ? "true" : "false")}\r\n");
        }
        return text.ToString();

        static string Quote(string value) => value.AsSpan().IndexOfAny("\",\r\n") < 0 ? value : $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static bool TryParse(string text, out DateTime utc) =>
        DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out utc);

    private static ProblemHttpResult Wrong(string name, string value) =>
        TypedResults.Problem($"{name}={value} is no time; give ISO 8601, e.g. 2026-02-25T06:13:20Z.", statusCode: StatusCodes.Status400BadRequest, title: "No such time");

    /// <summary>The newest closed windows as one text message, at once and whenever windows close.</summary>
    private static async Task StreamLatestData(HttpContext context, LatestWindows latest, DashboardMetrics metrics, IHostApplicationLifetime lifetime, string? factory_id = null)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await TypedResults.Problem("Ask for a WebSocket.", statusCode: StatusCodes.Status400BadRequest, title: "No WebSocket").ExecuteAsync(context);
            return;
        }
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        // A slow client gets the newest state when it is ready for it, never a queue of old ones.
        var news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        void OnChanged() => news.Writer.TryWrite(true);
        latest.Changed += OnChanged;
        metrics.Sockets.Add(1);
        try
        {
            var closing = ReceiveCloseAsync(socket, news.Writer, ending.Token);
            news.Writer.TryWrite(true);
            await foreach (var _ in news.Reader.ReadAllAsync(ending.Token))
                await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(Latest(latest, factory_id), DashboardJson.Default.IReadOnlyListLatestData), WebSocketMessageType.Text, true, ending.Token);
            await closing;
            if (socket.State == WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, ending.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or WebSocketException)
        {
            // The client is gone, or we are about to be.
            socket.Abort();
        }
        finally
        {
            latest.Changed -= OnChanged;
            metrics.Sockets.Add(-1);
        }
    }

    private static async Task ReceiveCloseAsync(WebSocket socket, ChannelWriter<bool> news, CancellationToken cancellation)
    {
        try
        {
            var buffer = new byte[1024];
            // Clients have nothing to say here but goodbye.
            while ((await socket.ReceiveAsync(buffer, cancellation)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        finally
        {
            news.TryComplete();
        }
    }
}
