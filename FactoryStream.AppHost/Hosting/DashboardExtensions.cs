namespace FactoryStream.AppHost.Hosting;

/// <summary>What the Dashboard alone has.</summary>
internal static class DashboardExtensions
{
    private const string CookieKeyFolder = "Access:CookieKeyFolder";

    /// <summary>Where the units of a program's metrics are told, if there is a Dashboard; it is not waited for.</summary>
    public static IResourceBuilder<ProjectResource> WithUnitsToldTo(
        this IResourceBuilder<ProjectResource> program,
        IResourceBuilder<ProjectResource>? dashboard
    ) => dashboard is null ? program : program.WithReference(dashboard);

    /// <summary>
    /// Who may look, and whose APIs it shows and calls: the admin token is for its admins and for the Verifier's API. In a cluster
    /// everybody comes from elsewhere, so a token for reading is generated there; here whoever is on this machine may look.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithAccess(
        this IResourceBuilder<ProjectResource> dashboard,
        IResourceBuilder<ParameterResource> adminToken,
        params IResourceBuilder<ProjectResource>[] services
    )
    {
        foreach (var service in services)
            dashboard.WithReference(service);
        dashboard.WithSecret("Dashboard__Access__AdminToken", adminToken).WithSecret("Dashboard__VerifierAdminToken", adminToken);
        var builder = dashboard.ApplicationBuilder;
        if (builder.ExecutionContext.IsPublishMode)
        {
            return dashboard.WithSecret(
                "Dashboard__Access__ReadToken",
                builder
                    .AddGeneratedSecret("read-token", minLength: 32)
                    .WithDescription("Whoever signs in with it, or sends it as a bearer token, may look at the Dashboard.")
            );
        }
        var parts = builder.Parts();
        return dashboard.WithEnvironment(context =>
        {
            // Names of .NET's configuration do not differ by case: the user's own stands alone.
            var own = $"{dashboard.Resource.Name}__{CookieKeyFolder.Replace(":", "__", StringComparison.Ordinal)}";
            if (!context.EnvironmentVariables.Keys.Contains(own, StringComparer.OrdinalIgnoreCase))
                context.EnvironmentVariables[own] = parts.Folder.Folder("dashboard-cookie-keys");
        });
    }
}
