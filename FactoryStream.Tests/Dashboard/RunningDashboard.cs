using FactoryStream.Contracts;
using FactoryStream.InMemoryKafka;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace FactoryStream.Tests.Dashboard;

/// <summary>The Dashboard in this process, on a port of its own, with a database and a broker that hold what a test puts there.</summary>
internal sealed class RunningDashboard : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly InProcessService service;
    private readonly InMemoryBroker kafka;

    private RunningDashboard(InProcessService service, InMemoryBroker kafka, NpgsqlDataSource database, Uri address)
    {
        this.service = service;
        this.kafka = kafka;
        Database = database;
        Address = address;
        Client = new HttpClient { BaseAddress = address, Timeout = Patience };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public NpgsqlDataSource Database { get; }

    public string Kafka => kafka.BootstrapServers;

    /// <summary>Starts it and waits until it is healthy.</summary>
    /// <param name="postgres">Skips the test where there is none.</param>
    /// <param name="seed">Fills the database before the Dashboard sees it.</param>
    /// <param name="settings">e.g. <c>--Dashboard:MaxWindows=2</c>.</param>
    public static async Task<RunningDashboard> StartAsync(
        PostgresFixture postgres,
        Func<NpgsqlDataSource, Task>? seed = null,
        params string[] settings
    ) => await StartAsync(await postgres.CreateDatabaseAsync(), seed, settings);

    /// <summary>The same with a database that is there.</summary>
    public static async Task<RunningDashboard> StartAsync(
        string connectionString,
        Func<NpgsqlDataSource, Task>? seed,
        params string[] settings
    )
    {
        var database = NpgsqlDataSource.Create(connectionString);
        if (seed is not null)
            await seed(database);
        var kafka = new InMemoryBroker(TopicNames.All, 3);
        // Named as the program is: its files' list lies beside the assembly under that name.
        string[] args =
        [
            "--applicationName=FactoryStream.Dashboard",
            $"--contentRoot={Path.Combine(SharedData.Root, "FactoryStream.Dashboard")}",
            "--environment=Production",
            "--urls=http://127.0.0.1:0",
            $"--ConnectionStrings:factorydb={connectionString}",
            $"--ConnectionStrings:kafka={kafka.BootstrapServers}",
            "--Dashboard:PushInterval=00:00:00.1",
            "--Dashboard:LedgerInterval=00:00:00.2",
            "--Logging:LogLevel:Default=Warning",
            .. settings,
        ];
        var service = await InProcessService.StartAsync("FactoryStream.Dashboard", args, _ => { });
        var address = service.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        var running = new RunningDashboard(service, kafka, database, new Uri(address));
        await RunningSystem.EventuallyAsync(
            async () =>
                await running.Client.GetStringAsync("/alive") is "Healthy"
                && (await running.Client.GetAsync("/health")).IsSuccessStatusCode,
            healthy => healthy
        );
        return running;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await service.DisposeAsync();
        await Database.DisposeAsync();
        kafka.Dispose();
    }
}
