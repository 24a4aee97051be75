using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Testing;

/// <summary>An application as a test builds it.</summary>
public interface IDistributedApplicationTestingBuilder : IDistributedApplicationBuilder, IAsyncDisposable, IDisposable
{
    /// <summary>The application described; the test starts it.</summary>
    Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default);
}

/// <summary>Builds an AppHost's application for a test: random ports, a data folder of its own that is deleted in the end, nothing on the console.</summary>
public static class DistributedApplicationTestingBuilder
{
    /// <summary>The application that an AppHost's entry point describes.</summary>
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(CancellationToken cancellationToken = default) where TEntryPoint : class =>
        CreateAsync<TEntryPoint>([], cancellationToken);

    /// <summary>The application that an AppHost's entry point describes, given further arguments.</summary>
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args, CancellationToken cancellationToken = default) where TEntryPoint : class =>
        CreateAsync(typeof(TEntryPoint), args, cancellationToken);

    /// <summary>The application that an AppHost's entry point describes, given further arguments.</summary>
    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync(Type entryPoint, string[] args, CancellationToken cancellationToken = default)
    {
        var main = entryPoint.Assembly.EntryPoint ?? throw new DistributedApplicationException($"{entryPoint.Assembly.GetName().Name} has no entry point.");
        var session = new TestSession(args, entryPoint.GetProperty("ProjectPath", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as string);
        var builder = await session.RunAsync(() => main.Invoke(null, main.GetParameters().Length == 0 ? null : [Array.Empty<string>()]), cancellationToken);
        return new TestingBuilder(builder, session.BuildAsync, session.Abandon);
    }

    /// <summary>An application that the test describes itself.</summary>
    public static IDistributedApplicationTestingBuilder Create(params string[] args)
    {
        var session = new TestSession(args, AppContext.BaseDirectory);
        var builder = session.CreateBuilder(new DistributedApplicationOptions());
        return new TestingBuilder(builder, _ => Task.FromResult(builder.BuildNow()), session.Abandon);
    }

    private sealed class TestingBuilder(DistributedApplicationBuilder builder, Func<CancellationToken, Task<DistributedApplication>> build, Action abandon) : IDistributedApplicationTestingBuilder
    {
        private bool built;

        public ConfigurationManager Configuration => builder.Configuration;

        public string AppHostDirectory => builder.AppHostDirectory;

        public IHostEnvironment Environment => builder.Environment;

        public IServiceCollection Services => builder.Services;

        public DistributedApplicationExecutionContext ExecutionContext => builder.ExecutionContext;

        public IResourceCollection Resources => builder.Resources;

        public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource => builder.AddResource(resource);

        public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource => builder.CreateResourceBuilder(resource);

        public DistributedApplication Build() => BuildAsync().GetAwaiter().GetResult();

        public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default)
        {
            built = true;
            return build(cancellationToken);
        }

        public void Dispose()
        {
            if (!built)
                abandon();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>What tests ask a running application for.</summary>
public static class DistributedApplicationHostingTestingExtensions
{
    /// <summary>A client of a resource's HTTP endpoint.</summary>
    public static HttpClient CreateHttpClient(this DistributedApplication app, string resourceName, string? endpointName = null) =>
        new() { BaseAddress = app.GetEndpoint(resourceName, endpointName) };

    /// <summary>A resource's connection string.</summary>
    public static ValueTask<string?> GetConnectionStringAsync(this DistributedApplication app, string resourceName, CancellationToken cancellationToken = default) =>
        app.Resource(resourceName) is IResourceWithConnectionString resource
            ? resource.GetConnectionStringAsync(cancellationToken)
            : throw new ArgumentException($"'{resourceName}' has no connection string.", nameof(resourceName));

    /// <summary>A resource's address.</summary>
    public static Uri GetEndpoint(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        var endpoints = app.Resource(resourceName).Annotations.OfType<EndpointAnnotation>().ToArray();
        var endpoint = endpointName is null
            ? endpoints.FirstOrDefault(endpoint => endpoint.UriScheme is "http" or "https") ?? endpoints.FirstOrDefault()
            : Array.Find(endpoints, endpoint => string.Equals(endpoint.Name, endpointName, StringComparison.OrdinalIgnoreCase));
        var allocated = endpoint?.AllocatedEndpoint ?? throw new ArgumentException($"'{resourceName}' has no endpoint{(endpointName is null ? "" : $" '{endpointName}'")} yet.", nameof(resourceName));
        return new Uri(allocated.UriString);
    }

    private static IResource Resource(this DistributedApplication app, string name) =>
        app.Services.GetRequiredService<DistributedApplicationModel>().Resources.FirstOrDefault(resource => string.Equals(resource.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new ArgumentException($"There is no resource '{name}'.", nameof(name));
}
