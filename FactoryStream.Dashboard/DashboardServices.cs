using System.Text.Json;
using FactoryStream.Dashboard.Books;
using FactoryStream.Dashboard.Windows;
using FactoryStream.Storage;
using Radzen;

namespace FactoryStream.Dashboard;

internal static class DashboardServices
{
    public static void AddDashboard(this WebApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource(FactoryDbContext.ConnectionName);
        builder.AddNpgsqlDbContext<FactoryDbContext>(
            FactoryDbContext.ConnectionName, settings => settings.DisableHealthChecks = true, options => FactoryDbContext.Configure(options));
        builder.Services.AddOptions<DashboardOptions>().BindConfiguration(DashboardOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            options.SerializerOptions.TypeInfoResolverChain.Insert(0, DashboardJson.Default);
        });
        builder.Services.AddProblemDetails();
        builder.Services.AddOpenApi();

        builder.Services.AddSingleton<DashboardMetrics>();
        builder.Services.AddScoped<WindowsReader>();
        builder.Services.AddScoped<BooksReader>();
        builder.Services.AddSingleton<LogTail>();
        builder.Services.AddSingleton<LatestWindows>();
        builder.Services.AddHostedService(services => services.GetRequiredService<LatestWindows>());

        builder.Services.AddRazorComponents().AddInteractiveServerComponents();
        builder.Services.AddRadzenComponents();
    }
}
