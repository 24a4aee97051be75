using FactoryStream.Dashboard.Readings;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>Stored batches, with what proves them.</summary>
internal static class BatchesEndpoints
{
    private const string EnvelopeType = "application/x-ndjson";

    public static void MapBatches(this IEndpointRouteBuilder routes)
    {
        var batches = routes.MapGroup("/api/batches").WithTags("Dashboard");
        batches
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        batches
            .MapGet("/{sha256}", BatchAsync)
            .WithName("GetBatch")
            .WithSummary(
                "A stored batch by the SHA-256 (64 hexadecimal digits) that its readings name, with key, verdict time, the exact bytes "
                    + "that were signed and the signature, both in base64."
            );
        batches
            .MapGet("/{sha256}/envelope", EnvelopeAsync)
            .WithName("GetBatchEnvelope")
            .WithSummary("The same as a file with its envelope, which the program audit checks offline.")
            .Produces(StatusCodes.Status200OK, contentType: EnvelopeType);
    }

    private static async Task<Results<Ok<SignedBatch>, ProblemHttpResult>> BatchAsync(
        BatchesReader batches,
        string sha256,
        CancellationToken cancellationToken
    )
    {
        var (batch, problem) = await FindAsync(batches, sha256, cancellationToken);
        return batch is not null ? TypedResults.Ok(batch) : problem!;
    }

    private static async Task<Results<FileContentHttpResult, ProblemHttpResult>> EnvelopeAsync(
        BatchesReader batches,
        string sha256,
        CancellationToken cancellationToken
    )
    {
        var (batch, problem) = await FindAsync(batches, sha256, cancellationToken);
        return batch is not null ? TypedResults.File(batch.Envelope(), EnvelopeType, $"batch-{batch.Sha256[..12]}.ndjson") : problem!;
    }

    private static async Task<(SignedBatch? Batch, ProblemHttpResult? Problem)> FindAsync(
        BatchesReader batches,
        string sha256,
        CancellationToken cancellation
    )
    {
        if (!ReceiptsEndpoints.IsHash(sha256))
            return (null, QueryProblem.BadRequest(ReceiptsEndpoints.ExpectedHash(nameof(sha256), sha256)));
        return await batches.FindAsync(Convert.FromHexString(sha256), cancellation) is { } batch
            ? (batch, null)
            : (
                null,
                TypedResults.Problem(
                    $"There is no batch {sha256}; it may have been dropped by its age.",
                    statusCode: StatusCodes.Status404NotFound
                )
            );
    }
}
