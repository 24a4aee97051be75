using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FactoryStream.Simulator;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>
/// The whole system as the AppHost describes it, on ports and in a data folder of its own; without simulator and dashboards.
/// </summary>
internal sealed class SystemUnderLoad : IAsyncDisposable
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromMinutes(3);

    private readonly DistributedApplication app;

    private SystemUnderLoad(DistributedApplication app, NpgsqlDataSource database, string connectionString, string kafka, string adminToken)
    {
        this.app = app;
        ConnectionString = connectionString;
        Database = database;
        Kafka = kafka;
        AdminToken = adminToken;
    }

    public NpgsqlDataSource Database { get; }

    /// <summary>The database's, with the password that <see cref="Database"/> does not tell.</summary>
    public string ConnectionString { get; }

    /// <summary>The broker's address.</summary>
    public string Kafka { get; }

    public string AdminToken { get; }

    public Uri Ingest => app.GetEndpoint("ingest");

    public Uri Verifier => app.GetEndpoint("verifier");

    /// <summary>Starts what a run asks for.</summary>
    public static Task<SystemUnderLoad> StartAsync(BenchOptions options, CancellationToken cancellationToken) =>
        StartAsync(
            options.IsApacheKafka,
            [
                string.Create(CultureInfo.InvariantCulture, $"verifier:replicas={options.Verifiers}"),
                string.Create(CultureInfo.InvariantCulture, $"aggregator:replicas={options.Aggregators}"),
                // All of it is to wait.
                .. options.IsAggregatorAlone
                    ? (string[])["Ingest:MaxBacklogReadings=1000000000", "Ingest:MaxBacklogBytes=1000000000000"]
                    : [],
                .. options.Partitions is { } partitions
                    ? (string[])[string.Create(CultureInfo.InvariantCulture, $"kafka:partitions={partitions}")]
                    : [],
                .. options.Settings,
            ],
            cancellationToken
        );

    /// <summary>Starts the system and waits until every service is healthy.</summary>
    /// <param name="isApacheKafka">Apache Kafka of KAFKA_HOME, not the broker in memory.</param>
    /// <param name="settings">Of the AppHost, <c>KEY=VALUE</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<SystemUnderLoad> StartAsync(
        bool isApacheKafka,
        IEnumerable<string> settings,
        CancellationToken cancellationToken
    )
    {
        if (isApacheKafka && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("KAFKA_HOME")))
            throw new UsageException("--kafka apache needs KAFKA_HOME, the folder of an unpacked Apache Kafka.");
        // As a plant runs it.
        Environment.SetEnvironmentVariable("DOTNET_ENVIRONMENT", "Production");
        var adminToken = Guid.NewGuid().ToString("N");
        string[] args =
        [
            "--simulator=false",
            "--dashboard=false",
            "--aspire-dashboard=false",
            $"--Parameters:admin-token={adminToken}",
            $"--kafka:in-memory={(isApacheKafka ? "false" : "true")}",
            .. settings.Select(setting => $"--{setting}"),
        ];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartWithin);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(args, patience.Token);
        var app = await builder.BuildAsync(patience.Token);
        try
        {
            await app.StartAsync(patience.Token);
            foreach (var service in (string[])["ingest", "verifier", "aggregator"])
                await app.ResourceNotifications.WaitForResourceHealthyAsync(service, patience.Token);
            var connectionString = (await app.GetConnectionStringAsync("factorydb", patience.Token))!;
            return new SystemUnderLoad(
                app,
                NpgsqlDataSource.Create(connectionString),
                connectionString,
                (await app.GetConnectionStringAsync("kafka", patience.Token))!,
                adminToken
            );
        }
        catch (Exception exception)
        {
            await app.DisposeAsync();
            if (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                throw new UsageException($"The system is not up after {StartWithin.TotalMinutes:0} minutes.", exception);
            throw;
        }
    }

    /// <summary>
    /// Every process of the system by its resource's name: each instance its own, this one for the AppHost. Containers are not among them.
    /// </summary>
    public async Task<Dictionary<string, int>> ProcessesAsync(CancellationToken cancellationToken)
    {
        var instances = new Dictionary<string, (string Name, int Pid)>();
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        soon.CancelAfter(TimeSpan.FromMilliseconds(500));
        try
        {
            // The stream begins with the present state of everything.
            await foreach (var change in app.ResourceNotifications.WatchAsync(soon.Token))
            {
                var pid = change.Snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value;
                if (change.Snapshot.State?.Text == KnownResourceStates.Running && pid is not null)
                    instances[change.ResourceId] = (change.Resource.Name, Convert.ToInt32(pid, CultureInfo.InvariantCulture));
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Half a second of present state is what was asked for.
        }
        var processes = new Dictionary<string, int> { [AppHostName] = Environment.ProcessId };
        foreach (var group in instances.Values.GroupBy(instance => instance.Name).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var number = 0;
            foreach (var (name, pid) in group.OrderBy(instance => instance.Pid))
                processes[group.Count() == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{++number}")] = pid;
        }
        return processes;
    }

    /// <summary>Starts or stops every instance of a service, and waits until it is done.</summary>
    /// <param name="service">Its resource's name.</param>
    /// <param name="isUp">Whether it is to run.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task SwitchAsync(string service, bool isUp, CancellationToken cancellationToken)
    {
        var resource = app
            .Services.GetRequiredService<DistributedApplicationModel>()
            .Resources.Single(resource => resource.Name == service);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StartWithin);
        var command = isUp ? KnownResourceCommands.StartCommand : KnownResourceCommands.StopCommand;
        var result = await app.ResourceCommands.ExecuteCommandAsync(resource, command, patience.Token);
        if (!result.Success)
            throw new UsageException($"{command} {service}: {result.Message}");
        // It may not yet be seen to have left its end behind.
        if (isUp)
            await app.ResourceNotifications.WaitForResourceHealthyAsync(service, WaitBehavior.WaitOnResourceUnavailable, patience.Token);
    }

    /// <summary>This process: the AppHost, a broker in memory, and the looking on.</summary>
    public const string AppHostName = "apphost";

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await app.DisposeAsync();
    }
}
