using FactoryStream.ServiceDefaults.Http;
using FactoryStream.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace FactoryStream.Aggregator.Maintenance;

/// <summary>Deleting all that was measured.</summary>
internal static class PurgeEndpoints
{
    /// <summary>
    /// <c>POST /purge</c>, with the admin token: deletes all that was measured (<see cref="Purge"/>). Any instance does it for all.
    /// </summary>
    public static void MapPurge(this IEndpointRouteBuilder app) =>
        app.MapPost("/purge", PurgeAsync)
            .WithName("Purge")
            .WithTags("Aggregator")
            .WithSummary("Deletes all readings, windows, alerts, rejections and the ledger; with the admin token. Keys stay.")
            .ProducesProblem(StatusCodes.Status409Conflict)
            .RequireAdminToken((AggregatorOptions options) => options.AdminToken, "Aggregator:AdminToken", "Purging");

    private static async Task<Results<NoContent, ProblemHttpResult>> PurgeAsync(
        NpgsqlDataSource database,
        AggregatorLog log,
        CancellationToken cancellation
    )
    {
        try
        {
            await Purge.RunAsync(database, cancellation);
        }
        catch (PostgresException exception)
            when (exception.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return TypedResults.Problem(
                "The tables are in use, so nothing was purged; try again.",
                statusCode: StatusCodes.Status409Conflict
            );
        }
        log.Purged();
        return TypedResults.NoContent();
    }
}
