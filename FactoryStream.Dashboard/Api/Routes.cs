using FactoryStream.Dashboard.Access;

namespace FactoryStream.Dashboard.Api;

/// <summary>What routes of the API that are not for everybody, or that make something, have in common.</summary>
internal static class Routes
{
    /// <summary>
    /// The one place where it is decided who may write rules and descriptions of metrics, acknowledge alerts, and begin and stop re-drives:
    /// operators.
    /// </summary>
    public static RouteGroupBuilder ForWriters(this RouteGroupBuilder routes) => routes.For(Roles.Operator);

    /// <summary>The one place where it is decided who sees and writes webhooks: admins.</summary>
    public static RouteGroupBuilder ForAdmins(this RouteGroupBuilder routes) => routes.For(Roles.Admin);

    /// <summary>Where something that was made stands, under the path that the Dashboard is served at.</summary>
    /// <param name="request">The request that made it.</param>
    /// <param name="path">Its path in the API, from <c>/api</c> on.</param>
    public static string Location(this HttpRequest request, FormattableString path) =>
        request.PathBase.ToUriComponent() + FormattableString.Invariant(path);

    private static RouteGroupBuilder For(this RouteGroupBuilder routes, string role) =>
        routes
            .RequireAuthorization(role)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
}
