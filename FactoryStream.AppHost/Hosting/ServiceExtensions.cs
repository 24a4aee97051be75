using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.AppHost.Hosting;

/// <summary>What all services share.</summary>
internal static class ServiceExtensions
{
    // Of the simulator's POST /rate.
    private const string RateArgument = "readings";

    /// <summary>A service: its address, its probes, its instances and its settings.</summary>
    public static IResourceBuilder<ProjectResource> AddService<TProject>(
        this IDistributedApplicationBuilder builder,
        string name,
        int? port = null,
        int replicas = 1
    )
        where TProject : IProjectMetadata, new()
    {
        var settings = builder.Settings();
        var count = settings.Replicas(name, replicas);
        return builder
            .AddBuiltProject<TProject>(name)
            // In a test ports are anybody's, but one that no proxy stands before would stay as it is.
            .WithHttpEndpoint(port: settings.RandomizePorts && builder.ExecutionContext.IsRunMode ? null : settings.Port(name, port))
            .WithEndpoint(
                "http",
                endpoint =>
                {
                    // What has a port that others know is for them; the rest is for the services of this machine alone.
                    if (port is not null)
                        endpoint.TargetHost = settings.Listen;
                    // The proxy that shares out connections among replicas costs a third of Ingest's rate: one instance has its port to
                    // itself.
                    if (count == 1)
                        endpoint.IsProxied = false;
                }
            )
            .WithHttpProbe(ProbeType.Readiness, "/health", timeoutSeconds: 3, endpointName: "http")
            .WithHttpProbe(ProbeType.Liveness, "/alive", periodSeconds: 10, timeoutSeconds: 3, endpointName: "http")
            .WithReplicas(count)
            .WithProbeTimeouts()
            .WithServiceSettings();
    }

    /// <summary>
    /// Here, too, a probe waits no longer than it says. Aspire itself waits 10 s for an answer, and one that was asked while a proxy had no
    /// instance yet to pass it on to never comes: a start took that much longer.
    /// </summary>
    private static IResourceBuilder<ProjectResource> WithProbeTimeouts(this IResourceBuilder<ProjectResource> service)
    {
        service.ApplicationBuilder.Services.PostConfigure<HealthCheckServiceOptions>(health =>
        {
            foreach (var probe in service.Resource.Annotations.OfType<EndpointProbeAnnotation>())
            {
                var key = $"{service.Resource.Name}_{probe.EndpointReference.EndpointName}_{probe.Path}_200_check";
                foreach (var check in health.Registrations.Where(check => check.Name == key))
                    check.Timeout = TimeSpan.FromSeconds(probe.TimeoutSeconds);
            }
        });
        return service;
    }

    /// <summary>
    /// A project, started as the program that it was built to: `dotnet run` would build it again, and stay beside it as a second process.
    /// </summary>
    public static IResourceBuilder<ProjectResource> AddBuiltProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
    {
        // Not the parts of a connection string (FACTORYDB_PASSWORD, FACTORYDB_URI, ...), which are for other languages than .NET.
        var project = builder
            .AddProject<TProject>(name, launchProfileName: null)
            .WithReferenceEnvironment(
                ReferenceEnvironmentInjectionFlags.ConnectionString
                    | ReferenceEnvironmentInjectionFlags.ServiceDiscovery
                    | ReferenceEnvironmentInjectionFlags.Endpoints
            );
        var path = new TProject().ProjectPath;
        if (builder.ExecutionContext.IsRunMode && Programs.BuiltFrom(path) is { } program)
        {
            project
                .WithAnnotation(new ExecutableAnnotation { Command = program, WorkingDirectory = Path.GetDirectoryName(path)! })
                .WithEnvironment("DOTNET_ROOT", Programs.DotNetRoot);
        }
        return project.WithTelemetry();
    }

    /// <summary>A service's own options, as they stand under its name in the AppHost's settings.</summary>
    public static IResourceBuilder<ProjectResource> WithServiceSettings(this IResourceBuilder<ProjectResource> service)
    {
        var settings = service.ApplicationBuilder.Settings();
        return service.WithEnvironment(context =>
        {
            if (context.ExecutionContext.IsRunMode && KafkaOf(service.Resource) is { } kafka)
            {
                var inMemory = kafka is KafkaProcessResource { IsInMemory: true } ? ForKafkaInMemory(service.Resource.Name) : [];
                foreach (var (key, value) in inMemory.Concat(settings.KafkaSettings()))
                    context.EnvironmentVariables[key] = value;
            }
            foreach (var (key, value) in settings.Options(service.Resource.Name))
                context.EnvironmentVariables[key] = value;
        });
    }

