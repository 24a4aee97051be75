using System.Globalization;
using FactoryStream.Dashboard.Alerts;
using FactoryStream.Dashboard.AuditEvents;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>The rules by which alerts are raised.</summary>
internal static class AlertRulesEndpoints
{
    private const string Sample =
        """{"name": "too hot", "kind": "threshold", "metric": "temp_oil", "comparison": "above", "limit": 95, """
        + "\"duration\": 30, \"severity\": \"alarm\"}";

    public static void MapAlertRules(this IEndpointRouteBuilder routes)
    {
        var rules = routes.MapGroup("/api/alert-rules").WithTags("Alerts");
        rules
            .MapGet("/", RulesAsync)
            .WithName("GetAlertRules")
            .WithSummary("All alert rules.")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        var writing = routes.MapGroup("/api/alert-rules").WithTags("Alerts").ForWriters();
        writing
            .MapPost("/", AddAsync)
            .WithName("AddAlertRule")
            .WithSummary($"Makes an alert rule, e.g. {Sample}. It takes effect within 5 seconds, for windows that close from then on.")
            .Accepts<AlertRuleRequest>("application/json")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict);
        writing
            .MapPut("/{no}", ChangeAsync)
            .WithName("ChangeAlertRule")
            .WithSummary(
                "Changes an alert rule; the body is the whole rule. With version, as it was read, it is changed only if nobody else has "
                    + "changed it meanwhile."
            )
            .Accepts<AlertRuleRequest>("application/json")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
        writing
            .MapDelete("/{no}", DeleteAsync)
            .WithName("DeleteAlertRule")
            .WithSummary("Deletes an alert rule; what it has raised is cleared within 5 seconds, and its alerts stay.")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<AlertRulesResponse>> RulesAsync(AlertRulesReader rules, CancellationToken cancellationToken) =>
        TypedResults.Ok(new AlertRulesResponse(await rules.ReadAsync(cancellationToken)));

    private static async Task<Results<Created<StoredAlertRule>, ProblemHttpResult>> AddAsync(
        HttpRequest request,
        AlertRulesWriter rules,
        CancellationToken cancellationToken
    )
    {
        var (settings, _, problem) = await ReadAsync(request, cancellationToken);
        if (settings is null)
            return problem!;
        return await rules.AddAsync(settings, Actor.Of(request.HttpContext.User), cancellationToken) is { } rule
            ? TypedResults.Created(request.Location($"/api/alert-rules/{rule.RuleNo}"), rule)
            : Problem(StatusCodes.Status409Conflict, AlertRulesWriter.TooMany);
    }

    private static async Task<Results<Ok<StoredAlertRule>, ProblemHttpResult>> ChangeAsync(
        HttpRequest request,
        AlertRulesWriter rules,
        int no,
        CancellationToken cancellationToken
    )
    {
        var (settings, version, problem) = await ReadAsync(request, cancellationToken);
        if (settings is null)
            return problem!;
        var change = await rules.ChangeAsync(no, settings, version, Actor.Of(request.HttpContext.User), cancellationToken);
        return change.Row is { } rule ? TypedResults.Ok(rule)
            : change.IsOther ? Problem(StatusCodes.Status409Conflict, RowChange<StoredAlertRule>.Meanwhile($"alert rule {no}"))
            : NotFound(no);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        HttpContext context,
        AlertRulesWriter rules,
        int no,
        CancellationToken cancellationToken
    ) => await rules.DeleteAsync(no, Actor.Of(context.User), cancellationToken) ? TypedResults.NoContent() : NotFound(no);

    private static async Task<(AlertRuleSettings? Settings, int? Version, ProblemHttpResult? Problem)> ReadAsync(
        HttpRequest request,
        CancellationToken cancellation
    )
    {
        var (body, problem) = await JsonBody.ReadAsync(request, ApiJson.Default.AlertRuleRequest, Sample, cancellation);
        if (problem is not null)
            return (null, null, problem);
        if (body is null)
            return (null, null, Problem(StatusCodes.Status400BadRequest, $"body: expected {Sample}, found null"));
        return body.TryValidate(out var settings, out var error)
            ? (settings, body.Version, null)
            : (null, null, Problem(StatusCodes.Status400BadRequest, error));
    }

    private static ProblemHttpResult NotFound(int no) =>
        Problem(StatusCodes.Status404NotFound, string.Create(CultureInfo.InvariantCulture, $"There is no alert rule {no}."));

    private static ProblemHttpResult Problem(int status, string detail) => TypedResults.Problem(detail, statusCode: status);
}
