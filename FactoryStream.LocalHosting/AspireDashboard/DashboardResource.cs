using System.Globalization;
using System.Security.Cryptography;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.Supervision;
using FactoryStream.LocalHosting.Terminal;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.LocalHosting.AspireDashboard;

/// <summary>
/// The Aspire dashboard as a resource of the application, out of sight, as it is in Aspire: supervised, restarted and ended like any other. Where it cannot be
/// had, a line says so and all else runs. Its keys are of this run alone.
/// </summary>
internal sealed class DashboardResource : ExecutableResource
{
    public const string ResourceName = "aspire-dashboard";

    private const string PageEndpoint = "http";
    private const string OtlpGrpcEndpoint = "otlp-grpc";
    private const string OtlpHttpEndpoint = "otlp-http";

    public DashboardResource() : base(ResourceName, "aspire-managed", "/")
    {
    }

    /// <summary>Who has it may see the pages.</summary>
    public string LoginToken { get; } = NewKey();

    /// <summary>Who has it may send telemetry.</summary>
    public string OtlpKey { get; } = NewKey();

    /// <summary>Who has it may ask for telemetry: header <c>x-api-key</c>.</summary>
    public string ApiKey { get; } = NewKey();

    /// <summary>The pages' address.</summary>
    public string Url => this.GetEndpoint(PageEndpoint).Url;

    /// <summary>The way in.</summary>
    public string LoginLink => $"{Url}/login?t={LoginToken}";

    /// <summary>Adds the dashboard, and has every project send its telemetry there, unless it was told otherwise.</summary>
    public static void AddTo(IDistributedApplicationBuilder application)
    {
        var resource = new DashboardResource();
        var builder = application.AddResource(resource)
            .WithHttpEndpoint(name: PageEndpoint)
            .WithHttpEndpoint(name: OtlpGrpcEndpoint)
            .WithHttpEndpoint(name: OtlpHttpEndpoint)
            .WithHttpHealthCheck("/health", endpointName: PageEndpoint)
            .WithAnnotation(new HiddenAnnotation())
            .WithAnnotation(new LaunchAnnotation("Executable", resource.PlanAsync));
        foreach (var project in application.Resources.OfType<ProjectResource>())
            application.CreateResourceBuilder(project).WithEnvironment(resource.AddTelemetryTo);

        application.Services.AddSingleton(builder.Resource);
        application.Services.AddHostedService<LoginLink>();
    }

    /// <summary>The environment of one that was told nothing of its telemetry.</summary>
    private void AddTelemetryTo(EnvironmentCallbackContext context)
    {
        if (!context.EnvironmentVariables.TryAdd("OTEL_EXPORTER_OTLP_ENDPOINT", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{this.GetEndpoint(OtlpGrpcEndpoint).Port}")))
            return;
        context.EnvironmentVariables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";
        context.EnvironmentVariables["OTEL_EXPORTER_OTLP_HEADERS"] = $"x-otlp-api-key={OtlpKey}";
        // Short, so that the pages feel live.
        foreach (var delay in (string[])["OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"])
            context.EnvironmentVariables.TryAdd(delay, "1000");
    }

    private async Task<LaunchPlan> PlanAsync(LaunchContext context, CancellationToken cancellationToken)
    {
        var environment = ProgramLaunch.InheritedEnvironment(context);
        var output = context.Services.GetRequiredService<ConsoleOutput>();
        string program;
        try
        {
            program = await new DashboardPackage(DashboardPackage.CacheOf(environment), environment).GetAsync(output.Say, cancellationToken);
        }
        catch (DistributedApplicationException exception)
        {
            output.Say($"No Aspire dashboard: {exception.Message} All else runs without it; --aspire-dashboard false leaves it out.");
            throw;
        }

        var host = context.Services.GetRequiredService<ResourceServiceHost>();
        var home = context.Folder.Folder(ResourceName);
        // Nothing of the AppHost's environment: a setting meant for the services would be one of the dashboard's too.
        var own = new Dictionary<string, string>(context.Mark)
        {
            ["PATH"] = environment.GetValueOrDefault("PATH", "/usr/bin:/bin"),
            ["HOME"] = home,
            ["ASPNETCORE_URLS"] = Listening(PageEndpoint),
            ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = Listening(OtlpGrpcEndpoint),
            ["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = Listening(OtlpHttpEndpoint),
            ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = (await host.AddressAsync(cancellationToken)).AbsoluteUri,
            ["DASHBOARD__FRONTEND__AUTHMODE"] = "BrowserToken",
            ["DASHBOARD__FRONTEND__BROWSERTOKEN"] = LoginToken,
            ["DASHBOARD__OTLP__AUTHMODE"] = "ApiKey",
            ["DASHBOARD__OTLP__PRIMARYAPIKEY"] = OtlpKey,
            ["DASHBOARD__RESOURCESERVICECLIENT__AUTHMODE"] = "ApiKey",
            ["DASHBOARD__RESOURCESERVICECLIENT__APIKEY"] = host.ApiKey,
            ["DASHBOARD__API__AUTHMODE"] = "ApiKey",
            ["DASHBOARD__API__PRIMARYAPIKEY"] = ApiKey,
            // It ends itself when the AppHost is gone; the watchdog is the second rope.
            ["ASPIRE_CLI_PID"] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
            ["ASPIRE_DASHBOARD_TELEMETRY_OPTOUT"] = "true",
            ["LOGGING__CONSOLE__FORMATTERNAME"] = "json",
            ["LOGGING__LOGLEVEL__DEFAULT"] = "Warning",
        };
        // It keeps nothing and takes up to 1.5 s to end when asked; a stop, and the watchdog's two seconds, are better spent on those who have something to finish.
        return new LaunchPlan
        {
            Process = new ProcessSpec(program, ["dashboard"], own, home) { StopSignal = Native.SigKill },
            Properties = [new ResourcePropertySnapshot("executable.path", program), new ResourcePropertySnapshot("executable.workDir", home)],
        };

        string Listening(string endpoint) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{context.PortOf(endpoint)}");
    }

    private static string NewKey() => RandomNumberGenerator.GetHexString(32, lowercase: true);
}

/// <summary>Pages and the start's table leave the resource out; what it writes goes to its log file alone.</summary>
internal sealed class HiddenAnnotation : IResourceAnnotation;