    /// <summary>
    /// A secret that a service gets. Names of .NET's configuration do not differ by case, those of an environment do: a setting of the
    /// AppHost's (<c>verifier__AdminToken</c>) must neither stand beside the parameter that takes its place nor be published.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithSecret(
        this IResourceBuilder<ProjectResource> service,
        string name,
        IResourceBuilder<ParameterResource> secret
    ) =>
        service
            .WithReferenceRelationship(secret)
            .WithEnvironment(context =>
            {
                foreach (
                    var same in context
                        .EnvironmentVariables.Keys.Where(key => string.Equals(key, name, StringComparison.OrdinalIgnoreCase))
                        .ToArray()
                )
                    context.EnvironmentVariables.Remove(same);
                context.EnvironmentVariables[name] = secret.Resource;
            });

    /// <summary>
    /// The servers that a service works with: it is told where they are, and starts when Kafka answers and the migrations are through.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithServers(
        this IResourceBuilder<ProjectResource> service,
        IResourceBuilder<ProjectResource> migrations,
        IResourceBuilder<IResourceWithConnectionString> kafka,
        IResourceBuilder<IResourceWithConnectionString>? database = null
    )
    {
        service.WithReference(kafka).WaitFor(kafka).WaitForCompletion(migrations);
        return database is null ? service : service.WithReference(database);
    }

    /// <summary>Stops, starts and changes what the simulator sends.</summary>
    public static IResourceBuilder<ProjectResource> WithSimulatorCommands(this IResourceBuilder<ProjectResource> simulator) =>
        simulator
            .WithHttpCommand(
                "/pause",
                "Pause",
                commandName: "pause",
                commandOptions: new() { Description = "Takes no readings until resumed.", IconName = "Pause" }
            )
            .WithHttpCommand(
                "/resume",
                "Resume",
                commandName: "resume",
                commandOptions: new() { Description = "Takes readings again.", IconName = "PlayCircle" }
            )
            .WithHttpCommand(
                "/rate",
                "Change rate",
                commandName: "rate",
                commandOptions: new()
                {
                    Description = "Sets how many readings each engine takes a second.",
                    IconName = "TopSpeed",
                    Arguments =
                    [
                        new()
                        {
                            Name = RateArgument,
                            Label = "Readings of each engine a second, 0.01 to 100",
                            InputType = InputType.Number,
                            Required = true,
                            Value = "1",
                        },
                    ],
                    ValidateArguments = context =>
                    {
                        if (context.Inputs.GetDouble(RateArgument) is not (>= 0.01 and <= 100))
                            context.AddValidationError(RateArgument, "Expected a number from 0.01 to 100.");
                        return Task.CompletedTask;
                    },
                    PrepareRequest = context =>
                    {
                        var rate = Uri.EscapeDataString(context.Arguments.GetString(RateArgument) ?? "");
                        context.Request.RequestUri = new Uri(context.Request.RequestUri!, $"?{RateArgument}={rate}");
                        return Task.CompletedTask;
                    },
                }
            );

    /// <summary>Deletes what the Aggregator has stored, when its user has said yes.</summary>
    public static IResourceBuilder<ProjectResource> WithPurgeCommand(
        this IResourceBuilder<ProjectResource> aggregator,
        IResourceBuilder<ParameterResource> adminToken
    ) =>
        aggregator.WithHttpCommand(
            "/purge",
            "Purge data",
            commandName: "purge",
            commandOptions: new()
            {
                Description = "Deletes every reading, window, alert, rejection and the ledger; signing keys and alert rules stay.",
                ConfirmationMessage =
                    "Delete all readings, windows, alerts, rejections and the ledger for good? Signing keys stay, and counting "
                    + "goes on from zero.",
                IconName = "Delete",
                PrepareRequest = async context =>
                    context.Request.Headers.Authorization = new(
                        "Bearer",
                        await adminToken.Resource.GetValueAsync(context.CancellationToken)
                    ),
            }
        );

    /// <summary>Where telemetry goes: to the Aspire dashboard, to a collector of the user's own, or nowhere.</summary>
    private static IResourceBuilder<ProjectResource> WithTelemetry(this IResourceBuilder<ProjectResource> project)
    {
        var settings = project.ApplicationBuilder.Settings();
        return project.WithEnvironment(context =>
        {
            if (!context.ExecutionContext.IsRunMode)
                return;
            if (settings.Collector is { } collector)
            {
                context.EnvironmentVariables["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector;
                foreach (var name in (string[])["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS"])
                {
                    if (project.ApplicationBuilder.Configuration[name] is { Length: > 0 } value)
                        context.EnvironmentVariables[name] = value;
                    else
                        context.EnvironmentVariables.Remove(name);
                }
            }
            else if (!settings.AspireDashboard)
            {
                // An address that nobody listens on costs each service ten seconds at its end.
                context.EnvironmentVariables.Remove("OTEL_EXPORTER_OTLP_ENDPOINT");
            }
        });
    }

    /// <summary>The Kafka that a service refers to; null if it does to none.</summary>
    private static IResource? KafkaOf(ProjectResource service) =>
        service
            .Annotations.OfType<ResourceRelationshipAnnotation>()
            .Select(edge => edge.Resource)
            .FirstOrDefault(resource => resource.Name == KafkaConnection.Name);

    /// <summary>
    /// That broker keeps 5 MB of a partition, a fraction of a second: what waits and what is stored must be known in less, and no partition
    /// may get more than half, for its own overhead and what is in flight are as much again. A fetch that found nothing returns only
    /// when its time is up.
    /// </summary>
    private static IEnumerable<KeyValuePair<string, string>> ForKafkaInMemory(string service) =>
        service switch
        {
            "ingest" => [new("Ingest__MaxPartitionBytes", "2500000"), new("Ingest__BacklogPollInterval", "00:00:00.020")],
            "verifier" =>
            [
                new("Verifier__CommitInterval", "00:00:00.020"),
                new("Verifier__FetchWait", "00:00:00.010"),
                new("Verifier__FetchMinBytes", "1"),
            ],
            "aggregator" =>
            [
                new("Aggregator__OffsetCommitInterval", "00:00:00.040"),
                new("Aggregator__FetchWait", "00:00:00.010"),
                new("Aggregator__FetchMinBytes", "1"),
            ],
            _ => [],
        };
}
