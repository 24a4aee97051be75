using Aspire.Hosting.Testing;
using FactoryStream.Tests.AppHost;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.Tests.Migrations;

/// <summary>An Apache Kafka alone, started by the AppHost in a folder of its own.</summary>
internal sealed record ApacheKafka(TemporaryFolder Folder, Running Running, string Servers) : IAsyncDisposable
{
    /// <summary>Starts it and waits until it is healthy; skips the test, saying so, where there is none.</summary>
    public static async Task<ApacheKafka> StartAsync()
    {
        Skip.If(LocalServers.KafkaHome is null, "no Apache Kafka (KAFKA_HOME) or no Java");
        var folder = new TemporaryFolder().Reachable();
        var running = await Running.StartAsync(
            [$"--data={folder.Path}/data", $"--KAFKA_HOME={LocalServers.KafkaHome}", "--containers=false", "--aspire-dashboard=false"],
            resource => resource.Name == "kafka"
        );
        await running.UntilAsync("kafka", snapshot => snapshot.HealthStatus == HealthStatus.Healthy);
        return new ApacheKafka(folder, running, (await running.App.GetConnectionStringAsync("kafka"))!);
    }

    public async ValueTask DisposeAsync()
    {
        await Running.DisposeAsync();
        Folder.Dispose();
    }
}
