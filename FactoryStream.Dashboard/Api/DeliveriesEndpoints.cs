using System.Globalization;
using FactoryStream.Dashboard.Webhooks;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>What was delivered to a webhook, and what was not.</summary>
internal static class DeliveriesEndpoints
{
    private const int MaxLimit = 1_000;

    public static void MapDeliveries(this IEndpointRouteBuilder routes)
    {
        var deliveries = routes.MapGroup("/api/webhooks").WithTags("Webhooks").ForAdmins();
        deliveries
            .MapGet("/{no}/deliveries", DeliveriesAsync)
            .WithName("GetDeliveries")
            .WithSummary(
                "What was, or is to be, delivered to a webhook, the newest first, by state (pending, delivered, dead). A page has at most "
                    + "limit (50) of them; next_cursor, given back as cursor, continues it."
            )
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound);
        deliveries
            .MapPost("/{no}/deliveries/{delivery}/retry", RetryAsync)
            .WithName("RetryDelivery")
            .WithSummary("Tries a dead delivery again, for as long as a new one.")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<Results<Ok<DeliveriesResponse>, ProblemHttpResult>> DeliveriesAsync(
        DeliveriesReader deliveries,
        int no,
        CancellationToken cancellationToken,
        string? state = null,
        int? limit = null,
        string? cursor = null
    )
    {
        if (state is not null && !DeliveriesReader.States.Contains(state))
            return QueryProblem.BadRequest($"state: expected {string.Join(", ", DeliveriesReader.States)}, found '{state}'");
        long? before = null;
        if (cursor is not null)
        {
            if (!CursorText.TryParseNumber(cursor, out var number))
                return QueryProblem.BadRequest(QueryProblem.Cursor);
            before = number;
        }
        if (limit is < 1 or > MaxLimit)
            return QueryProblem.BadRequest(QueryProblem.Limit(MaxLimit));
        return await deliveries.ReadAsync(no, state, before, limit ?? DeliveriesReader.DefaultLimit, cancellationToken) is { } page
            ? TypedResults.Ok(page)
            : WebhooksEndpoints.NotFound(no);
    }

    private static async Task<Results<Accepted<DeliveryResponse>, ProblemHttpResult>> RetryAsync(
        HttpRequest request,
        DeliveriesWriter deliveries,
        int no,
        long delivery,
        CancellationToken cancellationToken
    ) =>
        await deliveries.TryAgainAsync(no, delivery, cancellationToken) switch
        {
            TriedAgain.Now => TypedResults.Accepted(request.Location($"/api/webhooks/{no}/deliveries"), new DeliveryResponse(delivery)),
            TriedAgain.NotDead => TypedResults.Problem(
                string.Create(CultureInfo.InvariantCulture, $"Delivery {delivery} is not dead: it was delivered, or is being tried."),
                statusCode: StatusCodes.Status409Conflict
            ),
            _ => TypedResults.Problem(
                string.Create(CultureInfo.InvariantCulture, $"There is no delivery {delivery} of webhook {no}."),
                statusCode: StatusCodes.Status404NotFound
            ),
        };
}
