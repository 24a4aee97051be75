using FactoryStream.Dashboard.Access;
using FactoryStream.Dashboard.Alerts;
using FactoryStream.Dashboard.Api;
using FactoryStream.Dashboard.AuditEvents;
using FactoryStream.Dashboard.Explanations;
using FactoryStream.Dashboard.Keys;
using FactoryStream.Dashboard.Live;
using FactoryStream.Dashboard.Locales;
using FactoryStream.Dashboard.OpenApi;
using FactoryStream.Dashboard.Pages;
using FactoryStream.Dashboard.Pipeline;
using FactoryStream.Dashboard.Plant;
using FactoryStream.Dashboard.Readings;
using FactoryStream.Dashboard.Receipts;
using FactoryStream.Dashboard.Reconciliation;
using FactoryStream.Dashboard.Redrives;
using FactoryStream.Dashboard.Rejections;
using FactoryStream.Dashboard.Units;
using FactoryStream.Dashboard.Webhooks;
using FactoryStream.Dashboard.Windows;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.Storage;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Radzen;

namespace FactoryStream.Dashboard;

/// <summary>What the Dashboard is made of.</summary>
internal static class DashboardServices
{
    /// <summary>The policy of what other sites' pages may call.</summary>
    public const string CrossOrigin = "cross-origin";

    public static void AddReading(this WebApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource(FactoryDbContext.ConnectionName);
        builder.AddNpgsqlDbContext<FactoryDbContext>(
            FactoryDbContext.ConnectionName,
            configureSettings: settings =>
            {
                // The data source's check says the same of the same database.
                settings.DisableHealthChecks = true;
                // A reader is told at once that the database is away; half a minute of retries would tell it no more.
                settings.DisableRetry = true;
            },
            configureDbContextOptions: options => FactoryDbContext.Configure(options)
        );
        // Nothing is to be drained: what a page shows, it asks for again.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder
            .Services.AddOptions<DashboardOptions>()
            .BindConfiguration(DashboardOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        builder.Services.AddSingleton<DashboardMetrics>();
        builder.Services.AddSingleton<DashboardLog>();
        builder.Services.AddSingleton<SignedTail>();
        builder.Services.AddSingleton<LedgerReader>();
        builder.Services.AddSingleton<LossReader>();
        builder.Services.AddSingleton(services => new RecentLedger(
            services.GetRequiredService<LedgerReader>().ReadAsync,
            services.GetRequiredService<IOptions<DashboardOptions>>().Value.LedgerMaxAge,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping
        ));
        builder.Services.AddSingleton<SharedLedger>();
        builder.Services.AddSingleton<WindowsReader>();
        builder.Services.AddSingleton<StepWindowsReader>();
        builder.Services.AddSingleton<WindowSeriesReader>();
        builder.Services.AddSingleton<BacklogReader>();
        builder.Services.AddSingleton<TimedSearch>();
        builder.Services.AddSingleton<ReceiptsReader>();
        builder.Services.AddSingleton<ReadingsReader>();
        builder.Services.AddSingleton<BatchesReader>();
        builder.Services.AddSingleton<RejectionsReader>();
        builder.Services.AddSingleton<AuditEventsReader>();
        builder.Services.AddSingleton<RejectionExplanations>();
        builder.Services.AddSingleton<RecentRejections>();
        builder.Services.AddSingleton<MetricsReader>();
        builder.Services.AddSingleton<MetricsWriter>();
        builder.Services.AddSingleton<AlertRulesReader>();
        builder.Services.AddSingleton<AlertRulesWriter>();
        builder.Services.AddSingleton<AlertsReader>();
        builder.Services.AddSingleton<AcknowledgementWriter>();
        builder.Services.AddSingleton<RaisedAlerts>();
        builder.Services.AddSingleton<TrendsReader>();
        builder.Services.AddSingleton<PipelineWatchWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<PipelineWatchWorker>());
        builder.Services.AddHealthChecks().AddCheck<PipelineWatchWorker>("pipeline");
    }

    /// <summary>
    /// A page whose connection the ending program has just closed comes back at once on another one that is still open; the server would
    /// wait for it until its time-out.
    /// </summary>
    public static void UseRefusalWhileStopping(this WebApplication app) =>
        app.Use(
            (context, next) =>
            {
                if (!app.Lifetime.ApplicationStopping.IsCancellationRequested)
                    return next(context);
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                context.Response.Headers.Connection = "close";
                return Task.CompletedTask;
            }
        );

