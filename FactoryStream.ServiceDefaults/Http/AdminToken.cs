using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.ServiceDefaults.Http;

/// <summary>Endpoints that only the holder of a service's admin token may use.</summary>
public static class AdminToken
{
    /// <summary>
    /// Serves requests that carry the token as <c>Authorization: Bearer</c>; others get 401, and all of them 503 while none is configured.
    /// The comparison takes the same time whatever the token.
    /// </summary>
    /// <typeparam name="TBuilder">The kind of builder, which is returned as it came.</typeparam>
    /// <typeparam name="TOptions">The options type that holds the token.</typeparam>
    /// <param name="endpoint">The endpoint to guard, or a group of them.</param>
    /// <param name="token">Reads the token from the options, for each request; null or empty: there is none.</param>
    /// <param name="setting">The token's setting, for instance <c>Verifier:AdminToken</c>.</param>
    /// <param name="deed">What needs the token, the subject of the answer's sentence, for instance "Purging".</param>
    public static TBuilder RequireAdminToken<TBuilder, TOptions>(
        this TBuilder endpoint,
        Func<TOptions, string?> token,
        string setting,
        string deed
    )
        where TBuilder : IEndpointConventionBuilder
        where TOptions : class =>
        endpoint.AddEndpointFilter(
            async ValueTask<object?> (EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
            {
                var options = context
                    .HttpContext.RequestServices.GetRequiredService<Microsoft.Extensions.Options.IOptions<TOptions>>()
                    .Value;
                if (token(options) is not { Length: > 0 } expected)
                    return TypedResults.Problem(
                        $"{deed} needs an admin token, and the service has none; set {setting}.",
                        statusCode: StatusCodes.Status503ServiceUnavailable
                    );
                if (BearerToken.Of(context.HttpContext.Request) is { } given && BearerToken.IsRight(given, expected))
                    return await next(context);
                context.HttpContext.Response.Headers.WWWAuthenticate = "Bearer";
                return TypedResults.Problem(
                    $"{deed} needs the admin token; send it as Authorization: Bearer <token>.",
                    statusCode: StatusCodes.Status401Unauthorized
                );
            }
        );
}
