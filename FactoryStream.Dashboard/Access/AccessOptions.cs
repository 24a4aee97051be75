using System.ComponentModel.DataAnnotations;
using System.Net;

namespace FactoryStream.Dashboard.Access;

/// <summary>Who may look at the Dashboard and act in it; section <c>Dashboard:Access</c>.</summary>
internal sealed class AccessOptions : IValidatableObject
{
    public const string Section = "Dashboard:Access";

    /// <summary>
    /// The token of viewers. Default: none, and then whoever is on the Dashboard's own machine may look, and nobody else without another
    /// token or an <see cref="Authority"/>.
    /// </summary>
    public string? ReadToken { get; set; }

    /// <summary>The token of operators. Default: none.</summary>
    public string? OperatorToken { get; set; }

    /// <summary>The token of admins, who may enrol and revoke keys and make webhooks. Default: none.</summary>
    public string? AdminToken { get; set; }

    /// <summary>The OpenID Connect provider that people sign in with. Default: none.</summary>
    public Uri? Authority { get; set; }

    /// <summary>The Dashboard's id at the provider.</summary>
    public string? ClientId { get; set; }

    /// <summary>The Dashboard's secret at the provider. Default: none, for a public client.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>The claim of the provider whose values are roles: viewer, operator, admin. Default <c>roles</c>.</summary>
    [Required]
    public string RoleClaim { get; set; } = "roles";

    /// <summary>
    /// Addresses (<c>10.0.0.7</c>) or networks (<c>10.0.0.0/8</c>) of reverse proxies whose X-Forwarded-For, -Host, -Proto and -Prefix are
    /// believed. Default: none.
    /// </summary>
    public string[] KnownProxies { get; set; } = [];

    /// <summary>
    /// The path under which a reverse proxy passes on requests as they are, e.g. <c>/factorystream</c>. A known one that takes it off tells
    /// it by X-Forwarded-Prefix, and needs no setting. Default: none.
    /// </summary>
    public string? PathBase { get; set; }

    /// <summary>
    /// The folder of the keys that protect the sign-in cookies: replicas that share it know each other's, and a restart ends none. Default:
    /// the user's own place, as ASP.NET Core has it.
    /// </summary>
    public string? CookieKeyFolder { get; set; }

    /// <summary>How long a sign-in lasts without a visit. Default 12 h.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan SignInLasts { get; set; } = TimeSpan.FromHours(12);

    /// <summary>Nothing says who may look, so whoever is on this machine may.</summary>
    public bool IsOpenToThisMachine => string.IsNullOrEmpty(ReadToken) && Authority is null;

    /// <summary>There is something to sign in with.</summary>
    public bool CanSignIn => Authority is not null || HasToken;

    /// <summary>There is a token to sign in with.</summary>
    public bool HasToken => Tokens.Any(token => !string.IsNullOrEmpty(token.Token));

    /// <summary>The tokens with their roles and what their holders are called.</summary>
    public IEnumerable<(string? Token, string Role, string Name)> Tokens =>
        [
            (AdminToken, Roles.Admin, "admin token"),
            (OperatorToken, Roles.Operator, "operator token"),
            (ReadToken, Roles.Viewer, "read token"),
        ];

    /// <summary>The proxies as networks; one address is a network of one.</summary>
    public IEnumerable<IPNetwork> ProxyNetworks =>
        KnownProxies.Select(text =>
            IPAddress.TryParse(text, out var address)
                ? new IPNetwork(address, address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128)
                : IPNetwork.Parse(text)
        );

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var text in KnownProxies.Where(text => !IPAddress.TryParse(text, out _) && !IPNetwork.TryParse(text, out _)))
            yield return new($"{Section}:KnownProxies: expected an address or a network as 10.0.0.0/8, found '{text}'.");
        if (PathBase is { Length: > 0 } and not ['/', _, ..] or [.., '/'])
            yield return new($"{Section}:PathBase: expected a path that begins and does not end with /, found '{PathBase}'.");
        if (Authority is { IsAbsoluteUri: false })
            yield return new($"{Section}:Authority: expected an absolute address, found '{Authority}'.");
        if (Authority is not null && string.IsNullOrEmpty(ClientId))
            yield return new($"{Section}:ClientId: expected the Dashboard's id at {Authority}, found none.");
    }
}
