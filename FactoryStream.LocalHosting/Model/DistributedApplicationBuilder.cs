using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FactoryStream.LocalHosting;
using FactoryStream.LocalHosting.AspireDashboard;
using FactoryStream.LocalHosting.Publishing;
using FactoryStream.LocalHosting.Supervision;
using FactoryStream.LocalHosting.Terminal;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

internal sealed class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    private readonly HostApplicationBuilder host;
    private readonly TestSession? session;
    private readonly bool disableDashboard;

    public DistributedApplicationBuilder(DistributedApplicationOptions options, TestSession? session)
    {
        this.session = session;
        disableDashboard = options.DisableDashboard;
        AppHostDirectory = options.ProjectDirectory ?? session?.AppHostDirectory ?? EntryDirectory() ?? Directory.GetCurrentDirectory();
        string[] args = [.. options.Args ?? [], .. session?.Args ?? []];
        ExecutionContext = new DistributedApplicationExecutionContext(PublishRequest.IsIn(args) ? DistributedApplicationOperation.Publish : DistributedApplicationOperation.Run);
        host = new HostApplicationBuilder(new HostApplicationBuilderSettings
        {
            Args = args,
            ContentRootPath = AppHostDirectory,
            EnvironmentName = session is null ? null : Environments.Development,
        });
        host.Logging.ClearProviders();
        AddServices();
        if (ExecutionContext.IsPublishMode)
            Services.AddSingleton(services => new Publisher(args, services.GetRequiredService<DistributedApplicationModel>(), services.GetRequiredService<AppHostSettings>()));
    }

    public ConfigurationManager Configuration => host.Configuration;

    public string AppHostDirectory { get; }

    public IHostEnvironment Environment => host.Environment;

    public IServiceCollection Services => host.Services;

    public DistributedApplicationExecutionContext ExecutionContext { get; }

    public IResourceCollection Resources { get; } = new ResourceCollection();

    public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource
    {
        if (Resources.Any(known => string.Equals(known.Name, resource.Name, StringComparison.OrdinalIgnoreCase)))
            throw new DistributedApplicationException($"There are two resources named '{resource.Name}'.");
        Resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource => new ResourceBuilder<T>(this, resource);

    /// <summary>In a test the entry point waits here until the test has made its own changes.</summary>
    public DistributedApplication Build() => session is null ? BuildNow() : session.Building(this);

    internal DistributedApplication BuildNow()
    {
        foreach (var resource in Resources.Where(resource => resource.HasAnnotationOfType<LaunchAnnotation>()))
            LifecycleCommands.AddTo(resource);
        if (ExecutionContext.IsRunMode && !disableDashboard && Configuration.GetValue("aspire-dashboard", defaultValue: session is null))
            DashboardResource.AddTo(this);
        return new DistributedApplication(host.Build(), session);
    }

    private void AddServices()
    {
        Services.TryAddSingleton(TimeProvider.System);
        Services.AddSingleton(new AppHostSettings(Configuration, AppHostDirectory, Environment.EnvironmentName, session is not null));
        Services.AddSingleton(ExecutionContext);
        Services.AddSingleton(new DistributedApplicationModel(Resources));
        Services.AddSingleton(services => new ResourceNotificationService(services));
        Services.AddSingleton(services => new ResourceLoggerService(
            services.GetRequiredService<ResourceNotificationService>(), services.GetRequiredService<ConsoleOutput>(), services.GetRequiredService<TimeProvider>()));
        Services.AddSingleton(services => new ResourceCommandService(
            services.GetRequiredService<ResourceNotificationService>(), services.GetRequiredService<ResourceLoggerService>(), services));
        Services.AddSingleton(_ => session is null ? ConsoleOutput.ToTerminal() : ConsoleOutput.ToNowhere());
        Services.AddSingleton<DataFolder>();
        Services.AddSingleton<Ports>();
        Services.AddSingleton<ResourceServiceHost>();
        // Before the supervisor, so that it ends after it: the dashboard takes it ill when it loses this.
        Services.AddHostedService(services => services.GetRequiredService<ResourceServiceHost>());
        Services.AddSingleton<Supervisor>();
        Services.AddHostedService(services => services.GetRequiredService<Supervisor>());
        if (session is null)
        {
            Services.AddHostedService<StartTable>();
            Services.AddSingleton<IHostLifetime, SignalLifetime>();
        }
        else
        {
            Services.AddSingleton<IHostLifetime, NoLifetime>();
        }
        // Stopping means draining: what a service was promised to be given is its own grace, not the host's five seconds.
        Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMinutes(3));
    }

    /// <summary>The AppHost's project folder, as LocalHosting.targets wrote it down, if it is still there.</summary>
    private static string? EntryDirectory()
    {
        var entry = System.Reflection.Assembly.GetEntryAssembly();
        var metadata = entry?.GetType("Projects." + entry.GetName().Name?.Replace('.', '_').Replace('-', '_'));
        return metadata?.GetProperty("ProjectPath")?.GetValue(null) is string path && Directory.Exists(path) ? path : null;
    }

    private sealed class ResourceBuilder<T>(DistributedApplicationBuilder application, T resource) : IResourceBuilder<T> where T : IResource
    {
        public T Resource { get; } = resource;

        public IDistributedApplicationBuilder ApplicationBuilder => application;

        public IResourceBuilder<T> WithAnnotation<TAnnotation>(TAnnotation annotation) where TAnnotation : IResourceAnnotation
        {
            Resource.Annotations.Add(annotation);
            return this;
        }
    }
}
