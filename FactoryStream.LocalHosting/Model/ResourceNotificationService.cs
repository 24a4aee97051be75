using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>What an instance of a resource has become.</summary>
public sealed class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    /// <summary>The resource as described.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>The instance: the resource's name, with a suffix where it is a process of ours.</summary>
    public string ResourceId { get; } = resourceId;

    /// <summary>Its state.</summary>
    public CustomResourceSnapshot Snapshot { get; } = snapshot;
}

/// <summary>Whether a wait gives up on a resource that cannot come to what is waited for by itself.</summary>
public enum WaitBehavior
{
    /// <summary>It waits on: someone may start it.</summary>
    WaitOnResourceUnavailable,

    /// <summary>It gives up.</summary>
    StopOnResourceUnavailable,
}

/// <summary>The state of every instance, and the stream of its changes: what console, dashboard and tests are fed from.</summary>
public sealed class ResourceNotificationService
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, ResourceEvent> current = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<Channel<ResourceEvent>> watchers = [];
    private readonly IServiceProvider services;

    internal ResourceNotificationService(IServiceProvider services)
    {
        this.services = services;
    }

    /// <summary>Changes the state of a resource's only instance.</summary>
    public Task PublishUpdateAsync(IResource resource, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory) =>
        PublishUpdateAsync(resource, InstancesOf(resource) is [var only] ? only : resource.Name, stateFactory);

    /// <summary>Changes the state of an instance.</summary>
    public Task PublishUpdateAsync(IResource resource, string resourceId, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        lock (gate)
        {
            var before = current.TryGetValue(resourceId, out var known) ? known.Snapshot : new CustomResourceSnapshot { ResourceType = "Unknown", Properties = [] };
            var after = stateFactory(before);
            after = after with { Commands = [.. resource.Annotations.OfType<ResourceCommandAnnotation>().Select(command => command.Snapshot(after, services))] };
            var change = new ResourceEvent(resource, resourceId, after);
            current[resourceId] = change;
            foreach (var watcher in watchers)
                watcher.Writer.TryWrite(change);
        }
        return Task.CompletedTask;
    }

    /// <summary>The present state of an instance, by its id or by the name of its resource.</summary>
    public bool TryGetCurrentState(string resourceId, [NotNullWhen(true)] out ResourceEvent? resourceEvent)
    {
        lock (gate)
        {
            return current.TryGetValue(resourceId, out resourceEvent)
                || (resourceEvent = current.Values.FirstOrDefault(known => string.Equals(known.Resource.Name, resourceId, StringComparison.OrdinalIgnoreCase))) is not null;
        }
    }

    /// <summary>The present state of every instance, then every change.</summary>
    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<ResourceEvent>(new UnboundedChannelOptions { SingleReader = true });
        lock (gate)
        {
            foreach (var known in current.Values)
                channel.Writer.TryWrite(known);
            watchers.Add(channel);
        }
        try
        {
            await foreach (var change in channel.Reader.ReadAllAsync(cancellationToken))
                yield return change;
        }
        finally
        {
            lock (gate)
                watchers.Remove(channel);
        }
    }

    /// <summary>Waits until an instance of a resource is in a state; Running if none is said.</summary>
    public async Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default) =>
        await WaitForResourceAsync(resourceName, [targetState ?? KnownResourceStates.Running], cancellationToken);

    /// <summary>Waits until an instance of a resource is in one of some states; that state.</summary>
    public async Task<string> WaitForResourceAsync(string resourceName, IEnumerable<string> targetStates, CancellationToken cancellationToken = default)
    {
        var wanted = targetStates.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var change = await WaitForResourceAsync(resourceName, change => change.Snapshot.State is { } state && wanted.Contains(state.Text), cancellationToken);
        return change.Snapshot.State!.Text;
    }

    /// <summary>Waits until something is true of an instance of a resource.</summary>
    public async Task<ResourceEvent> WaitForResourceAsync(string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
    {
        ResourceEvent? last = null;
        try
        {
            await foreach (var change in WatchAsync(cancellationToken))
            {
                if (!string.Equals(change.Resource.Name, resourceName, StringComparison.OrdinalIgnoreCase) && !string.Equals(change.ResourceId, resourceName, StringComparison.OrdinalIgnoreCase))
                    continue;
                last = change;
                if (predicate(change))
                    return change;
            }
        }
        catch (OperationCanceledException exception)
        {
            var state = last is null ? "there was no such resource" : $"it was {last.Snapshot.State?.Text} ({last.Snapshot.HealthStatus?.ToString() ?? "no health"})";
            throw new OperationCanceledException($"Waited for '{resourceName}' in vain: at the end {state}.", exception, cancellationToken);
        }
        throw new OperationCanceledException($"Waited for '{resourceName}' in vain: the application ended.");
    }

    /// <summary>Waits until an instance of a resource runs and is healthy; gives up on one that has ended or cannot be started.</summary>
    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default) =>
        WaitForResourceHealthyAsync(resourceName, WaitBehavior.StopOnResourceUnavailable, cancellationToken);

    /// <summary>Waits until an instance of a resource runs and is healthy.</summary>
    public async Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, WaitBehavior waitBehavior, CancellationToken cancellationToken = default)
    {
        var change = await WaitForResourceAsync(
            resourceName,
            change => change.Snapshot.HealthStatus == HealthStatus.Healthy
                || waitBehavior == WaitBehavior.StopOnResourceUnavailable && KnownResourceStates.TerminalStates.Contains(change.Snapshot.State?.Text),
            cancellationToken);
        return change.Snapshot.HealthStatus == HealthStatus.Healthy
            ? change
            : throw new DistributedApplicationException($"'{resourceName}' will not become healthy: it is {change.Snapshot.State?.Text}.");
    }

    internal IReadOnlyList<string> InstancesOf(IResource resource)
    {
        lock (gate)
            return [.. current.Values.Where(known => ReferenceEquals(known.Resource, resource)).Select(known => known.ResourceId)];
    }

    internal IReadOnlyList<ResourceEvent> Present()
    {
        lock (gate)
            return [.. current.Values];
    }
}
