using FactoryStream.Contracts;
using FactoryStream.Dashboard.Units;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>Units and descriptions of metrics.</summary>
internal static class MetricsEndpoints
{
    private const int MaxLimit = 10_000;
    private const string Sample = """{"unit": "°C", "description": "oil before the cooler", "version": 3}""";

    public static void MapMetrics(this IEndpointRouteBuilder routes)
    {
        var metrics = routes.MapGroup("/api/metrics").WithTags("Metrics");
        metrics
            .MapGet("/", MetricsAsync)
            .WithName("GetMetrics")
            .WithSummary(
                "Every metric that an engine has sent or somebody has described, by name, with unit and description. A page has at most "
                    + "limit (100) of them; next_cursor, given back as cursor, continues it."
            )
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        var writing = routes.MapGroup("/api/metrics").WithTags("Metrics").ForWriters();
        writing
            .MapPut("/{name}", DescribeAsync)
            .WithName("DescribeMetric")
            .WithSummary(
                $"Says what a metric is, e.g. {Sample}. version is the one that was read; without it, only if nobody has described the "
                    + "metric. 409 when another has changed it."
            )
            .Accepts<MetricRequest>("application/json")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict);
        writing
            .MapDelete("/{name}", DeleteAsync)
            .WithName("DeleteMetricDescription")
            .WithSummary("Deletes unit and description of a metric; version is the one that was read. 409 when another has changed it.")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<Results<Ok<DescribedMetricsResponse>, ProblemHttpResult>> MetricsAsync(
        MetricsReader metrics,
        CancellationToken cancellationToken,
        int? limit = null,
        string? cursor = null
    )
    {
        MetricsCursor? after = null;
        if (cursor is not null && !MetricsCursor.TryParse(cursor, out after))
            return QueryProblem.BadRequest(QueryProblem.Cursor);
        if (limit is < 1 or > MaxLimit)
            return QueryProblem.BadRequest(QueryProblem.Limit(MaxLimit));
        var page = await metrics.ReadAsync(text: null, after, limit ?? MetricsReader.DefaultLimit, cancellationToken);
        return TypedResults.Ok(new DescribedMetricsResponse(page.Metrics, page.Next?.ToString()));
    }

    private static async Task<Results<Ok<DescribedMetric>, ProblemHttpResult>> DescribeAsync(
        HttpContext context,
        MetricsWriter writer,
        string name,
        CancellationToken cancellationToken
    )
    {
        name = Exact(context, name);
        if (!StorableText.IsName(name))
            return QueryProblem.BadRequest(QueryProblem.Name(nameof(name)));
        var (body, problem) = await JsonBody.ReadAsync(context.Request, ApiJson.Default.MetricRequest, Sample, cancellationToken);
        if (problem is not null)
            return problem;
        if (!(body ?? new(null, null, null)).TryValidate(out var valid, out var error))
            return QueryProblem.BadRequest(error);
        return await writer.DescribeAsync(name, valid, RedrivesEndpoints.WhoIs(context), cancellationToken) is { } described
            ? TypedResults.Ok(described)
            : Conflict(name);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        HttpContext context,
        MetricsWriter writer,
        LatestUnits units,
        string name,
        CancellationToken cancellationToken,
        int? version = null
    )
    {
        name = Exact(context, name);
        if (!StorableText.IsName(name))
            return QueryProblem.BadRequest(QueryProblem.Name(nameof(name)));
        if (version is not > 0)
            return QueryProblem.BadRequest("version: expected the metric's version, found none");
        if (await writer.DeleteAsync(name, version.Value, RedrivesEndpoints.WhoIs(context), cancellationToken))
            return TypedResults.NoContent();
        return units.Current.Described.ContainsKey(name)
            ? Conflict(name)
            : TypedResults.Problem($"Nobody has described {name}.", statusCode: StatusCodes.Status404NotFound);
    }

    private static ProblemHttpResult Conflict(string name) =>
        TypedResults.Problem(MetricsWriter.NotWritten(name), statusCode: StatusCodes.Status409Conflict);

    /// <summary>
    /// The name as the client wrote it. A slash of its own, %2F, comes undecoded with the route, and could then be the three characters
    /// themselves: only the target as it was sent tells them apart.
    /// </summary>
    private static string Exact(HttpContext context, string name)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        // The name's own slashes are escaped, so the last one is the route's.
        return target.Split('?')[0] is var path && path.LastIndexOf('/') is >= 0 and var slash
            ? Uri.UnescapeDataString(path[(slash + 1)..])
            : name;
    }
}
