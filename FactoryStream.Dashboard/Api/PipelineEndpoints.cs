using FactoryStream.Dashboard.Pipeline;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>The pipeline as the page shows it.</summary>
internal static class PipelineEndpoints
{
    public static void MapPipeline(this IEndpointRouteBuilder routes) =>
        routes
            .MapGroup("/api")
            .WithTags("Dashboard")
            .MapGet("/pipeline", PipelineAsync)
            .WithName("GetPipeline")
            .WithSummary(
                "Where readings are on their way: partitions with their lag, rates between two looks, verdicts by reason, sizes of the "
                    + "database, members of the consumer groups. A part that cannot be read is null, and failures has the reason."
            );

    private static async Task<Ok<PipelineState>> PipelineAsync(Recent<PipelineState> pipeline, CancellationToken cancellationToken) =>
        TypedResults.Ok(await pipeline.GetAsync(cancellationToken));
}
