using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FactoryStream.LocalHosting.Terminal;

namespace FactoryStream.Tests.LocalHosting;

public sealed class AppHostTests
{
    [Fact]
    public async Task The_AppHost_describes_the_whole_system()
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(["--verifier:replicas=3"]);

        string[] described = [.. builder.Resources.Select(resource => string.Join(' ', (string[])
        [
            resource.Name,
            .. resource.GetReplicaCount() > 1 ? [$"x{resource.GetReplicaCount()}"] : Array.Empty<string>(),
            .. resource.Annotations.OfType<WaitAnnotation>().Select(wait => $"after:{wait.Resource.Name}"),
        ]))];

        Assert.Equal(
            [
                "admin-token",
                "kafka",
                "postgres-password",
                "postgres",
                "factorydb after:postgres",
                "migrations after:factorydb after:kafka",
                "ingest after:kafka after:migrations",
                "verifier x3 after:kafka after:migrations",
                "aggregator after:kafka after:migrations",
                "dashboard after:kafka after:migrations",
                "simulator after:kafka after:migrations after:ingest after:verifier",
            ],
            described);
    }

    [Fact]
    public async Task Without_the_simulator_there_is_none()
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(["--simulator=false"]);

        Assert.DoesNotContain(builder.Resources, resource => resource.Name == "simulator");
    }

    [SkippableFact]
    public async Task A_test_starts_and_ends_the_AppHosts_own_application()
    {
        Skip.IfNot(PostgresTests.IsInstalled, "no PostgreSQL server binaries on this machine");
        using var timeout = new CancellationTokenSource(Running.Patience);
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(["--kafka:in-memory=true", "--simulator=false"], timeout.Token);
        await using var app = await builder.BuildAsync(timeout.Token);
        await app.StartAsync(timeout.Token);

        await app.ResourceNotifications.WaitForResourceHealthyAsync("factorydb", timeout.Token);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("kafka", timeout.Token);

        Assert.Contains("Database=factorydb", await app.GetConnectionStringAsync("factorydb", timeout.Token), StringComparison.Ordinal);
        using var client = app.CreateHttpClient("ingest");
        Assert.NotEqual(8001, client.BaseAddress!.Port);
    }

    [Fact]
    public async Task The_table_tells_resource_state_and_address()
    {
        string[] args = ["--ConnectionStrings:kafka=broker:9092"];
        await using var running = await Running.StartAsync(args, builder =>
        {
            Aspire.Hosting.KafkaBuilderExtensions.AddKafka(builder, "kafka");
            builder.AddScript("job", "true");
        });
        var job = await running.UntilAsync("job", KnownResourceStates.Finished);
        var kafka = await running.UntilAsync("kafka", KnownResourceStates.Running);

        Assert.Equal(
            """
              Resource  State                Address
              kafka     Running (Unhealthy)  tcp://broker:9092
              job       Finished             

            """,
            StartTable.Of([kafka, job]));
    }

    [Fact]
    public void A_log_file_never_grows_beyond_its_limit()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "a.log");
        using (var file = new LogFile(path, limitBytes: 1000))
        {
            for (var i = 0; i < 500; i++)
                file.Write("a line of a console");
        }
        Assert.InRange(new FileInfo(path).Length, 1, 1100);
        Assert.InRange(new FileInfo(path + ".1").Length, 1, 1100);
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }
}
