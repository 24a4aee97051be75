using System.Globalization;
using System.Text.Encodings.Web;
using FactoryStream.ServiceDefaults.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Access;

/// <summary>
/// Who a request is from: the holder of its bearer token, else whoever signed in, else a viewer on this machine where nothing says who may
/// look.
/// </summary>
internal sealed class AccessHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    IOptions<AccessOptions> access,
    TokenAttempts tokens,
    IProblemDetailsService problems
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Access";
    public const string SignInPath = "/sign-in";

    private readonly AccessOptions access = access.Value;
    private TimeSpan? retryAfter;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (BearerToken.Of(Request) is { } token)
        {
            (var holder, retryAfter) = tokens.Try(token, Context.Connection.RemoteIpAddress);
            return holder is not null ? Success(holder) : AuthenticateResult.Fail("The bearer token is none here.");
        }
        var cookie = await Context.AuthenticateAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        if (cookie.Succeeded && TokenHolder.IsCurrent(access, cookie.Principal))
            return Success(cookie.Principal);
        return access.IsOpenToThisMachine && ThisMachine.IsCalling(Request)
            ? Success(Roles.Principal("this machine", Roles.Viewer))
            : AuthenticateResult.NoResult();
    }

    /// <summary>A person is led to the page to sign in at, a program is told what to send.</summary>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (retryAfter is { } wait)
        {
            Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return RefuseAsync(
                StatusCodes.Status429TooManyRequests,
                "Too many wrong tokens came from this address, so none is looked at for the moment; try again later."
            );
        }
        if (access.CanSignIn && IsForPage())
        {
            Response.Redirect(
                $"{Request.PathBase}{SignInPath}{QueryString.Create("return", Request.Path + Request.QueryString.ToString())}"
            );
            return Task.CompletedTask;
        }
        Response.Headers.WWWAuthenticate = "Bearer";
        return RefuseAsync(
            StatusCodes.Status401Unauthorized,
            access.CanSignIn
                ? $"Send a token of the Dashboard as Authorization: Bearer <token>, or sign in at {SignInPath}."
                : "This Dashboard shows itself to its own machine alone. To look from elsewhere, set Dashboard__Access__ReadToken there, "
                    + $"and send that token as Authorization: Bearer <token>, or sign in with it at {SignInPath}."
        );
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        RefuseAsync(
            StatusCodes.Status403Forbidden,
            $"{Context.User.Identity?.Name} is {Roles.Of(Context.User) ?? "of no role"} here, which is not enough for this; sign in with "
                + $"another role at {SignInPath}."
        );

    private bool IsForPage() =>
        HttpMethods.IsGet(Request.Method)
        && Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
        && !Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase);

    private async Task RefuseAsync(int status, string detail)
    {
        Response.StatusCode = status;
        var isWritten = await problems.TryWriteAsync(
            new() { HttpContext = Context, ProblemDetails = { Status = status, Detail = detail } }
        );
        // A browser that asks for a page does not take a problem.
        if (!isWritten)
            await Response.WriteAsync(detail, Context.RequestAborted);
    }

    private static AuthenticateResult Success(System.Security.Claims.ClaimsPrincipal user) =>
        AuthenticateResult.Success(new AuthenticationTicket(user, SchemeName));
}
