using FactoryStream.Contracts;
using FactoryStream.Dashboard.Readings;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>An engine's stored readings, with what proves them.</summary>
internal static class ReadingsEndpoints
{
    private const int MaxLimit = 1_000;

    public static void MapReadings(this IEndpointRouteBuilder routes) =>
        routes
            .MapGroup("/api")
            .WithTags("Dashboard")
            .MapGet("/readings", ReadingsAsync)
            .WithName("GetReadings")
            .WithSummary(
                "Stored readings of one engine (factory_id and engine_id), the newest first, by time (from inclusive, to exclusive), with "
                    + "verdict time, key, the exact bytes of data and the signature, both in base64; of a reading that was signed in a "
                    + "batch, the batch's SHA-256. late is false where the window was never corrected, null where it is not known. A page "
                    + "has at most limit (100) of them; next_cursor, given back as cursor, continues it."
            )
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<Results<Ok<ReadingsResponse>, ProblemHttpResult>> ReadingsAsync(
        ReadingsReader readings,
        CancellationToken cancellationToken,
        string? factory_id = null,
        string? engine_id = null,
        string? from = null,
        string? to = null,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!StorableText.IsName(factory_id))
            return QueryProblem.BadRequest(QueryProblem.Name("factory_id"));
        if (!StorableText.IsName(engine_id))
            return QueryProblem.BadRequest(QueryProblem.Name("engine_id"));
        if (!QueryTime.TryParseRange(from, to, out var range, out var error))
            return QueryProblem.BadRequest(error);
        ReadingsCursor? after = null;
        if (cursor is not null && !ReadingsCursor.TryParse(cursor, out after))
            return QueryProblem.BadRequest(QueryProblem.Cursor);
        if (limit is < 1 or > MaxLimit)
            return QueryProblem.BadRequest(QueryProblem.Limit(MaxLimit));
        var page = await readings.ReadAsync(
            new(factory_id, engine_id, range.From, range.To, after),
            limit ?? ReadingsReader.DefaultLimit,
            cancellationToken
        );
        return TypedResults.Ok(new ReadingsResponse(page.Readings, page.Next?.ToString()));
    }
}
