using System.Globalization;
using System.Security.Cryptography;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.LocalHosting.Supervision;

/// <summary>Starts the whole application, and ends it in an order in which nothing that was promised is lost.</summary>
internal sealed class Supervisor(
    DistributedApplicationModel model, AppHostSettings settings, DataFolder folder, Ports ports, ResourceNotificationService notifications, ResourceLoggerService loggers, TimeProvider clock,
    IServiceProvider services)
    : IHostedService, IAsyncDisposable
{
    private const string RegisterFile = "processes";
    private const string RunFile = "run";

    private readonly Lock gate = new();
    private readonly List<ResourceInstance> instances = [];
    private readonly List<Relay> relays = [];
    private Watchdog? watchdog;
    private bool stopped;

    /// <summary>This run's name: what its processes are known by.</summary>
    public string Run { get; } = RandomNumberGenerator.GetHexString(16, lowercase: true);

    public AppHostSettings Settings => settings;

    public DataFolder Folder => folder;

    public Ports Ports => ports;

    public IServiceProvider Services => services;

    /// <summary>The watchdog's process.</summary>
    public int WatchdogId => watchdog?.ProcessId ?? 0;

    public ResourceInstance? Find(string id)
    {
        lock (gate)
            return instances.Find(instance => string.Equals(instance.Id, id, StringComparison.OrdinalIgnoreCase));
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            throw new DistributedApplicationException("The local way runs on Linux alone. Elsewhere: Orchestrator=aspire, with a container runtime.");
        folder.Take();
        // A watchdog that was killed with its AppHost may have left processes behind; they would hold ports and data.
        if (folder.TryRead(RunFile) is { } last)
            await Watchdog.SweepAsync(Watchdog.RunVariable, last, folder.File(RegisterFile));
        folder.Write(RegisterFile, "");
        folder.Write(RunFile, Run);
        watchdog = Watchdog.Start(Run, folder.File(RegisterFile), folder.IsTemporary ? folder.Path : null);

        foreach (var parameter in model.Resources.OfType<ParameterResource>())
            Resolve(parameter);
        var logs = folder.Folder("logs");
        foreach (var resource in model.Resources.Where(resource => resource.HasAnnotationOfType<LaunchAnnotation>()))
            Place(resource, logs);
        foreach (var instance in instances.Where(instance => !instance.Resource.HasAnnotationOfType<ExplicitStartupAnnotation>()))
            await instance.StartAsync(cancellationToken);
    }

    /// <summary>
    /// Those that wait for most are stopped first, in the order they were described; replicas together. A resource that has to finish
    /// what others gave it is waited for (<see cref="DrainAnnotation"/>) before its turn.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (stopped)
            return;
        stopped = true;
        foreach (var group in StopOrder())
        {
            foreach (var drain in model.Resources.SelectMany(resource => resource.Annotations.OfType<DrainAnnotation>()))
            {
                if (group.Any(instance => instance.IsReady))
                    await drain.Drain(group[0].Resource, line => loggers.Write(group[0].Id, line, false), cancellationToken);
            }
            await Task.WhenAll(group.Select(instance => instance.StopAsync(CancellationToken.None)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        foreach (var relay in relays)
            await relay.DisposeAsync();
        relays.Clear();
        folder.Dispose();
        watchdog?.Dispose();
        watchdog = null;
    }

    /// <summary>Writes down who runs, for the watchdog and for the next start.</summary>
    public void ProcessesChanged()
    {
        lock (gate)
        {
            folder.Write(RegisterFile, string.Concat(instances.Select(instance => instance.Process).OfType<RegisteredProcess>()
                .Select(process => string.Create(CultureInfo.InvariantCulture, $"{process.Id} {process.StartTime} {process.StopSignal}\n"))));
        }
    }

    internal IReadOnlyList<IReadOnlyList<ResourceInstance>> StopOrder()
    {
        return [.. model.Resources.Select((resource, place) => (Resource: resource, Place: place))
            .OrderByDescending(entry => Depth(entry.Resource)).ThenBy(entry => entry.Place)
            .Select(entry => instances.Where(instance => ReferenceEquals(instance.Resource, entry.Resource)).ToArray())
            .Where(group => group.Length > 0)];

        static int Depth(IResource resource)
        {
            var below = resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource).ToList();
            if (resource is IResourceWithParent child)
                below.Add(child.Parent);
            return below.Count == 0 ? 0 : 1 + below.Max(Depth);
        }
    }

    private void Place(IResource resource, string logs)
    {
        var endpoints = resource.Annotations.OfType<EndpointAnnotation>().ToArray();
        var replicas = resource.GetReplicaCount();
        var publicPorts = endpoints.ToDictionary(endpoint => endpoint.Name, endpoint =>
        {
            var port = endpoint.Port is > 0 and var asked && !settings.IsTest ? asked : ports.For($"{resource.Name}/{endpoint.Name}");
            endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, endpoint.UriScheme == "http" ? "localhost" : "127.0.0.1", port);
            return port;
        });
        var here = new List<ResourceInstance>();
        for (var replica = 0; replica < replicas; replica++)
        {
            // Servers that exist once go by their name; processes that come and go by name and a short mark, as telemetry knows them.
            var id = resource is ContainerResource or IResourceWithParent ? resource.Name : $"{resource.Name}-{RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyz", 8)}";
            var own = replicas == 1 ? publicPorts : endpoints.ToDictionary(endpoint => endpoint.Name, _ => ports.Any());
            var instance = new ResourceInstance(resource, id, own, IsAwaited(resource), this, notifications, loggers, clock);
            here.Add(instance);
            lock (gate)
                instances.Add(instance);
            var label = replicas == 1 ? resource.Name : $"{resource.Name}-{replica + 1}";
            loggers.KeepIn(id, label, new Terminal.LogFile(Path.Combine(logs, $"{label}.log")), resource.HasAnnotationOfType<AspireDashboard.HiddenAnnotation>());
            notifications.PublishUpdateAsync(resource, id, _ => new CustomResourceSnapshot
            {
                ResourceType = resource.Annotations.OfType<LaunchAnnotation>().Last().Type,
                Properties = resource is IResourceWithParent child ? [new ResourcePropertySnapshot("resource.parentName", child.Parent.Name)] : [],
                CreationTimeStamp = clock.GetUtcNow().UtcDateTime,
                State = KnownResourceStates.NotStarted,
                Relationships = Relationships(resource),
                IsHidden = resource.HasAnnotationOfType<AspireDashboard.HiddenAnnotation>(),
                IconName = resource.TryGetLastAnnotation<ResourceIconAnnotation>(out var icon) ? icon.IconName : null,
                IconVariant = icon?.IconVariant,
            });
        }
        if (replicas == 1)
            return;
        foreach (var (name, port) in publicPorts)
        {
            try
            {
                relays.Add(new Relay(port, () => [.. here.Where(instance => instance.IsReady).Select(instance => instance.Ports[name])]));
            }
            catch (System.Net.Sockets.SocketException exception)
            {
                var who = Ports.ListenerOf(port) is { } listener ? $" ({listener})" : "";
                throw new DistributedApplicationException($"{resource.Name}: port {port} is taken by another program{who}. Stop that, or choose another port by --{resource.Name}:port NUMBER.", exception);
            }
        }
    }

    private bool IsAwaited(IResource resource) =>
        model.Resources.SelectMany(other => other.Annotations.OfType<WaitAnnotation>()).Any(wait => wait.WaitType == WaitType.WaitForCompletion && ReferenceEquals(wait.Resource, resource));

    private void Resolve(ParameterResource parameter)
    {
        var given = settings.Configuration.GetSection("Parameters")[parameter.Name];
        var value = given is { Length: > 0 } ? given
            : parameter.Default is FixedParameterDefault fixedDefault ? fixedDefault.GetDefaultValue()
            : parameter.Default is { } generated ? folder.Secret(parameter.Name, generated.GetDefaultValue)
            : null;
        if (value is null)
            parameter.Fail(new DistributedApplicationException($"The parameter '{parameter.Name}' has no value: give it by Parameters__{parameter.Name} in the environment or --Parameters:{parameter.Name}."));
        else
            parameter.Resolve(value);
        notifications.PublishUpdateAsync(parameter, parameter.Name, _ => new CustomResourceSnapshot
        {
            ResourceType = "Parameter",
            Properties =
            [
                new ResourcePropertySnapshot("Value", value) { DisplayName = "Value", IsSensitive = parameter.Secret, IsHighlighted = true },
                new ResourcePropertySnapshot("resource.source", $"Parameters:{parameter.Name}"),
            ],
            CreationTimeStamp = clock.GetUtcNow().UtcDateTime,
            State = value is null ? new ResourceStateSnapshot(KnownResourceStates.ValueMissing, KnownResourceStateStyles.Error) : KnownResourceStates.Running,
        });
    }

    private static System.Collections.Immutable.ImmutableArray<RelationshipSnapshot> Relationships(IResource resource)
    {
        var edges = resource.Annotations.OfType<ResourceRelationshipAnnotation>().Select(edge => new RelationshipSnapshot(edge.Resource.Name, edge.Type));
        return resource is IResourceWithParent child ? [new RelationshipSnapshot(child.Parent.Name, KnownRelationshipTypes.Parent), .. edges] : [.. edges.Distinct()];
    }
}
