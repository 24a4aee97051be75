using System.Globalization;
using System.Text;
using FactoryStream.Dashboard.Live;
using FactoryStream.Dashboard.Reconciliation;
using FactoryStream.Dashboard.Windows;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace FactoryStream.Dashboard.Api;

/// <summary>The ledger, the windows and what is new, for other programs.</summary>
internal static class ApiEndpoints
{
    /// <summary>Windows of a page when no limit is given.</summary>
    private const int DefaultLimit = 10_000;

    public static void MapApi(this IEndpointRouteBuilder app)
    {
        var routes = app.MapGroup("").RequireCors(DashboardServices.CrossOrigin);
        routes.MapReadings();
        routes.MapBatches();
        routes.MapReceipts();
        routes.MapRejections();
        routes.MapRedrives();
        routes.MapAuditEvents();
        routes.MapMetrics();
        routes.MapAlertRules();
        routes.MapAlerts();
        routes.MapWebhooks();
        routes.MapDeliveries();
        routes.MapPipeline();
        var api = routes.MapGroup("/api").WithTags("Dashboard");
        api.MapGet("/books", LedgerAsync)
            .WithName("GetBooks")
            .WithSummary(
                "What became of every accepted line, by factory: accepted = stored + duplicates + rejected + backlog; "
                    + "how many of them were re-driven; and lost, what Kafka's retention took unseen."
            )
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapGet("/latest-data", LatestData)
            .WithName("GetLatestData")
            .WithSummary("The newest closed window of each engine, of all factories or one.");
        api.MapGet("/windows", WindowsAsync)
            .WithName("GetWindows")
            .WithSummary(
                "Windows by factory, engine, metric and start (from inclusive, to exclusive), of step 10s, 1m, 1h or 1d; without times "
                    + "those of the last 90 steps, of 10s 15 minutes. A page has at most limit "
                    + "(10,000) of them; next_cursor, given back as cursor, continues it, as does the Link header. JSON, or CSV by "
                    + "Accept; excel=true is CSV with a byte order mark."
            )
            .Produces<WindowsResponse>(StatusCodes.Status200OK, "application/json", WindowsCsv.MediaType)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapGet("/ws", SocketAsync)
            .WithName("LatestDataSocket")
            .WithTags("Dashboard")
            .WithSummary("WebSocket: the data of /api/latest-data as one text message, at once and whenever windows close.")
            .ProducesProblem(StatusCodes.Status426UpgradeRequired)
            .ProducesProblem(StatusCodes.Status429TooManyRequests);
    }

    private static async Task<Ok<LedgerResponse>> LedgerAsync(RecentLedger ledger, LossReader losses, CancellationToken cancellationToken)
    {
        var factories = await ledger.GetAsync(cancellationToken);
        var lost = await losses.ReadAsync(unacknowledgedOnly: false, cancellationToken);
        return TypedResults.Ok(
            new LedgerResponse(
                factories,
                lost.Sum(loss => loss.Messages),
                [.. lost.Select(loss => new LostMessages(loss.Topic, loss.Partition, loss.Messages))]
            )
        );
    }

    private static Results<Ok<LatestDataResponse>, ProblemHttpResult> LatestData(
        HttpContext context,
        LatestWindows latest,
        string? factory_id = null
    )
    {
        var snapshot = latest.Current;
        if (snapshot.IsLive)
            return TypedResults.Ok(new LatestDataResponse("success", snapshot.ToLatestData(factory_id)));
        return context.NotNow(
            StatusCodes.Status503ServiceUnavailable,
            "The database does not respond; try again later.",
            Unavailable.RetryAfter
        );
    }

