using Confluent.Kafka;
using FactoryStream.Aggregator;
using FactoryStream.Contracts;
using FactoryStream.InMemoryKafka;
using FactoryStream.Storage;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace FactoryStream.Tests.Aggregator;

[Collection(DatabaseTests.Name)]
public sealed class LossTests(PostgresFixture postgres)
{
    private const int Messages = 60;

    [Fact]
    public async Task A_loss_is_degraded_and_counted_and_stops_nothing()
    {
        var health = new AggregatorHealthCheck(TimeProvider.System);
        health.Joined();
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync(new())).Status);

        health.Losses = [new LossEntry(TopicNames.Signed, 3, 5), new LossEntry(TopicNames.Verified, 1, 7)];

        var result = await health.CheckHealthAsync(new());
        Assert.Equal(
            (HealthStatus.Degraded, "Kafka's retention dropped 12 messages before they were read; see factory.losses."),
            (result.Status, result.Description)
        );
        Assert.Equal(
            new Dictionary<string, object> { ["lost readings.signed [3]"] = 5L, ["lost readings.verified [1]"] = 7L },
            result.Data
        );
    }

    [SkippableFact]
    public async Task Messages_lost_before_the_Aggregator_started_are_counted_and_degrade_health_until_acknowledged()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connectionString);
        using var kafka = new InMemoryBroker(TopicNames.All, 1);
        // 6 MB, of which the broker keeps 5.
        using (var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = kafka.BootstrapServers }).Build())
        {
            for (var message = 0; message < Messages; message++)
            {
                await producer
                    .ProduceAsync(new TopicPartition(TopicNames.Verified, 0), new Message<Null, byte[]> { Value = new byte[100_000] })
                    .WaitAsync(RunningSystem.Patience);
            }
        }
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig { BootstrapServers = kafka.BootstrapServers, GroupId = "looks" }
        ).Build();
        var low = consumer.QueryWatermarkOffsets(new TopicPartition(TopicNames.Verified, 0), RunningSystem.Patience).Low.Value;
        Assert.InRange(low, 1, Messages - 1);

        await using var service = await InProcessService.StartAsync(
            "FactoryStream.Aggregator",
            [
                $"--ConnectionStrings:kafka={kafka.BootstrapServers}",
                $"--ConnectionStrings:factorydb={connectionString}",
                "--urls=http://127.0.0.1:0",
                "--Logging:LogLevel:Default=None",
            ],
            _ => { }
        );
        using var client = new HttpClient { Timeout = RunningSystem.Patience };
        var address = service.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

        var losses = await RunningSystem.EventuallyAsync(
            () => database.RowsAsync("SELECT topic, partition, messages FROM factory.losses"),
            rows => rows.Length > 0
        );
        Assert.Equal([$"readings.verified|0|{low}"], losses);
        await RunningSystem.EventuallyAsync(
            () => HealthAsync(),
            health => health.Contains($"dropped {low} messages", StringComparison.Ordinal)
        );
        await database.ScalarAsync<object>("UPDATE factory.losses SET acknowledged = messages RETURNING 1");
        await RunningSystem.EventuallyAsync(() => HealthAsync(), health => !health.Contains("dropped", StringComparison.Ordinal));

        async Task<string> HealthAsync() => await (await client.GetAsync($"{address}/health")).Content.ReadAsStringAsync();
    }
}
