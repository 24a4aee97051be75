using FactoryStream.Dashboard.OpenApi;

namespace FactoryStream.Dashboard;

/// <summary>What every answer tells the browser not to do.</summary>
internal static class SecurityHeaders
{
    // Blazor Server needs its own script and its socket, both of this host. Radzen needs style attributes (widths, places of popups), and
    // its pictures within style sheets are data: addresses. Neither needs a script of the page's own text, so there is no nonce.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
        + "img-src 'self' data:; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";

    // The page of the API draws its pictures with style sheets of its own text; its scripts are files of this host all the same.
    private static readonly string ForOpenApiPage = ContentSecurityPolicy.Replace(
        "style-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        StringComparison.Ordinal
    );

    /// <summary>Call it first: an error's answer, too, has the headers.</summary>
    public static void UseSecurityHeaders(this WebApplication app) =>
        app.Use(
            (context, next) =>
            {
                // At the last moment: whoever handles an error empties the headers first.
                context.Response.OnStarting(() =>
                {
                    var headers = context.Response.Headers;
                    headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments(OpenApiEndpoints.Page)
                        ? ForOpenApiPage
                        : ContentSecurityPolicy;
                    headers.XContentTypeOptions = "nosniff";
                    headers["Referrer-Policy"] = "same-origin";
                    return Task.CompletedTask;
                });
                return next(context);
            }
        );
}
