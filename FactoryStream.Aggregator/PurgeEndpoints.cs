using System.Security.Cryptography;
using System.Text;
using FactoryStream.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FactoryStream.Aggregator;

internal static class PurgeEndpoints
{
    private const string Scheme = "Bearer ";

    /// <summary><c>POST /purge</c>, with the admin token: deletes all that was measured (<see cref="Purge"/>). Any instance does it for all.</summary>
    public static void MapPurge(this IEndpointRouteBuilder app) => app.MapPost("/purge", PurgeAsync);

    private static async Task<Results<NoContent, ProblemHttpResult>> PurgeAsync(
        HttpRequest request, IOptions<AggregatorOptions> options, NpgsqlDataSource database, ILogger<AggregatorWorker> logger, CancellationToken cancellation)
    {
        if (options.Value.AdminToken is not { Length: > 0 } token)
            return TypedResults.Problem("No admin token is configured (Aggregator:AdminToken), so nothing can be purged.", statusCode: StatusCodes.Status503ServiceUnavailable);
        var authorization = request.Headers.Authorization.ToString();
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || !CryptographicOperations.FixedTimeEquals(Digest(authorization[Scheme.Length..].Trim()), Digest(token)))
        {
            request.HttpContext.Response.Headers.WWWAuthenticate = "Bearer";
            return TypedResults.Problem("Purging needs the admin token: Authorization: Bearer <token>.", statusCode: StatusCodes.Status401Unauthorized);
        }
        try
        {
            await Purge.RunAsync(database, cancellation);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return TypedResults.Problem("Others are using the tables; nothing was purged. Try again.", statusCode: StatusCodes.Status409Conflict);
        }
        logger.Purged();
        return TypedResults.NoContent();
    }

    // Digests are of one length, whatever the lengths of the tokens.
    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
