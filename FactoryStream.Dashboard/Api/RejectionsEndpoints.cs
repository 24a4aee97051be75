using System.Globalization;
using System.Text;
using System.Text.Unicode;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Explanations;
using FactoryStream.Dashboard.Rejections;
using FactoryStream.ServiceDefaults.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>What was refused and rejected, as it came, and why signatures fail.</summary>
internal static class RejectionsEndpoints
{
    private const int MaxLimit = 1_000;

    public static void MapRejections(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags("Dashboard");
        api.MapGet("/rejections", RejectionsAsync)
            .WithName("GetRejections")
            .WithSummary(
                "Refused and rejected lines, the newest first, by factory_id (unknown: without a key, or not to be read), reason and time "
                    + "(from inclusive, to exclusive). A page has at most limit (100) of them; next_cursor, given back as cursor, "
                    + "continues it."
            )
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapGet("/rejections/{id}", RejectionAsync)
            .WithName("GetRejection")
            .WithSummary("One rejection with the envelope that is kept: text where it is UTF-8, else base64.")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapGet("/rejections/{id}/explanation", ExplanationAsync)
            .WithName("ExplainRejection")
            .WithSummary(
                "Why its signature fails: what machines usually do otherwise is tried with the enrolled keys. One at a time, "
                    + "10 a minute for each client."
            )
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<Results<Ok<RejectionsResponse>, ProblemHttpResult>> RejectionsAsync(
        RejectionsReader rejections,
        CancellationToken cancellationToken,
        string? factory_id = null,
        string? reason = null,
        string? from = null,
        string? to = null,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!QueryTime.TryParseRange(from, to, out var range, out var error))
            return QueryProblem.BadRequest(error);
        if (reason is not null && !RejectionsReader.Reasons.Contains(reason))
            return QueryProblem.BadRequest(QueryProblem.Reason(reason));
        if (factory_id is not null && !StorableText.IsName(factory_id))
            return QueryProblem.BadRequest(QueryProblem.Name("factory_id"));
        RowCursor? after = null;
        if (cursor is not null && !RowCursor.TryParse(cursor, out after))
            return QueryProblem.BadRequest(QueryProblem.Cursor);
        if (limit is < 1 or > MaxLimit)
            return QueryProblem.BadRequest(QueryProblem.Limit(MaxLimit));
        var page = await rejections.ReadAsync(
            new(factory_id, reason, range.From, range.To, after),
            limit ?? RejectionsReader.DefaultLimit,
            cancellationToken
        );
        return TypedResults.Ok(new RejectionsResponse(page.Rejections, page.Next?.ToString()));
    }

    private static async Task<Results<Ok<RejectionDetails>, ProblemHttpResult>> RejectionAsync(
        RejectionsReader rejections,
        long id,
        CancellationToken cancellationToken
    ) =>
        await rejections.FindAsync(id, cancellationToken) is not { } found ? NotFound(id)
        : Utf8.IsValid(found.Line) ? TypedResults.Ok(new RejectionDetails(found.Rejection, Encoding.UTF8.GetString(found.Line), null))
        : TypedResults.Ok(new RejectionDetails(found.Rejection, null, Convert.ToBase64String(found.Line)));

    private static async Task<Results<Ok<ExplanationResponse>, ProblemHttpResult>> ExplanationAsync(
        HttpContext context,
        RejectionExplanations explanations,
        long id,
        CancellationToken cancellationToken
    )
    {
        var attempt = await explanations.ExplainAsync(id, context.Connection.RemoteIpAddress?.ToString() ?? "", cancellationToken);
        if (attempt.RetryAfter is { } wait)
            return context.NotNow(StatusCodes.Status429TooManyRequests, ExplanationAttempt.TooMany, wait);
        return attempt.Explanation is { } explanation ? TypedResults.Ok(explanation) : NotFound(id);
    }

    private static ProblemHttpResult NotFound(long id) =>
        TypedResults.Problem(
            string.Create(CultureInfo.InvariantCulture, $"There is no rejection {id}; it may have been dropped by its age."),
            statusCode: StatusCodes.Status404NotFound
        );
}
