using System.Runtime.CompilerServices;
using Aspire.Hosting.Lifecycle;
using Aspire.Hosting.Publishing;
using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace FactoryStream.AppHost.Hosting;

/// <summary>What one AppHost has once.</summary>
internal sealed record AppHostParts(AppHostSettings Settings, DataFolder Folder, Ports Ports);

/// <summary>What the AppHost has beside its resources.</summary>
internal static class AppHostBuilderExtensions
{
    private static readonly ConditionalWeakTable<IDistributedApplicationBuilder, AppHostParts> Known = [];

    /// <summary>
    /// Aspire's options, for what must be known before there is a builder: whether there is an Aspire dashboard.
    /// </summary>
    public static DistributedApplicationOptions Options(string[] args)
    {
        if (IsThisProgram && Usage.IsAskedFor(args))
        {
            Console.WriteLine(Usage.Text);
            Environment.Exit(0);
        }
        DefaultAspireAddresses();
        // Its monitor beside each process costs 20 MB; the death of this AppHost is seen without them.
        if (Environment.GetEnvironmentVariable("DCP_DISABLE_MONITOR_PROCESS") is null)
            Environment.SetEnvironmentVariable("DCP_DISABLE_MONITOR_PROCESS", "true");
        args = OutputFromHere(args);
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        return new DistributedApplicationOptions
        {
            // The host reads appsettings.json of the folder that it is started in; the AppHost's own counts wherever that is.
            Args = Directory.Exists(Projects.FactoryStream_AppHost.ProjectPath)
                ? [$"--contentRoot={Projects.FactoryStream_AppHost.ProjectPath}", .. args]
                : args,
            // A collector of the user's own gets what is sent; the dashboard shows resources and consoles all the same.
            DisableDashboard = !configuration.GetValue("aspire-dashboard", true),
            AllowUnsecuredTransport = true,
        };
    }

    /// <summary>
    /// Where the Aspire dashboard and what feeds it listen by default: started without Properties/launchSettings.json, as a service of the
    /// system would be, Aspire asks for a certificate instead.
    /// </summary>
    private static void DefaultAspireAddresses()
    {
        if (!IsThisProgram)
            return;
        foreach (
            var (name, address) in ((string, string)[])
                [
                    ("ASPNETCORE_URLS", "http://localhost:15117"),
                    ("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "http://localhost:19117"),
                    ("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", "http://localhost:20117"),
                ]
        )
        {
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)))
                Environment.SetEnvironmentVariable(name, address);
        }
    }

    /// <summary>Not a test, which has an environment of its own.</summary>
    private static bool IsThisProgram => System.Reflection.Assembly.GetEntryAssembly() == typeof(AppHostBuilderExtensions).Assembly;

    /// <summary>A folder to publish into is one of where the user stands, and not of where the AppHost's settings are.</summary>
    private static string[] OutputFromHere(string[] args)
    {
        const string option = "--output-path";
        return
        [
            .. args.Select(
                (arg, i) =>
                    i > 0 && args[i - 1] == option ? Path.GetFullPath(arg)
                    : arg.StartsWith($"{option}=", StringComparison.Ordinal) ? $"{option}={Path.GetFullPath(arg[(option.Length + 1)..])}"
                    : arg
            ),
        ];
    }

    public static AppHostParts Parts(this IDistributedApplicationBuilder builder) =>
        Known.GetValue(
            builder,
            static key =>
            {
                var settings = AppHostSettings.Of(key);
                var folder = new DataFolder(settings.DataFolder, settings.IsDataTemporary);
                return new AppHostParts(settings, folder, new Ports(folder));
            }
        );

    public static AppHostSettings Settings(this IDistributedApplicationBuilder builder) => builder.Parts().Settings;

    /// <summary>
    /// Everything that ends by itself is started again, everything is ended in an order in which nothing that was promised is lost, and the
    /// data folder has one AppHost at a time.
    /// </summary>
    public static IDistributedApplicationBuilder AddSupervision(this IDistributedApplicationBuilder builder)
    {
        if (!builder.ExecutionContext.IsRunMode)
            return builder;
        var parts = builder.Parts();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(parts.Settings);
        // By a factory: only what the container itself has made is disposed with the application.
        builder.Services.AddSingleton(_ => parts.Folder);
        builder.Services.AddSingleton(_ => parts.Ports);
        builder.Services.AddSingleton(_ => parts.Settings.RandomizePorts ? ConsoleOutput.ToNowhere() : ConsoleOutput.ToTerminal());
        builder.Services.AddSingleton<Instances>();
        builder.Services.TryAddEventingSubscriber<Ownership>();
        builder.Services.TryAddEventingSubscriber<Restarts>();
        builder.Services.TryAddEventingSubscriber<ConsoleLines>();
        InterruptibleStart.Add(builder.Services);
        // Behind Aspire's own, hence stopped before them.
        builder.Services.AddSingleton<OrchestratorWatch>();
        builder.Services.AddHostedService(services => services.GetRequiredService<OrchestratorWatch>());
        builder.Services.AddHostedService<OrderlyStop>();
        // As long as draining and PostgreSQL's last checkpoint may take.
        builder.Services.PostConfigure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMinutes(5));
        HideOwnSettings(builder);
        return builder;
    }

    /// <summary>
    /// A secret that is generated when first asked for and kept in the data folder; <c>Parameters:NAME</c> takes its place.
    /// </summary>
    public static IResourceBuilder<ParameterResource> AddGeneratedSecret(
        this IDistributedApplicationBuilder builder,
        string name,
        int minLength = 22
    )
    {
        var generated = new GenerateParameterDefault { MinLength = minLength, Special = false };
        return builder.AddParameter(
            name,
            builder.ExecutionContext.IsRunMode ? new KeptParameterDefault(name, generated, builder.Parts().Folder) : generated,
            secret: true
        );
    }

    /// <summary>Runs the application; what its user can mend is a line on the console and exit code 1.</summary>
    public static async Task<int> RunAsync(this IDistributedApplicationBuilder builder)
    {
        try
        {
            await builder.Build().RunAsync();
            return Environment.ExitCode;
        }
        catch (DistributedApplicationException exception) when (!builder.Settings().RandomizePorts)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }

    /// <summary>
    /// Settings are read by now. Whatever this process starts inherits its environment: only references hand secrets on, and each service
    /// is given its own options. A process that is not the AppHost itself, such as a test, keeps its own.
    /// </summary>
    private static void HideOwnSettings(IDistributedApplicationBuilder builder)
    {
        if (!IsThisProgram)
            return;
        string[] sections =
        [
            "Parameters",
            "ConnectionStrings",
            KafkaConnection.Section,
            .. builder.Resources.Select(resource => resource.Name),
        ];
        foreach (
            var name in Environment
                .GetEnvironmentVariables()
                .Keys.Cast<string>()
                .Where(name => sections.Any(section => name.StartsWith($"{section}__", StringComparison.OrdinalIgnoreCase)))
                .ToArray()
        )
            Environment.SetEnvironmentVariable(name, null);
    }

    private sealed class KeptParameterDefault(string name, GenerateParameterDefault generated, DataFolder folder) : ParameterDefault
    {
        public override string GetDefaultValue() => folder.Secret(name, generated.GetDefaultValue);

        public override void WriteToManifest(ManifestPublishingContext context) => generated.WriteToManifest(context);
    }
}
