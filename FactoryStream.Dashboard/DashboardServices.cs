using FactoryStream.Dashboard.Api;
using FactoryStream.Dashboard.Books;
using FactoryStream.Dashboard.Windows;
using FactoryStream.Storage;
using Microsoft.AspNetCore.DataProtection;
using Radzen;

namespace FactoryStream.Dashboard;

/// <summary>What the Dashboard is made of.</summary>
internal static class DashboardServices
{
    public static void AddDashboardOptions(this IServiceCollection services)
    {
        services.AddOptions<DashboardOptions>().BindConfiguration(DashboardOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<DashboardMetrics>();
        services.AddSingleton<DashboardLog>();
    }

    /// <summary>The reading side of the database, and the newest windows in memory.</summary>
    public static void AddLiveWindows(this IHostApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource(FactoryDbContext.ConnectionName, settings => settings.DisableHealthChecks = true);
        builder.AddNpgsqlDbContext<FactoryDbContext>(FactoryDbContext.ConnectionName,
            settings =>
            {
                // A strategy of retries would hold a whole answer in memory before its first row is seen; who asks may ask again.
                settings.DisableRetry = true;
                settings.DisableHealthChecks = true;
            },
            options => FactoryDbContext.Configure(options));
        builder.Services.AddSingleton<WindowReader>();
        builder.Services.AddSingleton<LatestWindowsReader>();
        builder.Services.AddSingleton(new Latest<LatestWindows>(LatestWindows.None));
        builder.Services.AddSingleton<LatestWindowsWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<LatestWindowsWorker>());
        builder.Services.AddHealthChecks().AddCheck<LatestWindowsWorker>("windows");
    }

    public static void AddBooks(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SignedTail>();
        builder.Services.AddSingleton<BooksReader>();
        builder.Services.AddSingleton<BooksWatchers>();
        builder.Services.AddSingleton(new Latest<LiveBooks>(new LiveBooks(null, IsLive: true)));
        builder.Services.AddHostedService<LiveBooksWorker>();
    }

    /// <summary>HTTP: JSON in snake_case, errors as problems, the OpenAPI document.</summary>
    public static void AddApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = System.Text.Json.JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, DashboardJson.Default);
        });
        services.AddProblemDetails();
        services.AddExceptionHandler<SourceAway>();
        services.AddOpenApi();
        services.AddSingleton<LiveSocket>();
    }

    /// <summary>The page.</summary>
    public static void AddPages(this WebApplicationBuilder builder)
    {
        // Does nothing once published: then the files are where they are served from.
        builder.WebHost.UseStaticWebAssets();
        builder.Services.AddRazorComponents().AddInteractiveServerComponents();
        builder.Services.AddRadzenComponents();
        // A page's state is in this process and gone with it, so the keys that seal it need not outlive it either, and nothing is written to disk.
        builder.Services.AddDataProtection();
        builder.Services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
    }
}
