using Aspire.Hosting.ApplicationModel;

namespace FactoryStream.LocalHosting.Supervision;

/// <summary>How a resource is brought to life. <paramref name="type"/>: what pages call its kind.</summary>
internal sealed class LaunchAnnotation(string type, Func<LaunchContext, CancellationToken, Task<LaunchPlan>> plan) : IResourceAnnotation
{
    public string Type { get; } = type;

    /// <summary>Made anew for every start.</summary>
    public Func<LaunchContext, CancellationToken, Task<LaunchPlan>> Plan { get; } = plan;
}

/// <summary>What else those who refer to a resource are told.</summary>
internal sealed class ReferenceNoteAnnotation(Action<EnvironmentCallbackContext> addTo) : IResourceAnnotation
{
    public Action<EnvironmentCallbackContext> AddTo { get; } = addTo;
}

/// <summary>Awaited before a resource is stopped with the whole application, so that what it still has to do is done.</summary>
internal sealed class DrainAnnotation(Func<IResource, Action<string>, CancellationToken, Task> drain) : IResourceAnnotation
{
    public Func<IResource, Action<string>, CancellationToken, Task> Drain { get; } = drain;
}

/// <summary>Who is started, and with what.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="InstanceId">Its instance.</param>
/// <param name="PortOf">The port that this instance is to listen on, for each endpoint.</param>
/// <param name="Settings">The local way's settings.</param>
/// <param name="Folder">The data folder.</param>
/// <param name="Ports">Where further ports are had.</param>
/// <param name="Mark">What every process of the instance carries in its environment.</param>
/// <param name="Log">Writes to its console.</param>
/// <param name="Services">The AppHost's own services.</param>
internal sealed record LaunchContext(
    IResource Resource, string InstanceId, Func<string, int> PortOf, AppHostSettings Settings, DataFolder Folder, Ports Ports, IReadOnlyDictionary<string, string> Mark, Action<string, bool> Log,
    IServiceProvider Services);

/// <summary>What to run: a process, something within the AppHost, or nothing because it runs elsewhere.</summary>
internal sealed record LaunchPlan
{
    public ProcessSpec? Process { get; init; }

    public IAsyncDisposable? InProcess { get; init; }

    /// <summary>What is true of it, for pages.</summary>
    public IReadOnlyList<ResourcePropertySnapshot> Properties { get; init; } = [];

    /// <summary>The environment as described, for pages.</summary>
    public IReadOnlyList<EnvironmentVariableSnapshot> Environment { get; init; } = [];

    /// <summary>Another address than its endpoints'.</summary>
    public string? Address { get; init; }

    /// <summary>Where its data lies.</summary>
    public string? DataFolder { get; init; }
}
