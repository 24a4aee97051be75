using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Access;

/// <summary>Sign-in and roles: what is not said to be open is for viewers.</summary>
internal static class AccessServices
{
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<TokenAttempts>();
        services.AddOptions<AccessOptions>().BindConfiguration(AccessOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        var authentication = services
            .AddAuthentication(AccessHandler.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, AccessHandler>(AccessHandler.SchemeName, null)
            .AddCookie(cookie =>
            {
                cookie.Cookie.Name = "factorystream";
                cookie.Cookie.HttpOnly = true;
                cookie.Cookie.SameSite = SameSiteMode.Lax;
                cookie.SlidingExpiration = true;
            });
        services
            .AddOptions<CookieAuthenticationOptions>(CookieAuthenticationDefaults.AuthenticationScheme)
            .Configure<IOptions<AccessOptions>>((cookie, access) => cookie.ExpireTimeSpan = access.Value.SignInLasts);
        // Schemes are made before options are bound and checked, so whether there is a provider is read here.
        var access = builder.Configuration.GetSection(AccessOptions.Section);
        if (access[nameof(AccessOptions.Authority)] is { Length: > 0 })
            authentication.AddProvider();

        var viewer = new AuthorizationPolicyBuilder().RequireRole(Roles.Viewer).Build();
        services
            .AddAuthorizationBuilder()
            .SetDefaultPolicy(viewer)
            .SetFallbackPolicy(viewer)
            .AddPolicy(Roles.Viewer, viewer)
            .AddPolicy(Roles.Operator, policy => policy.RequireRole(Roles.Operator))
            .AddPolicy(Roles.Admin, policy => policy.RequireRole(Roles.Admin));
        services.AddCascadingAuthenticationState();

        var keys = services.AddDataProtection().SetApplicationName("FactoryStream.Dashboard");
        if (access[nameof(AccessOptions.CookieKeyFolder)] is { Length: > 0 } folder)
            keys.PersistKeysToFileSystem(new DirectoryInfo(folder));

        services
            .AddOptions<ForwardedHeadersOptions>()
            .Configure<IOptions<AccessOptions>>(
                (forwarded, access) =>
                {
                    forwarded.ForwardedHeaders = ForwardedHeaders.All;
                    forwarded.ForwardLimit = null;
                    forwarded.KnownProxies.Clear();
                    forwarded.KnownIPNetworks.Clear();
                    foreach (var network in access.Value.ProxyNetworks)
                        forwarded.KnownIPNetworks.Add(network);
                }
            );
    }

    /// <summary>
    /// Takes from a request where the Dashboard stands for whoever asks: behind which proxy, and under which path. What stands behind it
    /// sees paths without that one.
    /// </summary>
    public static void UseProxy(this WebApplication app)
    {
        var access = app.Services.GetRequiredService<IOptions<AccessOptions>>().Value;
        // Without a known proxy nothing is believed: the middleware itself would take an empty list for "anybody".
        if (access.KnownProxies.Length > 0)
            app.UseForwardedHeaders();
        if (access.PathBase is { Length: > 0 } path)
            app.UsePathBase(path);
        // Here, and not before all: by what is left of the path.
        app.UseRouting();
    }

    /// <summary>Refuses who may not look; what stands behind it knows who asks.</summary>
    public static void UseAccess(this WebApplication app)
    {
        // Before who asks is asked: a browser sends no token with the question whether its page may.
        app.UseCors();
        app.UseAuthentication();
        app.UseAuthorization();
    }
}
