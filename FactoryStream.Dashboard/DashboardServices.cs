using FactoryStream.Dashboard.Api;
using FactoryStream.Dashboard.Books;
using FactoryStream.Dashboard.Live;
using FactoryStream.Storage;

namespace FactoryStream.Dashboard;

/// <summary>What the Dashboard is made of.</summary>
internal static class DashboardServices
{
    public static void AddReading(this WebApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource(FactoryDbContext.ConnectionName);
        builder.AddNpgsqlDbContext<FactoryDbContext>(FactoryDbContext.ConnectionName,
            // The data source's check says the same of the same database.
            configureSettings: settings => settings.DisableHealthChecks = true,
            configureDbContextOptions: options => FactoryDbContext.Configure(options));
        builder.Services.AddOptions<DashboardOptions>().BindConfiguration(DashboardOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<DashboardMetrics>();
        builder.Services.AddSingleton<SignedTail>();
        builder.Services.AddSingleton<BooksReader>();
        builder.Services.AddScoped<WindowsReader>();
    }

    public static void AddLive(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LatestWindowsReader>();
        builder.Services.AddSingleton<LatestWindows>();
        builder.Services.AddSingleton<LatestDataSocket>();
        builder.Services.AddSingleton<WindowsWatchWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<WindowsWatchWorker>());
        builder.Services.AddHealthChecks().AddCheck<WindowsWatchWorker>("windows");
    }

    public static void AddApi(this WebApplicationBuilder builder)
    {
        builder.Services.AddProblemDetails();
        builder.Services.AddExceptionHandler<Unavailable>();
        builder.Services.AddOpenApi();
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default));
    }
}
