using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// What every FactoryStream service has: telemetry, health, service discovery, resilient HTTP clients, and an end with exit code 1 when a
/// worker fails.
/// </summary>
public static class Extensions
{
    private const string HealthEndpointPath = "/health";
    private const string AlivenessEndpointPath = "/alive";
    private const string MetricsEndpointPath = "/metrics";

    /// <summary>Adds the defaults to a service; call it first.</summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.AddQuietLogging();
        builder.ConfigureOpenTelemetry();
        builder.AddDefaultHealthChecks();
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        });
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(_ => new KafkaConnection(builder.Configuration));
        // The host only logs that a worker failed; FailFast ends the service.
        builder.Services.Configure<HostOptions>(host =>
            host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore
        );
        builder.Services.AddSingleton<FailFast>();
        builder.Services.AddHostedService(services => services.GetRequiredService<FailFast>());
        return builder;
    }

    /// <summary>
    /// Frameworks log every request and statement, which is of use only in a search for a fault; so it is off by default. The lowest
    /// of all configuration sources, so that any other (appsettings.json, <c>Logging__LogLevel__Npgsql=Debug</c>) has the last word.
    /// </summary>
    private static void AddQuietLogging<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        string[] loud = ["Microsoft.AspNetCore", "Microsoft.EntityFrameworkCore", "Npgsql", "System.Net.Http", "Polly"];
        var levels = loud.ToDictionary(category => $"Logging:LogLevel:{category}", _ => (string?)nameof(LogLevel.Warning));
        // A failed check is in the answer to the probe; the service itself logs once what it lacks, and not with every probe.
        levels.Add("Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks", nameof(LogLevel.Critical));
        // Where the key ring of the Dashboard's cookies lies is a setting of its own; that it is not encrypted there needs no warning.
        levels.Add("Logging:LogLevel:Microsoft.AspNetCore.DataProtection", nameof(LogLevel.Error));
        levels.Add("Logging:LogLevel:Default", nameof(LogLevel.Information));
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = levels });
    }

    /// <summary>
    /// Logs, metrics and traces by OpenTelemetry; exported by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set, metrics for Prometheus
    /// when <see cref="TelemetryOptions.PrometheusEndpoint"/> says so.
    /// </summary>
    public static TBuilder ConfigureOpenTelemetry<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder
            .Services.AddOptions<TelemetryOptions>()
            .BindConfiguration(TelemetryOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });

        builder
            .Services.AddOpenTelemetry()
            .WithMetrics(metrics =>
                metrics
                    .AddAspNetCoreInstrumentation()
                    .AddHttpClientInstrumentation()
                    .AddRuntimeInstrumentation()
                    .AddMeter("Npgsql", "FactoryStream.*")
            )
            .WithTracing(tracing =>
                tracing
                    .SetSampler(services => new ParentBasedSampler(
                        new RateLimitingSampler(
                            services.GetRequiredService<IOptions<TelemetryOptions>>().Value.TracesPerSecond,
                            services.GetRequiredService<TimeProvider>()
                        )
                    ))
                    .AddProcessor(new ErrorsAlways())
                    .AddProcessor(new BrokerAddress(builder.Configuration.GetConnectionString(KafkaConnection.Name)))
                    .AddSource(builder.Environment.ApplicationName, "FactoryStream.*")
                    .AddAspNetCoreInstrumentation(options =>
                        options.Filter = context =>
                            !context.Request.Path.StartsWithSegments(HealthEndpointPath)
                            && !context.Request.Path.StartsWithSegments(AlivenessEndpointPath)
                            && !context.Request.Path.StartsWithSegments(MetricsEndpointPath)
                    )
                    .AddHttpClientInstrumentation()
            );

        if (!string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            builder.Services.AddOpenTelemetry().UseOtlpExporter();
        // Exporters are made before options are bound and checked, so whether there is this one is read here.
        if (builder.Configuration.GetValue<bool>($"{TelemetryOptions.Section}:{nameof(TelemetryOptions.PrometheusEndpoint)}"))
            builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddPrometheusExporter());
        return builder;
    }

    /// <summary>A liveness check that says only that the process responds; readiness is what else is registered.</summary>
    public static TBuilder AddDefaultHealthChecks<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), ["live"]);
        // For the endpoint without options of its own, which is /health: /alive says but a word.
        builder.Services.Configure<HealthCheckOptions>(health => health.ResponseWriter = HealthDetail.WriteAsync);
        return builder;
    }

    /// <summary>
    /// Runs a service until it is asked to stop. That it is asked while it still starts is no failure: it ends with exit code 0, as it
    /// would later, where the host would throw out of Main and the process die by a signal.
    /// </summary>
    public static void RunService(this WebApplication app)
    {
        var stopping = app.Lifetime.ApplicationStopping;
        try
        {
            app.Run();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The start was broken off by the stop.
        }
    }

    /// <summary>
    /// <c>/health</c>: all checks pass, ready for traffic, and in its body what each says. <c>/alive</c>: the process responds.
    /// <c>/metrics</c>: for Prometheus, where an option says so, and for whom the service lets look.
    /// </summary>
    /// <remarks>
    /// Served in every environment, and to everybody: orchestrators probe them, and look at the status code alone. No check tells a
    /// payload, key or token.
    /// </remarks>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(HealthEndpointPath).AllowAnonymous();
        app.MapHealthChecks(AlivenessEndpointPath, new HealthCheckOptions { Predicate = check => check.Tags.Contains("live") })
            .AllowAnonymous();
        if (app.Services.GetRequiredService<IOptions<TelemetryOptions>>().Value.PrometheusEndpoint)
            app.MapPrometheusScrapingEndpoint(MetricsEndpointPath);
        return app;
    }
}
