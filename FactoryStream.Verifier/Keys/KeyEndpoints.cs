using System.Buffers;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.Signatures;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Verifier.Keys;

/// <summary>Enrolling, showing and revoking signing keys. No private key is ever served, for none is ever here.</summary>
internal static class KeyEndpoints
{
    // A 4096-bit key in PEM is under 1 KB.
    private const int MaxBodyBytes = 64 << 10;

    private const string TokenSetting = "Verifier:AdminToken";

    public static void MapKeyEndpoints(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/keys").WithTags("Keys");
        keys.MapPost("/", EnrolAsync)
            .WithName("EnrolKey")
            .RequireAdminToken((VerifierOptions options) => options.AdminToken, TokenSetting, "Enrolling a key")
            .WithSummary(
                "Enrol a factory's public key. Needs the admin token. May be signed with the key itself, as an envelope, to prove "
                    + "possession."
            )
            .Accepts<EnrolRequest>("application/json")
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        keys.MapGet("/", ListAsync).WithName("ListKeys").WithSummary("All enrolled keys, or those of one factory.");
        keys.MapGet("/factories", Factories)
            .WithName("ListFactories")
            .WithSummary("The factories that have a key, out of memory, and the database's clock.")
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        keys.MapGet("/{keyId}", FindAsync).WithName("GetKey").WithSummary("One enrolled key.");
        keys.MapDelete("/{keyId}", RevokeAsync)
            .WithName("RevokeKey")
            .RequireAdminToken((VerifierOptions options) => options.AdminToken, TokenSetting, "Revoking a key")
            .WithSummary("Revoke a key as from a time, now if none is given. What was measured before stays valid. Needs the admin token.")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        routes
            .MapGet("/public-key", PublicKeyAsync)
            .WithTags("Keys")
            .WithName("GetPublicKey")
            .WithSummary("A factory's newest valid public key.");
    }

    private static async Task<Results<Created<EnrolResponse>, Ok<EnrolResponse>, ProblemHttpResult>> EnrolAsync(
        HttpContext context,
        IKeyStore store,
        SignatureVerifier signatures,
        TimeProvider time,
        VerifierLog log,
        CancellationToken cancellationToken
    )
    {
        if (await ReadBodyAsync(context.Request, cancellationToken) is not { } body)
            return Problem(StatusCodes.Status413PayloadTooLarge, $"body: expected at most {MaxBodyBytes} bytes, found more.");
        var enrolment = Enrolment.Parse(body, signatures, Now(time));
        if (enrolment.Key is not { } key)
            return Problem(StatusCodes.Status400BadRequest, enrolment.Error!);

        var enrolled = await store.EnrolAsync(key, ActingFor.Of(context.Request), cancellationToken);
        if (enrolled.IsNew)
        {
            log.KeyEnrolled(key.KeyId, key.FactoryId);
            return TypedResults.Created($"/keys/{key.KeyId}", new EnrolResponse(key.KeyId));
        }
        if (enrolled.Key.RevokedAt is not null)
            return Problem(
                StatusCodes.Status409Conflict,
                $"The key {key.KeyId} is revoked and stays so; make a new key pair and enrol that."
            );
        if ((enrolled.Key.NotBefore, enrolled.Key.NotAfter) != (key.NotBefore, key.NotAfter))
            return Problem(
                StatusCodes.Status409Conflict,
                $"The key {key.KeyId} is enrolled with another validity, which cannot be changed; make a new key pair for another one."
            );
        return TypedResults.Ok(new EnrolResponse(key.KeyId));
    }

    private static async Task<Ok<KeysResponse>> ListAsync(IKeyStore store, CancellationToken cancellationToken, string? factory_id = null)
    {
        var keys = await store.ListAsync(factory_id, cancellationToken);
        return TypedResults.Ok(new KeysResponse([.. keys.Select(KeyResponse.Of)]));
    }

    private static Results<Ok<FactoriesResponse>, ProblemHttpResult> Factories(KeyRing keys) =>
        keys.IsLoaded
            ? TypedResults.Ok(new FactoriesResponse(keys.Current.Factories, keys.DatabaseClock))
            : Problem(StatusCodes.Status503ServiceUnavailable, "The signing keys are not loaded yet; try again later.");

    private static async Task<Results<Ok<KeyResponse>, ProblemHttpResult>> FindAsync(
        string keyId,
        IKeyStore store,
        CancellationToken cancellationToken
    ) =>
        await store.FindAsync(keyId, cancellationToken) is { } key
            ? TypedResults.Ok(KeyResponse.Of(key))
            : Problem(StatusCodes.Status404NotFound, $"There is no key {keyId}; GET /keys lists them.");

    private static async Task<Results<Ok<KeyResponse>, ProblemHttpResult>> RevokeAsync(
        HttpContext context,
        string keyId,
        IKeyStore store,
        TimeProvider time,
        VerifierLog log,
        CancellationToken cancellationToken,
        DateTimeOffset? effective = null
    )
    {
        var from = Enrolment.Microseconds(effective) ?? Now(time);
        if (!Enrolment.IsBounded(from))
            return Problem(
                StatusCodes.Status400BadRequest,
                "effective: expected a time from 1970 to 9999, found another. 1970-01-01T00:00:00Z revokes the key for all that it signed."
            );
        if (await store.RevokeAsync(keyId, from, ActingFor.Of(context.Request), cancellationToken) is not { } key)
            return Problem(StatusCodes.Status404NotFound, $"There is no key {keyId}; GET /keys lists them.");
        log.KeyRevoked(key.KeyId, key.FactoryId, key.RevokedAt);
        return TypedResults.Ok(KeyResponse.Of(key));
    }

    private static async Task<Results<Ok<PublicKeyResponse>, ProblemHttpResult>> PublicKeyAsync(
        string factory_id,
        IKeyStore store,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var now = Now(time);
        var keys = await store.ListAsync(factory_id, cancellationToken);
        return keys.FirstOrDefault(key => key.VerdictFor(now) == FactoryStream.Contracts.Verdict.Accepted) is { } key
            ? TypedResults.Ok(new PublicKeyResponse(key.PublicKey.ExportPem()))
            : Problem(StatusCodes.Status404NotFound, $"The factory {factory_id} has no valid key.");
    }

    private static DateTime Now(TimeProvider time) => Enrolment.Microseconds(time.GetUtcNow())!.Value;

    private static async Task<byte[]?> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await request.BodyReader.ReadAsync(cancellationToken);
            var isTooLarge = read.Buffer.Length > MaxBodyBytes;
            if (isTooLarge || read.IsCompleted)
            {
                var body = isTooLarge ? null : read.Buffer.ToArray();
                request.BodyReader.AdvanceTo(read.Buffer.End);
                return body;
            }
            request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static ProblemHttpResult Problem(int status, string detail) => TypedResults.Problem(detail, statusCode: status);
}
