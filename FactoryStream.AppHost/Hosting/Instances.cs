using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.AppHost.Hosting;

/// <summary>Every instance of every process, as it was last seen.</summary>
internal sealed class Instances(ResourceNotificationService notifications, DistributedApplicationModel model)
{
    private readonly ConcurrentDictionary<string, ResourceEvent> last = new();

    /// <summary>Follows all changes, and gives each on; ends with the application.</summary>
    public async Task FollowAsync(Action<ResourceEvent> changed, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in notifications.WatchAsync(cancellationToken))
            {
                if (!IsProcess(change.Resource))
                    continue;
                last[change.ResourceId] = change;
                changed(change);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application ends: what was seen last is what is ended.
        }
    }

    /// <summary>Those that run, of a resource.</summary>
    public IReadOnlyList<Instance> Running(IResource resource) =>
        [
            .. last
                .Values.Where(change =>
                    ReferenceEquals(change.Resource, resource)
                    && change.Snapshot.State?.Text is not null
                    && !KnownResourceStates.TerminalStates.Contains(change.Snapshot.State.Text)
                )
                .Select(change =>
                    PidOf(change.Snapshot) is { } pid
                        ? new Instance(change.ResourceId, pid, change.Snapshot.HealthStatus == HealthStatus.Healthy)
                        : null
                )
                .OfType<Instance>(),
        ];

    /// <summary>
    /// Those that wait for most first, in the order they were described: who ends in this order leaves nobody waiting for what has gone.
    /// </summary>
    public IEnumerable<IResource> DependentsFirst() =>
        model
            .Resources.Where(IsProcess)
            .Select((resource, place) => (resource, place))
            .OrderByDescending(entry => Depth(entry.resource))
            .ThenBy(entry => entry.place)
            .Select(entry => entry.resource);

    /// <summary>Others wait until it is done: it may end.</summary>
    public bool IsJob(IResource resource) =>
        model
            .Resources.SelectMany(other => other.Annotations.OfType<WaitAnnotation>())
            .Any(wait => wait.WaitType == WaitType.WaitForCompletion && ReferenceEquals(wait.Resource, resource));

    public static int? PidOf(CustomResourceSnapshot snapshot) =>
        snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value is { } pid
            ? Convert.ToInt32(pid, CultureInfo.InvariantCulture)
            : null;

    // Its own dashboard is Aspire's to look after.
    private static bool IsProcess(IResource resource) =>
        resource is ProjectResource or ExecutableResource && resource.Name != "aspire-dashboard";

    private static int Depth(IResource resource)
    {
        var below = resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource).ToList();
        if (resource is IResourceWithParent child)
            below.Add(child.Parent);
        return below.Count == 0 ? 0 : 1 + below.Max(Depth);
    }
}

/// <summary>A process that runs.</summary>
internal sealed record Instance(string Id, int Pid, bool IsReady);
