using System.Security.Claims;

namespace FactoryStream.Dashboard.Access;

/// <summary>What a person or program may do; each role may do what those before it may. Also the names of the policies.</summary>
internal static class Roles
{
    /// <summary>May look: pages, APIs and sockets.</summary>
    public const string Viewer = "viewer";

    /// <summary>May also act on what is shown.</summary>
    public const string Operator = "operator";

    /// <summary>May also enrol and revoke signing keys, and make webhooks.</summary>
    public const string Admin = "admin";

    // The lowest first.
    private static readonly string[] All = [Viewer, Operator, Admin];

    /// <summary>Somebody of that name with a role, and so with those below it.</summary>
    /// <param name="name">As it is shown and kept in audit events.</param>
    /// <param name="role">The highest role; null: none, and so nothing may be done.</param>
    /// <param name="more">What else is to be known of them.</param>
    public static ClaimsPrincipal Principal(string name, string? role, params Claim[] more)
    {
        var roles = All.Take(Array.IndexOf(All, role) + 1).Select(each => new Claim(ClaimTypes.Role, each));
        return new(new ClaimsIdentity([new Claim(ClaimTypes.Name, name), .. roles, .. more], authenticationType: "FactoryStream"));
    }

    /// <summary>The highest of these names that is a role's; null: none is.</summary>
    public static string? Highest(IEnumerable<string> names) =>
        All.LastOrDefault(names.ToHashSet(StringComparer.OrdinalIgnoreCase).Contains);

    /// <summary>The highest role that somebody has; null: none.</summary>
    public static string? Of(ClaimsPrincipal user) => Highest(user.FindAll(ClaimTypes.Role).Select(claim => claim.Value));
}