    private static async Task<IResult> WindowsAsync(
        HttpContext context,
        WindowsReader windows,
        StepWindowsReader stepWindows,
        IOptions<DashboardOptions> options,
        TimeProvider time,
        CancellationToken cancellationToken,
        string? factory_id = null,
        string? engine_id = null,
        string? metric = null,
        string? step = null,
        string? from = null,
        string? to = null,
        int? limit = null,
        string? cursor = null,
        bool excel = false
    )
    {
        if (!QueryTime.TryParseRange(from, to, out var range, out var error))
            return Problem(StatusCodes.Status400BadRequest, error);
        var (start, end) = range;

        WindowsCursor? after = null;
        if (cursor is not null && !WindowsCursor.TryParse(cursor, out after))
            return QueryProblem.BadRequest(QueryProblem.Cursor);
        var most = options.Value.MaxWindows;
        if (limit < 1 || limit > most)
            return QueryProblem.BadRequest(QueryProblem.Limit(most));

        var windowStep = WindowStep.All.FirstOrDefault(known => known.Name == (step ?? WindowStep.TenSeconds.Name));
        if (windowStep is null)
            return Problem(StatusCodes.Status400BadRequest, $"step: expected 10s, 1m, 1h or 1d, found '{step}'.");

        var span = WindowsReader.DefaultSpan * (windowStep.Length / WindowStep.TenSeconds.Length);
        start ??= Earlier(end ?? time.GetUtcNow().UtcDateTime, span);
        var query = new WindowsQuery(factory_id, engine_id, metric, start.Value, end, after);
        var rows = limit ?? Math.Min(DefaultLimit, most);
        var page =
            windowStep == WindowStep.TenSeconds
                ? await windows.ReadAsync(query, rows, cancellationToken)
                : await stepWindows.ReadAsync(query, windowStep, rows, cancellationToken);
        if (page.Next is { } next)
            context.Response.Headers.Link = $"<{NextPage(context.Request, start.Value, next)}>; rel=\"next\"";
        context.Response.Headers.Vary = HeaderNames.Accept;
        return excel || WantsCsv(context.Request)
            ? TypedResults.Text(WindowsCsv.Format(page.Windows, excel), WindowsCsv.MediaType, Encoding.UTF8)
            : TypedResults.Ok(new WindowsResponse(page.Windows, page.Next?.ToString()));
    }

    private static async Task<IResult> SocketAsync(HttpContext context, LatestDataSocket socket, string? factory_id = null)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            return Problem(
                StatusCodes.Status426UpgradeRequired,
                "This address serves WebSocket alone; connect to it with ws:// or wss://."
            );
        }
        if (await socket.TryServeAsync(context, factory_id))
            return TypedResults.Empty;
        return context.NotNow(
            StatusCodes.Status429TooManyRequests,
            "Too many clients are connected to this address; try again later.",
            TimeSpan.FromSeconds(5)
        );
    }

    /// <summary>The same address with the page's end as cursor. The start is said, too: without one it would move on with the
    /// clock.</summary>
    private static string NextPage(HttpRequest request, DateTime start, WindowsCursor next)
    {
        var query = request
            .Query.Where(parameter => parameter.Key is not ("cursor" or "from"))
            .Select(parameter => KeyValuePair.Create(parameter.Key, parameter.Value));
        return request.PathBase
            + request.Path
            + QueryString.Create([
                .. query,
                KeyValuePair.Create("from", new StringValues(start.ToString("O", CultureInfo.InvariantCulture))),
                KeyValuePair.Create("cursor", new StringValues(next.ToString())),
            ]);
    }

    /// <summary>CSV where it is preferred to JSON; whoever does not care gets JSON.</summary>
    internal static bool WantsCsv(HttpRequest request)
    {
        var accepted = request.GetTypedHeaders().Accept;
        return Quality(WindowsCsv.MediaType) > Quality("application/json");

        // The most specific range that matches says how much a type is wanted.
        double Quality(string mediaType) =>
            accepted
                .Where(range => new MediaTypeHeaderValue(mediaType).IsSubsetOf(range))
                .OrderBy(range =>
                    range.MatchesAllTypes ? 2
                    : range.MatchesAllSubTypes ? 1
                    : 0
                )
                .Select(range => range.Quality ?? 1)
                .FirstOrDefault();
    }

    private static DateTime Earlier(DateTime moment, TimeSpan span) =>
        moment - DateTime.UnixEpoch > span ? moment - span : DateTime.UnixEpoch;

    private static ProblemHttpResult Problem(int status, string detail) => TypedResults.Problem(detail, statusCode: status);
}
