using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace FactoryStream.Dashboard.Access;

/// <summary>Sign-in with an OpenID Connect provider, by the authorization code flow.</summary>
internal static class ProviderSignIn
{
    public const string Path = "/sign-in/provider";

    public static void AddProvider(this AuthenticationBuilder authentication)
    {
        authentication.AddOpenIdConnect();
        authentication
            .Services.AddOptions<OpenIdConnectOptions>(OpenIdConnectDefaults.AuthenticationScheme)
            .Configure<IOptions<AccessOptions>>(
                (provider, options) =>
                {
                    var access = options.Value;
                    provider.SignInScheme = CookieAuthenticationDefaults.AuthenticationScheme;
                    provider.Authority = access.Authority!.ToString();
                    // Without TLS only where nobody stands between: on this machine.
                    provider.RequireHttpsMetadata = !access.Authority.IsLoopback;
                    provider.ClientId = access.ClientId;
                    provider.ClientSecret = access.ClientSecret;
                    provider.ResponseType = OpenIdConnectResponseType.Code;
                    // The answer comes as a redirect, with which browsers send these cookies; with a form of another site they would do so
                    // by TLS alone.
                    provider.ResponseMode = OpenIdConnectResponseMode.Query;
                    provider.CorrelationCookie.SameSite = SameSiteMode.Lax;
                    provider.NonceCookie.SameSite = SameSiteMode.Lax;
                    provider.MapInboundClaims = false;
                    provider.Events.OnTokenValidated = context =>
                    {
                        context.Principal = Known(context.Principal!, access.RoleClaim);
                        return Task.CompletedTask;
                    };
                }
            );
    }

    /// <summary>Leads to the provider, and back to the page that was asked for.</summary>
    public static void MapProviderSignIn(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<AccessOptions>>().Value.Authority is null)
            return;
        app.MapGet(
                Path,
                (HttpRequest request, string? @return = null) =>
                    TypedResults.Challenge(
                        new AuthenticationProperties { RedirectUri = request.PathBase + ReturnPath.Of(@return) },
                        [OpenIdConnectDefaults.AuthenticationScheme]
                    )
            )
            .AllowAnonymous()
            .ExcludeFromDescription();
    }

    /// <summary>Name and role of what the provider says; the rest is not kept.</summary>
    private static ClaimsPrincipal Known(ClaimsPrincipal told, string roleClaim) =>
        Roles.Principal(
            told.FindFirstValue("name") ?? told.FindFirstValue("preferred_username") ?? told.FindFirstValue("sub") ?? "unnamed",
            Roles.Highest(told.FindAll(roleClaim).Select(claim => claim.Value))
        );
}
