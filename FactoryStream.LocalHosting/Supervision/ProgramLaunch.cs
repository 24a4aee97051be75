using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace FactoryStream.LocalHosting.Supervision;

/// <summary>Projects and other programs: their environment and arguments, as Aspire gives them.</summary>
internal static class ProgramLaunch
{
    /// <summary>What an AppHost has in its environment for itself: addresses of its own, and secrets that only references hand on.</summary>
    private static readonly string[] KeptBack =
    [
        "ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS", "ASPIRE_", "DOTNET_LAUNCH_PROFILE", "DOTNET_ASPIRE_", "DCP_", "Parameters__", "ConnectionStrings__",
        "MSBUILD", "VSTEST_", Watchdog.RunVariable, Watchdog.InstanceVariable,
    ];

    public static async Task<LaunchPlan> ProjectAsync(LaunchContext context, IProjectMetadata metadata, CancellationToken cancellationToken)
    {
        if (!File.Exists(metadata.AssemblyPath))
            throw new DistributedApplicationException($"{metadata.AssemblyPath} is not there: build the AppHost again.");
        var program = Path.ChangeExtension(metadata.AssemblyPath, null);
        var folder = Path.GetDirectoryName(metadata.ProjectPath) is { } project && Directory.Exists(project) ? project : Path.GetDirectoryName(metadata.AssemblyPath)!;
        var plan = File.Exists(program)
            ? await PlanAsync(context, program, [], folder, cancellationToken)
            : await PlanAsync(context, Path.Combine(DotNetRoot, "dotnet"), [metadata.AssemblyPath], folder, cancellationToken);
        return plan with { Properties = [.. plan.Properties, new ResourcePropertySnapshot("project.path", metadata.ProjectPath) { IsHighlighted = true }] };
    }

    public static Task<LaunchPlan> ExecutableAsync(LaunchContext context, ExecutableResource resource, CancellationToken cancellationToken) =>
        PlanAsync(context, resource.Command, [], resource.WorkingDirectory, cancellationToken);

    /// <summary>The environment that every process of the application begins with: the AppHost's, less what is the AppHost's alone, and the marks.</summary>
    public static Dictionary<string, string> InheritedEnvironment(LaunchContext context)
    {
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(variable => !Array.Exists(KeptBack, prefix => ((string)variable.Key).StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "");
        foreach (var (name, value) in context.Mark)
            environment[name] = value;
        return environment;
    }

    private static string DotNetRoot => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    private static async Task<LaunchPlan> PlanAsync(LaunchContext context, string file, string[] prefix, string folder, CancellationToken cancellationToken)
    {
        var described = await EnvironmentAsync(context, cancellationToken);
        var arguments = new List<object>();
        foreach (var annotation in context.Resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
            await annotation.Callback(new CommandLineArgsCallbackContext(arguments, context.Resource, cancellationToken));
        var values = new List<string>(prefix);
        foreach (var argument in arguments)
            values.Add(await ValueAsync(argument, cancellationToken) ?? "");

        var environment = InheritedEnvironment(context);
        foreach (var (name, value) in described)
            environment[name] = await ValueAsync(value, cancellationToken) ?? "";
        return new LaunchPlan
        {
            Process = new ProcessSpec(file, values, environment, folder),
            Environment = [.. described.Keys.Select(name => new EnvironmentVariableSnapshot(name, environment[name], IsFromSpec: true))],
            Properties =
            [
                new ResourcePropertySnapshot("executable.path", file),
                new ResourcePropertySnapshot("executable.workDir", folder),
                new ResourcePropertySnapshot("executable.args", values.ToArray()),
                new ResourcePropertySnapshot("resource.appArgs", values.Skip(prefix.Length).ToArray()),
            ],
        };
    }

    private static async Task<Dictionary<string, object>> EnvironmentAsync(LaunchContext context, CancellationToken cancellationToken)
    {
        var resource = context.Resource;
        var environment = new Dictionary<string, object>(StringComparer.Ordinal);

        // What Aspire's launch profiles and its orchestrator set for a project.
        if (resource is ProjectResource)
        {
            var name = Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? "Development";
            environment["ASPNETCORE_ENVIRONMENT"] = name;
            environment["DOTNET_ENVIRONMENT"] = name;
            environment["DOTNET_ROOT"] = DotNetRoot;
            AddTelemetry(context, environment);
        }
        var endpoints = resource.Annotations.OfType<EndpointAnnotation>().ToArray();
        if (resource is ProjectResource && endpoints.Any(endpoint => endpoint.UriScheme is "http"))
        {
            environment["ASPNETCORE_URLS"] = string.Join(';', endpoints.Where(endpoint => endpoint.UriScheme is "http")
                .Select(endpoint => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{context.PortOf(endpoint.Name)}")));
        }
        foreach (var endpoint in endpoints)
        {
            if (endpoint.PortVariable is { } variable)
                environment[variable] = context.PortOf(endpoint.Name).ToString(CultureInfo.InvariantCulture);
        }

        var callbackContext = new EnvironmentCallbackContext(new DistributedApplicationExecutionContext(DistributedApplicationOperation.Run), resource, environment, cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
            await annotation.Callback(callbackContext);
        return environment;
    }

    /// <summary>A service says who it is; where it sends its telemetry to is what the AppHost itself was told.</summary>
    private static void AddTelemetry(LaunchContext context, Dictionary<string, object> environment)
    {
        environment["OTEL_SERVICE_NAME"] = context.Resource.Name;
        environment["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={context.InstanceId[(context.InstanceId.LastIndexOf('-') + 1)..]}";
        if (string.IsNullOrEmpty(context.Settings.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            return;
        foreach (var told in (string[])["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS"])
        {
            if (context.Settings.Configuration[told] is { Length: > 0 } value)
                environment[told] = value;
        }
        foreach (var delay in (string[])["OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"])
            environment[delay] = context.Settings.Configuration[delay] ?? "1000";
    }

    private static async Task<string?> ValueAsync(object value, CancellationToken cancellationToken) => value switch
    {
        string text => text,
        IResourceBuilder<IResource> { Resource: IValueProvider provider } => await provider.GetValueAsync(cancellationToken),
        IValueProvider provider => await provider.GetValueAsync(cancellationToken),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };
}
