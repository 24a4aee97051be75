using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.Publishing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>Something is wrong with the application as described, or it could not be run.</summary>
public class DistributedApplicationException : Exception
{
    /// <summary>Without a word.</summary>
    public DistributedApplicationException()
    {
    }

    /// <summary>With what is wrong.</summary>
    public DistributedApplicationException(string message) : base(message)
    {
    }

    /// <summary>With what is wrong, and why.</summary>
    public DistributedApplicationException(string message, Exception inner) : base(message, inner)
    {
    }
}

/// <summary>How an application is made.</summary>
public sealed class DistributedApplicationOptions
{
    /// <summary>The command line.</summary>
    public string[]? Args { get; set; }

    /// <summary>Leaves the Aspire dashboard out.</summary>
    public bool DisableDashboard { get; set; }

    /// <summary>The AppHost's folder: its appsettings.json lies there, and its data folder is named after it.</summary>
    public string? ProjectDirectory { get; set; }
}

/// <summary>What an AppHost is run for.</summary>
public enum DistributedApplicationOperation
{
    /// <summary>To run the application.</summary>
    Run,

    /// <summary>To write files for another place to run it.</summary>
    Publish,
}

/// <summary>What an AppHost is run for.</summary>
public class DistributedApplicationExecutionContext(DistributedApplicationOperation operation)
{
    /// <summary>What for.</summary>
    public DistributedApplicationOperation Operation { get; } = operation;

    /// <summary>To run the application.</summary>
    public bool IsRunMode => Operation == DistributedApplicationOperation.Run;

    /// <summary>To write files for another place to run it.</summary>
    public bool IsPublishMode => Operation == DistributedApplicationOperation.Publish;
}

/// <summary>Describes an application.</summary>
public interface IDistributedApplicationBuilder
{
    /// <summary>appsettings.json, environment and command line.</summary>
    ConfigurationManager Configuration { get; }

    /// <summary>The AppHost's folder.</summary>
    string AppHostDirectory { get; }

    /// <summary>Development unless said otherwise.</summary>
    IHostEnvironment Environment { get; }

    /// <summary>The AppHost's own services.</summary>
    IServiceCollection Services { get; }

    /// <summary>What the AppHost is run for.</summary>
    DistributedApplicationExecutionContext ExecutionContext { get; }

    /// <summary>What was added.</summary>
    IResourceCollection Resources { get; }

    /// <summary>Adds a resource.</summary>
    IResourceBuilder<T> AddResource<T>(T resource) where T : IResource;

    /// <summary>Goes on describing a resource.</summary>
    IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource;

    /// <summary>The application described.</summary>
    DistributedApplication Build();
}

/// <summary>A resource that others find by its name.</summary>
public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

/// <summary>Where a project is, and what was built of it; written by LocalHosting.targets for each reference of the AppHost.</summary>
public interface IProjectMetadata : IResourceAnnotation
{
    /// <summary>The project file.</summary>
    string ProjectPath { get; }

    /// <summary>The assembly built of it. The local way's alone: Aspire asks the SDK to run the project.</summary>
    string AssemblyPath => "";
}

/// <summary>The application: its resources as processes of this machine.</summary>
public class DistributedApplication : IHost, IAsyncDisposable
{
    private readonly IHost host;
    private readonly Testing.TestSession? session;
    private bool disposed;

    internal DistributedApplication(IHost host, Testing.TestSession? session)
    {
        this.host = host;
        this.session = session;
        ResourceNotifications = host.Services.GetRequiredService<ResourceNotificationService>();
        ResourceCommands = host.Services.GetRequiredService<ResourceCommandService>();
    }

    /// <inheritdoc />
    public IServiceProvider Services => host.Services;

    /// <summary>The states of its resources.</summary>
    public ResourceNotificationService ResourceNotifications { get; }

    /// <summary>Gives its resources commands.</summary>
    public ResourceCommandService ResourceCommands { get; }

    /// <summary>Describes an application.</summary>
    public static IDistributedApplicationBuilder CreateBuilder() => CreateBuilder([]);

    /// <summary>Describes an application.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => CreateBuilder(new DistributedApplicationOptions { Args = args });

    /// <summary>Describes an application.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(DistributedApplicationOptions options) => new DistributedApplicationBuilder(options, Testing.TestSession.Current);

    /// <inheritdoc cref="IHost.StartAsync" />
    public virtual Task StartAsync(CancellationToken cancellationToken = default) => host.StartAsync(cancellationToken);

    /// <inheritdoc cref="IHost.StopAsync" />
    public virtual Task StopAsync(CancellationToken cancellationToken = default) => host.StopAsync(cancellationToken);

    /// <summary>Runs the application until it is told to end.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>Runs the application until it is told to end.</summary>
    public virtual async Task RunAsync(CancellationToken cancellationToken = default)
    {
        if (session is not null)
        {
            // A test starts and stops what it asked for; the entry point only waits until it has.
            await session.WhenDisposed.WaitAsync(cancellationToken);
            return;
        }
        await using (this)
        {
            if (host.Services.GetService<Publisher>() is { } publisher)
            {
                await publisher.RunAsync(cancellationToken);
                return;
            }
            try
            {
                await host.StartAsync(cancellationToken);
            }
            catch (DistributedApplicationException exception)
            {
                await System.Console.Error.WriteLineAsync(exception.Message);
                System.Environment.ExitCode = 1;
                return;
            }
            await host.WaitForShutdownAsync(cancellationToken);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        DisposeAsync().AsTask().GetAwaiter().GetResult();
        GC.SuppressFinalize(this);
    }

    /// <summary>Stops the application if it still runs.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        await host.StopAsync();
        if (host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        else
            host.Dispose();
        session?.Disposed();
        GC.SuppressFinalize(this);
    }
}