    public static void AddLive(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LatestWindowsReader>();
        builder.Services.AddSingleton<LatestWindows>();
        builder.Services.AddSingleton<LatestDataSocket>();
        builder.Services.AddSingleton<WindowsWatchWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<WindowsWatchWorker>());
        builder.Services.AddHealthChecks().AddCheck<WindowsWatchWorker>("windows");
        builder.Services.AddSingleton<LatestAlertsReader>();
        builder.Services.AddSingleton<LatestAlerts>();
        builder.Services.AddSingleton<AlertsWatchWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AlertsWatchWorker>());
        builder.Services.AddHealthChecks().AddCheck<AlertsWatchWorker>("alerts");
        builder.Services.AddSingleton<LatestUnits>();
        builder.Services.AddSingleton<UnitsWatchWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<UnitsWatchWorker>());
        builder.Services.AddHealthChecks().AddCheck<UnitsWatchWorker>("units");
    }

    private static void AddWebhooks(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<WebhookOptions>().BindConfiguration(WebhookOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<WebhooksReader>();
        builder.Services.AddSingleton<WebhooksWriter>();
        builder.Services.AddSingleton<DeliveriesReader>();
        builder.Services.AddSingleton<DeliveriesWriter>();
        builder.Services.AddSingleton<Outbox>();
        builder.Services.AddSingleton<WebhookSender>();
        builder.Services.AddHostedService<DeliveryWorker>();
    }

    /// <summary>What the Dashboard itself sends: alerts to webhooks, and rejections to Ingest once more.</summary>
    public static void AddSending(this WebApplicationBuilder builder)
    {
        builder.AddWebhooks();
        builder.AddRedrives();
    }

    /// <summary>The Verifier's keys, found by service discovery.</summary>
    public static void AddKeys(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LastUsesReader>();
        builder
            .Services.AddReadingClient(nameof(VerifierKeys))
            .ConfigureHttpClient(client => client.BaseAddress = new Uri("http://verifier"))
            .AddTypedClient<VerifierKeys>();
    }

    /// <summary>A client of another service for what a person waits for.</summary>
    public static IHttpClientBuilder AddReadingClient(this IServiceCollection services, string name)
    {
        var client = services.AddHttpClient(name, client => client.Timeout = TimeSpan.FromSeconds(10));
#pragma warning disable EXTEXP0001 // Still experimental by name; it only takes away what the defaults have added.
        // A person is told at once that the service is away; half a minute of retries would tell no more.
        return client.RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
    }

    /// <summary>What sends rejections to Ingest again, found by service discovery.</summary>
    private static void AddRedrives(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RedrivesReader>();
        builder.Services.AddSingleton<RedrivesWriter>();
        builder.Services.AddSingleton<IngestClient>();
        builder.Services.AddSingleton<RedriveStep>();
        builder.Services.AddHostedService<RedriveWorker>();
        var ingest = builder.Services.AddHttpClient(
            IngestClient.Name,
            client =>
            {
                client.BaseAddress = new Uri("http://ingest");
                client.Timeout = TimeSpan.FromSeconds(30);
            }
        );
#pragma warning disable EXTEXP0001 // Still experimental by name; it only takes away what the defaults have added.
        // The step repeats what was not taken when Ingest says so, and counts what came of it.
        ingest.RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
    }

    public static void AddPipeline(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<TopicLogsReader>();
        builder.Services.AddSingleton<StoredCountsReader>();
        builder.Services.AddSingleton<DatabaseReader>();
        builder.Services.AddSingleton<GroupsReader>();
        builder.Services.AddSingleton<PipelineReader>();
        builder.Services.AddSingleton<NewestMessagesReader>();
        builder.Services.AddSingleton<TableRowsReader>();
        builder.Services.AddSingleton(services =>
            services.Shared(services.GetRequiredService<DatabaseReader>().ReadAsync, DatabaseReader.Interval)
        );
        builder.Services.AddSingleton(services =>
            services.Shared(
                services.GetRequiredService<PipelineReader>().ReadAsync,
                services.GetRequiredService<IOptions<DashboardOptions>>().Value.LedgerInterval
            )
        );
    }

    private static Recent<T> Shared<T>(this IServiceProvider services, Func<CancellationToken, Task<T>> read, TimeSpan maxAge) =>
        new(
            read,
            maxAge,
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping
        );

    public static void AddApi(this WebApplicationBuilder builder)
    {
        builder.Services.AddApiDefaults(ApiJson.Default);
        builder.AddOpenApiPage();
        builder.AddCrossOrigin();
    }

    /// <summary>Other sites' pages may call the API where an option names them; browsers ask before.</summary>
    private static void AddCrossOrigin(this WebApplicationBuilder builder)
    {
        builder.Services.AddCors();
        builder
            .Services.AddOptions<CorsOptions>()
            .Configure<IOptions<DashboardOptions>>(
                (cors, dashboard) =>
                    cors.AddPolicy(
                        CrossOrigin,
                        policy =>
                            policy
                                .WithOrigins(dashboard.Value.AllowedOrigins)
                                .AllowAnyMethod()
                                .AllowAnyHeader()
                                .WithExposedHeaders(HeaderNames.Link, HeaderNames.RetryAfter)
                    )
            );
    }

    public static void AddPages(this WebApplicationBuilder builder)
    {
        // Run from its build folder outside Development, as the AppHost does: the libraries' files are where the build found them. A
        // published one has them beside it.
        if (!builder.Environment.IsDevelopment())
            builder.WebHost.UseStaticWebAssets();
        builder.Services.AddRazorComponents().AddInteractiveServerComponents();
        builder.Services.AddRadzenComponents();
    }

    /// <summary>What pages need to know of a request.</summary>
    public static void UsePages(this WebApplication app)
    {
        app.UseAntiforgery();
        app.UseBrowserLocale();
    }

    public static void MapPages(this WebApplication app)
    {
        // Styles and scripts show nothing of the plant, and the page to sign in at needs them.
        app.MapStaticAssets().AllowAnonymous();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
        app.MapProviderSignIn();
        // For what shows no page of ours and so asks for the file that browsers ask for.
        app.MapGet("/favicon.ico", () => TypedResults.LocalRedirect("~/favicon.svg")).AllowAnonymous().ExcludeFromDescription();
    }
}
