using System.Globalization;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Redrives;
using FactoryStream.Dashboard.Rejections;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>The body of <c>POST /api/redrives</c>; what is missing selects all.</summary>
/// <param name="FactoryId">The factory that the lines name; it must be given.</param>
/// <param name="Reason">A verdict's name.</param>
/// <param name="From">Rejected at or after this.</param>
/// <param name="To">Rejected before this.</param>
/// <param name="Ids">These rejections alone.</param>
/// <param name="Again">Also those that a re-drive has sent before.</param>
/// <param name="EngineId">Lines with a reading of this engine alone.</param>
internal sealed record RedriveRequest(
    string? FactoryId,
    string? Reason,
    string? From,
    string? To,
    IReadOnlyList<long>? Ids,
    bool Again,
    string? EngineId
);

/// <summary>Rejections that are put through the Verifier again.</summary>
internal static class RedrivesEndpoints
{
    private const int MaxLimit = 1_000;
    private const string Sample = """{"factory_id": "factory_a", "reason": "unknown_key"}""";

    public static void MapRedrives(this IEndpointRouteBuilder routes)
    {
        var redrives = routes.MapGroup("/api/redrives").WithTags("Re-drives");
        redrives
            .MapGet("/", RedrivesAsync)
            .WithName("GetRedrives")
            .WithSummary(
                "Re-drives, the newest first. A page has at most limit (100) of them; next_cursor, given back as cursor, continues it."
            )
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        redrives
            .MapGet("/{id}", RedriveAsync)
            .WithName("GetRedrive")
            .WithSummary("One re-drive, and how far it is.")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        var writing = routes.MapGroup("/api/redrives").WithTags("Re-drives").ForWriters();
        writing
            .MapPost("/", BeginAsync)
            .WithName("BeginRedrive")
            .WithSummary(
                $"Sends rejections of a factory to Ingest again, e.g. {Sample}; also by engine_id, from, to and ids. Those that were sent "
                    + "before are left out unless \"again\" is true. preview=true sends nothing and says how many there are, by reason."
            )
            .Accepts<RedriveRequest>("application/json")
            .Produces<Redrive>(StatusCodes.Status201Created)
            .Produces<RedrivePreview>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict);
        writing
            .MapDelete("/{id}", StopAsync)
            .WithName("StopRedrive")
            .WithSummary("Stops a running re-drive; what it has sent stays sent.")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Results<Ok<RedrivesResponse>, ProblemHttpResult>> RedrivesAsync(
        RedrivesReader redrives,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        RowCursor? after = null;
        if (cursor is not null && !RowCursor.TryParse(cursor, out after))
            return QueryProblem.BadRequest(QueryProblem.Cursor);
        if (limit is < 1 or > MaxLimit)
            return QueryProblem.BadRequest(QueryProblem.Limit(MaxLimit));
        var (page, next) = await redrives.ReadAsync(after, limit ?? RedrivesReader.DefaultLimit, cancellationToken);
        return TypedResults.Ok(new RedrivesResponse(page, next?.ToString()));
    }

    private static async Task<Results<Ok<Redrive>, ProblemHttpResult>> RedriveAsync(
        RedrivesReader redrives,
        long id,
        CancellationToken cancellationToken
    ) => await redrives.FindAsync(id, cancellationToken) is { } found ? TypedResults.Ok(found) : NotFound("There is no re-drive", id);

    private static async Task<Results<Created<Redrive>, Ok<RedrivePreview>, ProblemHttpResult>> BeginAsync(
        HttpContext context,
        RedrivesReader redrives,
        RedrivesWriter writer,
        CancellationToken cancellationToken,
        bool preview = false
    )
    {
        var (body, problem) = await JsonBody.ReadAsync(context.Request, ApiJson.Default.RedriveRequest, Sample, cancellationToken);
        if (problem is not null)
            return problem;
        if (!TryParse(body, out var selection, out var error))
            return QueryProblem.BadRequest(error);
        if (preview)
            return TypedResults.Ok(await redrives.PreviewAsync(selection, cancellationToken));
        return await writer.BeginAsync(selection, WhoIs(context), cancellationToken) is { } begun
            ? TypedResults.Created(context.Request.Location($"/api/redrives/{begun.Id}"), begun)
            : TypedResults.Problem(RedrivesWriter.OneIsRunning(selection.FactoryId), statusCode: StatusCodes.Status409Conflict);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> StopAsync(
        HttpContext context,
        RedrivesWriter writer,
        long id,
        CancellationToken cancellationToken
    ) =>
        await writer.StopAsync(id, WhoIs(context), cancellationToken)
            ? TypedResults.NoContent()
            : NotFound("There is no running re-drive", id);

    private static bool TryParse(
        RedriveRequest? body,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out RedriveSelection? selection,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out string? error
    )
    {
        selection = null;
        if (!QueryTime.TryParseRange(body?.From, body?.To, out var range, out error))
            return false;
        if (!StorableText.IsName(body?.FactoryId))
            error = QueryProblem.Name("factory_id");
        else if (body.FactoryId == MessageHeaders.LedgerUnknown)
            error = "factory_id: expected a factory's own id, found 'unknown', which is what all without a key are called together";
        else if (body.EngineId is not null && !StorableText.IsName(body.EngineId))
            error = QueryProblem.Name("engine_id");
        else if (body.Reason is { } reason && !RejectionsReader.Reasons.Contains(reason))
            error = QueryProblem.Reason(reason);
        else if (body.Ids is { } ids && ids.Count is < 1 or > RedrivesWriter.MaxIds)
            error = $"ids: expected 1 to {RedrivesWriter.MaxIds} ids of rejections, found {body.Ids?.Count}";
        else
            selection = new(body.FactoryId, body.Reason, range.From, range.To, body.Ids, body.Again, body.EngineId);
        return selection is not null;
    }

    /// <summary>Who asks, as audit events have it.</summary>
    internal static string WhoIs(HttpContext context) => context.User.Identity?.Name ?? "";

    private static ProblemHttpResult NotFound(string what, long id) =>
        TypedResults.Problem(string.Create(CultureInfo.InvariantCulture, $"{what} {id}."), statusCode: StatusCodes.Status404NotFound);
}
