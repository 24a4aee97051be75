using System.Globalization;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Alerts;
using FactoryStream.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>Alerts, their history, and who took note of them.</summary>
internal static class AlertsEndpoints
{
    private const int MaxLimit = 1_000;

    public static void MapAlerts(this IEndpointRouteBuilder routes)
    {
        var alerts = routes.MapGroup("/api/alerts").WithTags("Alerts");
        alerts
            .MapGet("/", AlertsAsync)
            .WithName("GetAlerts")
            .WithSummary(
                "Alerts, the newest first, by state (raised, cleared, withdrawn), factory_id, engine_id, severity (warning, alarm) and "
                    + "when they were raised (from inclusive, to exclusive). A page has at most limit (100) of them; next_cursor, "
                    + "given back as cursor, continues it."
            )
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        alerts
            .MapGet("/{no}/events", EventsAsync)
            .WithName("GetAlertEvents")
            .WithSummary("What happened to an alert, the oldest first.")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        var writing = routes.MapGroup("/api/alerts").WithTags("Alerts").ForWriters();
        writing
            .MapPost("/{no}/acknowledgement", AcknowledgeAsync)
            .WithName("AcknowledgeAlert")
            .WithSummary("Says who took note of an alert, once; it stays raised until its rule is not broken any more.")
            .Accepts<AcknowledgementRequest>("application/json")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<Results<Ok<AlertsResponse>, ProblemHttpResult>> AlertsAsync(
        AlertsReader alerts,
        CancellationToken cancellationToken,
        string? state = null,
        string? factory_id = null,
        string? engine_id = null,
        string? severity = null,
        string? from = null,
        string? to = null,
        int? limit = null,
        string? cursor = null
    )
    {
        if (!QueryTime.TryParseRange(from, to, out var range, out var error))
            return QueryProblem.BadRequest(error);
        if (state is not null && !AlertsReader.States.Contains(state))
            return QueryProblem.BadRequest($"state: expected {string.Join(", ", AlertsReader.States)}, found '{state}'");
        if (severity is not null && !AlertNames.TryParse<AlertSeverity>(severity, out _))
            return QueryProblem.BadRequest($"severity: expected {string.Join(", ", AlertNames.All<AlertSeverity>())}, found '{severity}'");
        if (factory_id is not null && !StorableText.IsName(factory_id))
            return QueryProblem.BadRequest(QueryProblem.Name("factory_id"));
        if (engine_id is not null && !StorableText.IsName(engine_id))
            return QueryProblem.BadRequest(QueryProblem.Name("engine_id"));
        RowCursor? after = null;
        if (cursor is not null && !RowCursor.TryParse(cursor, out after))
            return QueryProblem.BadRequest(QueryProblem.Cursor);
        if (limit is < 1 or > MaxLimit)
            return QueryProblem.BadRequest(QueryProblem.Limit(MaxLimit));
        var page = await alerts.ReadAsync(
            new(state, factory_id, engine_id, severity, range.From, range.To, after),
            limit ?? AlertsReader.DefaultLimit,
            cancellationToken
        );
        return TypedResults.Ok(new AlertsResponse(page.Alerts, page.Next?.ToString()));
    }

    private static async Task<Results<Ok<AlertEventsResponse>, ProblemHttpResult>> EventsAsync(
        AlertsReader alerts,
        long no,
        CancellationToken cancellationToken
    ) => await alerts.HistoryAsync(no, cancellationToken) is { } events ? TypedResults.Ok(new AlertEventsResponse(events)) : NotFound(no);

    private static async Task<Results<NoContent, ProblemHttpResult>> AcknowledgeAsync(
        HttpRequest request,
        AcknowledgementWriter acknowledgements,
        long no,
        CancellationToken cancellationToken
    )
    {
        const string Sample = """{"by": "who", "comment": "optional"}""";
        var (body, problem) = await JsonBody.ReadAsync(request, ApiJson.Default.AcknowledgementRequest, Sample, cancellationToken);
        if (problem is not null)
            return problem;
        if (!StorableText.IsName(body?.By))
            return QueryProblem.BadRequest(QueryProblem.Name("by"));
        if (body.Comment?.Length > AcknowledgementWriter.MaxComment)
            return QueryProblem.BadRequest(
                $"comment: expected at most {AcknowledgementWriter.MaxComment} characters, found {body.Comment.Length}"
            );
        return await acknowledgements.WriteAsync(no, body.By, StorableText.Of(body.Comment), cancellationToken) switch
        {
            Acknowledged.Now => TypedResults.NoContent(),
            Acknowledged.Before => TypedResults.Problem(
                string.Create(CultureInfo.InvariantCulture, $"Alert {no} is acknowledged already."),
                statusCode: StatusCodes.Status409Conflict
            ),
            _ => NotFound(no),
        };
    }

    private static ProblemHttpResult NotFound(long no) =>
        TypedResults.Problem(
            string.Create(CultureInfo.InvariantCulture, $"There is no alert {no}."),
            statusCode: StatusCodes.Status404NotFound
        );
}
