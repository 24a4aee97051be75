using FactoryStream.Dashboard.AuditEvents;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>Who did what to keys, alert rules and webhooks.</summary>
internal static class AuditEventsEndpoints
{
    private const int MaxLimit = 1_000;

    public static void MapAuditEvents(this IEndpointRouteBuilder routes) =>
        routes
            .MapGroup("/api")
            .WithTags("Dashboard")
            .MapGet("/audit-events", AuditEventsAsync)
            .WithName("GetAuditEvents")
            .WithSummary(
                "Who enrolled and revoked which key, and made, changed and deleted which alert rule and webhook, the newest first. A page "
                    + "has at most limit (100) of them; next_cursor, given back as cursor, continues it."
            )
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<Results<Ok<AuditEventsResponse>, ProblemHttpResult>> AuditEventsAsync(
        AuditEventsReader events,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        long? before = null;
        if (cursor is not null)
        {
            if (!CursorText.TryParseNumber(cursor, out var id))
                return QueryProblem.BadRequest(QueryProblem.Cursor);
            before = id;
        }
        if (limit is < 1 or > MaxLimit)
            return QueryProblem.BadRequest(QueryProblem.Limit(MaxLimit));
        return TypedResults.Ok(await events.ReadAsync(null, before, limit ?? AuditEventsReader.DefaultLimit, cancellationToken));
    }
}
