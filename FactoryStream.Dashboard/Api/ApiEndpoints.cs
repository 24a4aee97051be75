using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Books;
using FactoryStream.Dashboard.Live;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace FactoryStream.Dashboard.Api;

/// <summary>The books, the windows and what is new, for other programs.</summary>
internal static class ApiEndpoints
{
    /// <summary>What is shown when no time is given.</summary>
    public static readonly TimeSpan DefaultSpan = TimeSpan.FromMinutes(15);

    public static void MapApi(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags("Dashboard");
        api.MapGet("/books", BooksAsync).WithName("GetBooks")
            .WithSummary("What became of every accepted line, by factory: accepted = stored + duplicates + rejected + backlog.")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapGet("/latest-data", LatestData).WithName("GetLatestData").WithSummary("The newest closed window of each engine, of all factories or one.");
        api.MapGet("/windows", WindowsAsync).WithName("GetWindows")
            .WithSummary("Windows by factory, engine, metric and start (from inclusive, to exclusive); without times those of the last 15 minutes. JSON, or CSV by Accept.")
            .Produces<WindowsResponse>(StatusCodes.Status200OK, "application/json", WindowsCsv.MediaType)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        routes.MapGet("/ws", SocketAsync).WithName("LatestDataSocket").WithTags("Dashboard")
            .WithSummary("WebSocket: the data of /api/latest-data as one text message, at once and whenever windows close.")
            .ProducesProblem(StatusCodes.Status426UpgradeRequired);
    }

    private static async Task<Ok<BooksResponse>> BooksAsync(BooksReader books, CancellationToken cancellationToken) =>
        TypedResults.Ok(new BooksResponse(await books.ReadAsync(cancellationToken)));

    private static Results<Ok<LatestDataResponse>, ProblemHttpResult> LatestData(HttpContext context, LatestWindows latest, string? factory_id = null)
    {
        var snapshot = latest.Current;
        if (snapshot.Version > 0)
            return TypedResults.Ok(new LatestDataResponse("success", snapshot.ToLatestData(factory_id)));
        context.Response.Headers.RetryAfter = "2";
        return Problem(StatusCodes.Status503ServiceUnavailable, "The database has not answered yet.");
    }

    private static async Task<IResult> WindowsAsync(
        HttpContext context, WindowsReader windows, IOptions<DashboardOptions> options, TimeProvider time, CancellationToken cancellationToken,
        string? factory_id = null, string? engine_id = null, string? metric = null, string? from = null, string? to = null)
    {
        DateTime? start = null, end = null;
        if (from is not null && !TryParse(from, out start, out var error))
            return Problem(StatusCodes.Status400BadRequest, $"from: {error}");
        if (to is not null && !TryParse(to, out end, out error))
            return Problem(StatusCodes.Status400BadRequest, $"to: {error}");
        if (start >= end)
            return Problem(StatusCodes.Status400BadRequest, "from must be before to.");

        start ??= Earlier(end ?? time.GetUtcNow().UtcDateTime, DefaultSpan);
        if (await windows.ReadAsync(new(factory_id, engine_id, metric, start.Value, end), options.Value.MaxWindows, cancellationToken) is not { } rows)
        {
            return Problem(StatusCodes.Status400BadRequest,
                $"These are more than {options.Value.MaxWindows:N0} windows: narrow factory_id, engine_id, metric or the time from-to.");
        }
        context.Response.Headers.Vary = HeaderNames.Accept;
        return WantsCsv(context.Request)
            ? TypedResults.Text(WindowsCsv.Format(rows), WindowsCsv.MediaType, Encoding.UTF8)
            : TypedResults.Ok(new WindowsResponse(rows));
    }

    private static async Task<IResult> SocketAsync(HttpContext context, LatestDataSocket socket, string? factory_id = null)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            return Problem(StatusCodes.Status426UpgradeRequired, "This address speaks WebSocket.");
        }
        await socket.ServeAsync(context, factory_id);
        return TypedResults.Empty;
    }

    /// <summary>CSV where it is preferred to JSON; whoever does not care gets JSON.</summary>
    internal static bool WantsCsv(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().Accept;
        return Quality(WindowsCsv.MediaType) > Quality("application/json");

        // The most specific range that matches says how much a type is wanted.
        double Quality(string mediaType) => accepted
            .Where(range => new MediaTypeHeaderValue(mediaType).IsSubsetOf(range))
            .OrderBy(range => range.MatchesAllTypes ? 2 : range.MatchesAllSubTypes ? 1 : 0)
            .Select(range => range.Quality ?? 1)
            .FirstOrDefault();
    }

    private static bool TryParse(string text, out DateTime? utc, out string? error)
    {
        // A "+" of an offset that was not escaped in the address has become a space.
        var repaired = text.Length > 19 && text[10] is 'T' or 't' ? text.Replace(' ', '+') : text;
        var isTime = Timestamps.TryParse(Encoding.UTF8.GetBytes(repaired), out var parsed, out error);
        utc = isTime ? parsed : null;
        return isTime;
    }

    private static DateTime Earlier(DateTime moment, TimeSpan span) => moment - DateTime.UnixEpoch > span ? moment - span : DateTime.UnixEpoch;

    private static ProblemHttpResult Problem(int status, string detail) => TypedResults.Problem(detail, statusCode: status);
}
