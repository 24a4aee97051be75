using System.Globalization;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Where a resource listens.</summary>
public sealed class EndpointAnnotation(string uriScheme, string name, int? port, int? targetPort, bool isExternal) : IResourceAnnotation
{
    private readonly TaskCompletionSource<AllocatedEndpoint> allocated = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>http, tcp, ...</summary>
    public string UriScheme { get; set; } = uriScheme;

    /// <summary>Its name within the resource.</summary>
    public string Name { get; set; } = name;

    /// <summary>The port others use; any free one if null.</summary>
    public int? Port { get; set; } = port;

    /// <summary>The port the process listens on; the same, or any free one when several share <see cref="Port"/>, if null.</summary>
    public int? TargetPort { get; set; } = targetPort;

    /// <summary>Whether it is for others than the application's own resources.</summary>
    public bool IsExternal { get; set; } = isExternal;

    /// <summary>The environment variable that gives the process its port.</summary>
    internal string? PortVariable { get; init; }

    /// <summary>The address others use, once it is known.</summary>
    public AllocatedEndpoint? AllocatedEndpoint
    {
        get => allocated.Task.IsCompletedSuccessfully ? allocated.Task.Result : null;
        set => allocated.TrySetResult(value ?? throw new ArgumentNullException(nameof(value)));
    }

    internal Task<AllocatedEndpoint> WhenAllocated => allocated.Task;
}

/// <summary>An address that was given to an endpoint.</summary>
public sealed class AllocatedEndpoint(EndpointAnnotation endpoint, string address, int port)
{
    /// <summary>Whose address it is.</summary>
    public EndpointAnnotation Endpoint { get; } = endpoint;

    /// <summary>The host.</summary>
    public string Address { get; } = address;

    /// <summary>The port.</summary>
    public int Port { get; } = port;

    /// <summary>host:port</summary>
    public string EndPointString => string.Create(CultureInfo.InvariantCulture, $"{Address}:{Port}");

    /// <summary>scheme://host:port</summary>
    public string UriString => $"{Endpoint.UriScheme}://{EndPointString}";
}

/// <summary>One endpoint of one resource; its value is its URL.</summary>
public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName) : IValueProvider
{
    internal EndpointReference(IResourceWithEndpoints owner, EndpointAnnotation endpoint) : this(owner, endpoint.Name)
    {
    }

    /// <summary>Whose endpoint it is.</summary>
    public IResourceWithEndpoints Resource { get; } = owner;

    /// <summary>Its name.</summary>
    public string EndpointName { get; } = endpointName;

    /// <summary>What was said about it.</summary>
    public EndpointAnnotation EndpointAnnotation =>
        Resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(endpoint => string.Equals(endpoint.Name, EndpointName, StringComparison.OrdinalIgnoreCase))
        ?? throw new InvalidOperationException($"The resource '{Resource.Name}' has no endpoint named '{EndpointName}'.");

    /// <summary>Whether the resource has such an endpoint.</summary>
    public bool Exists => Resource.Annotations.OfType<EndpointAnnotation>().Any(endpoint => string.Equals(endpoint.Name, EndpointName, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether its address is known.</summary>
    public bool IsAllocated => EndpointAnnotation.AllocatedEndpoint is not null;

    /// <summary>http, tcp, ...</summary>
    public string Scheme => EndpointAnnotation.UriScheme;

    /// <summary>The host others use.</summary>
    public string Host => Allocated.Address;

    /// <summary>The port others use.</summary>
    public int Port => Allocated.Port;

    /// <summary>The URL others use.</summary>
    public string Url => Allocated.UriString;

    private AllocatedEndpoint Allocated => EndpointAnnotation.AllocatedEndpoint
        ?? throw new InvalidOperationException($"The endpoint '{EndpointName}' of '{Resource.Name}' has no address yet.");

    /// <inheritdoc />
    public async ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) =>
        (await EndpointAnnotation.WhenAllocated.WaitAsync(cancellationToken)).UriString;
}
