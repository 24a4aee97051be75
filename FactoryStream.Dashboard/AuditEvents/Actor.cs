using System.Security.Claims;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Access;

namespace FactoryStream.Dashboard.AuditEvents;

/// <summary>Who does something, as an audit event keeps it.</summary>
/// <param name="Who">A person's name, or the token that was used.</param>
/// <param name="Role">The role that it is done in.</param>
internal readonly record struct Actor(string Who, string Role)
{
    private const int MaxName = 128;

    public static Actor Of(ClaimsPrincipal user) =>
        new(StorableText.Of(user.Identity?.Name, MaxName) ?? "unnamed", Roles.Of(user) ?? "none");
}
