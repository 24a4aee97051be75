using System.Globalization;
using FactoryStream.Dashboard.AuditEvents;
using FactoryStream.Dashboard.Webhooks;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>Who is told of alerts; for admins alone, for a webhook makes the Dashboard send.</summary>
internal static class WebhooksEndpoints
{
    private const string Sample = """{"url": "https://example.org/alerts", "severities": ["alarm"], "description": "on call"}""";

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var webhooks = routes.MapGroup("/api/webhooks").WithTags("Webhooks").ForAdmins();
        webhooks.MapGet("/", WebhooksAsync).WithName("GetWebhooks").WithSummary("All webhooks, without their secrets.");
        webhooks
            .MapPost("/", AddAsync)
            .WithName("AddWebhook")
            .WithSummary(
                $"Makes a webhook, e.g. {Sample}. Without secret (16 to 256 characters) one is made; the answer alone shows it. It is "
                    + "told what happens to alerts from then on."
            )
            .Accepts<WebhookRequest>("application/json")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict);
        webhooks
            .MapPut("/{no}", ChangeAsync)
            .WithName("ChangeWebhook")
            .WithSummary(
                "Changes a webhook; the body is the whole webhook, without secret the old one stays. With version, as it was read, it is "
                    + "changed only if nobody else has changed it meanwhile."
            )
            .Accepts<WebhookRequest>("application/json")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
        webhooks
            .MapDelete("/{no}", DeleteAsync)
            .WithName("DeleteWebhook")
            .WithSummary("Deletes a webhook and its deliveries, those that are pending as well.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        webhooks
            .MapPost("/{no}/test", TestAsync)
            .WithName("TestWebhook")
            .WithSummary("Sends a test event, as any other is sent; its delivery shows what came of it.")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<WebhooksResponse>> WebhooksAsync(WebhooksReader webhooks, CancellationToken cancellationToken) =>
        TypedResults.Ok(new WebhooksResponse(await webhooks.ReadAsync(cancellationToken)));

    private static async Task<Results<Created<StoredWebhook>, ProblemHttpResult>> AddAsync(
        HttpRequest request,
        WebhooksWriter webhooks,
        CancellationToken cancellationToken
    )
    {
        var (body, settings, problem) = await ReadAsync(request, cancellationToken);
        if (settings is null)
            return problem!;
        var actor = Actor.Of(request.HttpContext.User);
        return await webhooks.AddAsync(settings, body!.Secret, actor, cancellationToken) is { } webhook
            ? TypedResults.Created(request.Location($"/api/webhooks/{webhook.WebhookNo}"), webhook)
            : Problem(StatusCodes.Status409Conflict, WebhooksWriter.TooMany);
    }

    private static async Task<Results<Ok<StoredWebhook>, ProblemHttpResult>> ChangeAsync(
        HttpRequest request,
        WebhooksWriter webhooks,
        int no,
        CancellationToken cancellationToken
    )
    {
        var (body, settings, problem) = await ReadAsync(request, cancellationToken);
        if (settings is null)
            return problem!;
        var actor = Actor.Of(request.HttpContext.User);
        var change = await webhooks.ChangeAsync(no, settings, body!.Secret, body.Version, actor, cancellationToken);
        return change.Row is { } webhook ? TypedResults.Ok(webhook)
            : change.IsOther ? Problem(StatusCodes.Status409Conflict, RowChange<StoredWebhook>.Meanwhile($"webhook {no}"))
            : NotFound(no);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        HttpContext context,
        WebhooksWriter webhooks,
        int no,
        CancellationToken cancellationToken
    ) => await webhooks.DeleteAsync(no, Actor.Of(context.User), cancellationToken) ? TypedResults.NoContent() : NotFound(no);

    private static async Task<Results<Accepted<DeliveryResponse>, ProblemHttpResult>> TestAsync(
        HttpRequest request,
        DeliveriesWriter deliveries,
        int no,
        CancellationToken cancellationToken
    ) =>
        await deliveries.TestAsync(no, cancellationToken) is { } deliveryNo
            ? TypedResults.Accepted(request.Location($"/api/webhooks/{no}/deliveries"), new DeliveryResponse(deliveryNo))
            : Problem(
                StatusCodes.Status404NotFound,
                string.Create(CultureInfo.InvariantCulture, $"There is no webhook {no}, or it is turned off.")
            );

    private static async Task<(WebhookRequest? Body, WebhookSettings? Settings, ProblemHttpResult? Problem)> ReadAsync(
        HttpRequest request,
        CancellationToken cancellation
    )
    {
        var (body, problem) = await JsonBody.ReadAsync(request, ApiJson.Default.WebhookRequest, Sample, cancellation);
        if (problem is not null)
            return (null, null, problem);
        if (body is null)
            return (null, null, QueryProblem.BadRequest($"body: expected {Sample}, found null"));
        return body.TryValidate(out var settings, out var error) ? (body, settings, null) : (null, null, QueryProblem.BadRequest(error));
    }

    internal static ProblemHttpResult NotFound(int no) =>
        Problem(StatusCodes.Status404NotFound, string.Create(CultureInfo.InvariantCulture, $"There is no webhook {no}."));

    private static ProblemHttpResult Problem(int status, string detail) => TypedResults.Problem(detail, statusCode: status);
}
