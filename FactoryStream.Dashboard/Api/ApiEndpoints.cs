using FactoryStream.Dashboard.Books;
using FactoryStream.Dashboard.Windows;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace FactoryStream.Dashboard.Api;

/// <summary>What other programs ask.</summary>
internal static class ApiEndpoints
{
    public static void MapApi(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api");
        api.MapGet("/latest-data", LatestData)
            .WithSummary("The newest closed window of each engine, in the Python system's form.")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapGet("/windows", WindowsAsync)
            .WithSummary("Closed windows that start in [from, to), by factory, engine, start and metric. Without times: those of the last 15 minutes. With Accept: text/csv all of them as a file; as JSON a page, and next where the rest is.")
            .Produces<WindowsAnswer>(StatusCodes.Status200OK, "application/json", WindowsCsv.MediaType)
            .ProducesValidationProblem()
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapGet("/books", BooksAsync)
            .WithSummary("The books of every factory: accepted = stored + duplicates + rejected + backlog; refused stands beside it.")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static Results<Ok<LatestDataEnvelope>, ProblemHttpResult> LatestData([FromQuery(Name = "factory_id")] string? factoryId, Latest<LatestWindows> latest, HttpResponse response)
    {
        var windows = latest.Current.Value;
        if (!windows.IsLive)
        {
            response.Headers.RetryAfter = SourceAway.RetryAfter;
            return TypedResults.Problem(SourceAway.Database, statusCode: StatusCodes.Status503ServiceUnavailable);
        }
        return TypedResults.Ok(new LatestDataEnvelope("success", windows.Of(string.IsNullOrEmpty(factoryId) ? null : factoryId).Select(LatestDataAnswer.Of)));
    }

    // The parameters are named for the OpenAPI document; they are parsed together.
#pragma warning disable IDE0060
    private static async Task<IResult> WindowsAsync(
        [FromQuery(Name = "factory_id")] string? factoryId, [FromQuery(Name = "engine_id")] string? engineId, string? metric, string? from, string? to, string? limit, string? after,
        HttpRequest request, WindowReader reader, IOptions<DashboardOptions> options, TimeProvider time, CancellationToken cancellation)
#pragma warning restore IDE0060
    {
        var (query, place, count, errors) = WindowRequest.Parse(request.Query, time.GetUtcNow().UtcDateTime, options.Value.DefaultSpan, options.Value.MaxWindows);
        if (errors.Count > 0)
            return TypedResults.ValidationProblem(errors);
        var windows = reader.ReadAsync(query, place, cancellation).Select(row => WindowAnswer.Of(row.Engine, row.Window));
        request.HttpContext.Response.Headers.Vary = HeaderNames.Accept;
        if (WantsCsv(request))
            return new WindowsCsv(windows);

        var page = await windows.Take(count + 1).ToListAsync(cancellation);
        string? next = null;
        if (page.Count > count)
        {
            page.RemoveAt(count);
            var last = page[^1];
            next = WindowRequest.Next(request.Path, query, count, new WindowPlace(last.FactoryId, last.EngineId, last.WindowStart, last.WindowEnd, last.Metric));
        }
        return TypedResults.Ok(new WindowsAnswer(page, next));
    }

    private static async Task<Ok<BooksAnswer>> BooksAsync(BooksReader books, CancellationToken cancellation) => TypedResults.Ok(await books.ReadAsync(cancellation));

    /// <summary>CSV is for who names it, and wants it no less than JSON.</summary>
    private static bool WantsCsv(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted))
            return false;
        var csv = Quality(WindowsCsv.MediaType);
        var json = Quality("application/json");
        return csv > 0 && csv >= json;

        double Quality(string mediaType) => accepted
            .Where(type => type.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase)).Select(type => type.Quality ?? 1).DefaultIfEmpty().Max();
    }
}
