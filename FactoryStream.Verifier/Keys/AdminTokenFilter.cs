using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace FactoryStream.Verifier.Keys;

/// <summary>Lets through whoever sends the admin token as <c>Authorization: Bearer</c>. How long the comparison takes says nothing of the token.</summary>
internal sealed class AdminTokenFilter(IOptions<VerifierOptions> options) : IEndpointFilter
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? expected = string.IsNullOrEmpty(options.Value.AdminToken) ? null : Digest(options.Value.AdminToken);

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (expected is null)
            return TypedResults.Problem("No admin token is configured (Verifier:AdminToken), so keys can be neither enrolled nor revoked.", statusCode: StatusCodes.Status503ServiceUnavailable);
        var authorization = context.HttpContext.Request.Headers.Authorization.ToString();
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            || !CryptographicOperations.FixedTimeEquals(Digest(authorization[Scheme.Length..].Trim()), expected))
        {
            context.HttpContext.Response.Headers.WWWAuthenticate = "Bearer";
            return TypedResults.Problem("Enrolling and revoking keys need the admin token: Authorization: Bearer <token>.", statusCode: StatusCodes.Status401Unauthorized);
        }
        return await next(context);
    }

    // Digests are of one length, whatever the lengths of the tokens.
    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
