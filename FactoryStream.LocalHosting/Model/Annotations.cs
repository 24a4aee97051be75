using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The resource is that many equal processes behind one endpoint.</summary>
public sealed class ReplicaAnnotation(int replicas = 1) : IResourceAnnotation
{
    /// <summary>How many.</summary>
    public int Replicas { get; } = replicas;
}

/// <summary>What is waited for.</summary>
public enum WaitType
{
    /// <summary>Running, and every health check passes.</summary>
    WaitUntilHealthy,

    /// <summary>Ended with the expected exit code.</summary>
    WaitForCompletion,

    /// <summary>Running.</summary>
    WaitUntilStarted,
}

/// <summary>The resource starts only after another.</summary>
public sealed class WaitAnnotation(IResource resource, WaitType waitType, int exitCode = 0) : IResourceAnnotation
{
    /// <summary>The other.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>What it must have come to.</summary>
    public WaitType WaitType { get; } = waitType;

    /// <summary>The exit code expected of it, for <see cref="WaitType.WaitForCompletion"/>.</summary>
    public int ExitCode { get; } = exitCode;
}

/// <summary>The resource is healthy only while this check passes.</summary>
public class HealthCheckAnnotation : IResourceAnnotation
{
    internal HealthCheckAnnotation(string key, Func<Func<string, Uri>, CancellationToken, Task> check)
    {
        Key = key;
        Check = check;
    }

    /// <summary>The check's name in health reports.</summary>
    public string Key { get; }

    /// <summary>What is checked of one instance; throws when it fails. Given the instance's own address of an endpoint.</summary>
    internal Func<Func<string, Uri>, CancellationToken, Task> Check { get; }
}

/// <summary>Changes the environment of a resource's processes just before they start.</summary>
public class EnvironmentCallbackAnnotation(Func<EnvironmentCallbackContext, Task> callback) : IResourceAnnotation
{
    /// <summary>The change.</summary>
    public Func<EnvironmentCallbackContext, Task> Callback { get; } = callback;
}

/// <summary>The environment in the making.</summary>
public class EnvironmentCallbackContext(
    DistributedApplicationExecutionContext executionContext, IResource resource, Dictionary<string, object>? environmentVariables = null, CancellationToken cancellationToken = default)
{
    /// <summary>Names, and values or what provides them (<see cref="IValueProvider"/>).</summary>
    public Dictionary<string, object> EnvironmentVariables { get; } = environmentVariables ?? [];

    /// <summary>Whether the application runs or is published.</summary>
    public DistributedApplicationExecutionContext ExecutionContext { get; } = executionContext;

    /// <summary>Whose environment it is.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>Ends with the application.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>Writes to the resource's console.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;
}

/// <summary>Changes the arguments of a resource's processes just before they start.</summary>
public class CommandLineArgsCallbackAnnotation(Func<CommandLineArgsCallbackContext, Task> callback) : IResourceAnnotation
{
    /// <summary>The change.</summary>
    public Func<CommandLineArgsCallbackContext, Task> Callback { get; } = callback;
}

/// <summary>The arguments in the making.</summary>
public sealed class CommandLineArgsCallbackContext(IList<object> args, IResource resource, CancellationToken cancellationToken = default)
{
    /// <summary>Arguments, or what provides them (<see cref="IValueProvider"/>).</summary>
    public IList<object> Args { get; } = args;

    /// <summary>Whose arguments they are.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>Ends with the application.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;
}

/// <summary>The resource starts when told to, not with the application.</summary>
public sealed class ExplicitStartupAnnotation : IResourceAnnotation;

/// <summary>An edge of the resource graph.</summary>
public sealed class ResourceRelationshipAnnotation(IResource resource, string type) : IResourceAnnotation
{
    /// <summary>The other end.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>Reference, WaitFor or Parent.</summary>
    public string Type { get; } = type;
}

/// <summary>An icon for pages that show the resource: a Fluent icon's name.</summary>
public sealed class ResourceIconAnnotation(string iconName, IconVariant variant) : IResourceAnnotation
{
    /// <summary>The icon's name.</summary>
    public string IconName { get; } = iconName;

    /// <summary>Outlined or filled.</summary>
    public IconVariant IconVariant { get; } = variant;
}

/// <summary>How an icon is drawn.</summary>
public enum IconVariant
{
    /// <summary>Outlined.</summary>
    Regular,

    /// <summary>Filled.</summary>
    Filled,
}

/// <summary>Where a URL is shown.</summary>
public enum UrlDisplayLocation
{
    /// <summary>Everywhere.</summary>
    SummaryAndDetails,

    /// <summary>In a resource's details alone.</summary>
    DetailsOnly,
}

/// <summary>A URL of a resource, as people see it.</summary>
public sealed class ResourceUrlAnnotation : IResourceAnnotation
{
    /// <summary>Where it leads; relative to the endpoint's, if it is no full one.</summary>
    public required string Url { get; set; }

    /// <summary>What is shown for it.</summary>
    public string? DisplayText { get; set; }

    /// <summary>Its place among the resource's URLs, highest first.</summary>
    public int? DisplayOrder { get; set; }

    /// <summary>Where it is shown.</summary>
    public UrlDisplayLocation DisplayLocation { get; set; }

    /// <summary>The endpoint it leads to.</summary>
    public EndpointReference? Endpoint { get; init; }
}

/// <summary>Changes what is shown of an endpoint's URL.</summary>
internal sealed class EndpointUrlAnnotation(string endpointName, Action<ResourceUrlAnnotation> change) : IResourceAnnotation
{
    public string EndpointName { get; } = endpointName;

    public Action<ResourceUrlAnnotation> Change { get; } = change;
}

/// <summary>How long what Aspire runs as a container lives.</summary>
public enum ContainerLifetime
{
    /// <summary>As long as the AppHost.</summary>
    Session,

    /// <summary>On, after the AppHost. The local way leaves nothing behind: there it is as <see cref="Session"/>, and the data stays.</summary>
    Persistent,
}

/// <summary>What a probe decides.</summary>
public enum ProbeType
{
    /// <summary>Whether the start is over.</summary>
    Startup,

    /// <summary>Whether requests may come.</summary>
    Readiness,

    /// <summary>Whether it has to be started anew.</summary>
    Liveness,
}

/// <summary>How a resource is asked how it is, where it is published.</summary>
public abstract class ProbeAnnotation : IResourceAnnotation
{
    /// <summary>What the answer decides.</summary>
    public required ProbeType Type { get; init; }

    /// <summary>Before the first question. The charts of the local way have a startup probe instead.</summary>
    public int InitialDelaySeconds { get; init; }

    /// <summary>Between questions.</summary>
    public int PeriodSeconds { get; init; }

    /// <summary>How long an answer may take.</summary>
    public int TimeoutSeconds { get; set; }

    /// <summary>How many bad answers in a row count.</summary>
    public int FailureThreshold { get; init; }

    /// <summary>How many good answers in a row count.</summary>
    public int SuccessThreshold { get; init; }
}

/// <summary>A GET of a path of an endpoint.</summary>
public sealed class EndpointProbeAnnotation : ProbeAnnotation
{
    /// <summary>The endpoint.</summary>
    public required EndpointReference EndpointReference { get; init; }

    /// <summary>The path.</summary>
    public required string Path { get; init; }
}
