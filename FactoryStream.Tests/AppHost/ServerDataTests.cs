using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting.Testing;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.AppHost.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace FactoryStream.Tests.AppHost;

/// <summary>What the servers find in the data folder when they are started again.</summary>
public sealed class ServerDataTests : IDisposable
{
    private readonly TemporaryFolder folder = new TemporaryFolder().Reachable();

    public void Dispose() => folder.Dispose();

    [SkippableFact]
    public async Task PostgreSQL_starts_again_though_a_power_cut_left_the_number_of_a_process_that_is_another_programs_now()
    {
        Skip.IfNot(LocalServers.HasPostgres, LocalServers.NoPostgres);
        await using (await StartAsync("postgres", "postgres-password"))
        {
            // Its cluster is made.
        }
        // Of PostgreSQL's own user: the number of anybody else's process does not mislead it.
        string[] sleep = ["sleep", "600"];
        if (Environment.IsPrivilegedProcess)
            sleep = UnprivilegedUser.Find().Run(sleep);
        using var other = Process.Start(sleep[0], sleep[1..]);
        try
        {
            var data = Path.Combine(folder.Path, "data", "postgres", "data");
            await File.WriteAllTextAsync(
                Path.Combine(data, "postmaster.pid"),
                string.Create(CultureInfo.InvariantCulture, $"{other.Id}\n{data}\n1767225600\n5432\n\n127.0.0.1\n  1 1\nready   \n")
            );

            await using var running = await StartAsync("postgres", "postgres-password");

            await using var database = NpgsqlDataSource.Create(
                await running.App.GetConnectionStringAsync("postgres") + ";Database=postgres"
            );
            await using var command = database.CreateCommand("SELECT 1");
            Assert.Equal(1, await command.ExecuteScalarAsync());
            Assert.False(other.HasExited);
        }
        finally
        {
            other.Kill();
        }
    }

    [SkippableFact]
    public async Task Apache_Kafka_has_its_messages_in_the_next_run()
    {
        Skip.If(LocalServers.KafkaHome is null, "no Apache Kafka (KAFKA_HOME) or no Java");
        await using (var running = await StartAsync("kafka"))
        {
            var servers = await running.App.GetConnectionStringAsync("kafka");
            using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).Build();
            await admin
                .CreateTopicsAsync([
                    new TopicSpecification
                    {
                        Name = "kept",
                        NumPartitions = 1,
                        ReplicationFactor = 1,
                    },
                ])
                .WaitAsync(Running.Patience);
            var settings = new ProducerConfig { BootstrapServers = servers, Acks = Acks.All };
            using var producer = new ProducerBuilder<Null, string>(settings).Build();
            await producer.ProduceAsync("kept", new Message<Null, string> { Value = "a reading" }).WaitAsync(Running.Patience);
        }

        await using (var running = await StartAsync("kafka"))
        {
            var servers = await running.App.GetConnectionStringAsync("kafka");
            var settings = new ConsumerConfig
            {
                BootstrapServers = servers,
                GroupId = "none",
                EnableAutoCommit = false,
            };
            using var consumer = new ConsumerBuilder<Ignore, string>(settings).Build();
            consumer.Assign(new TopicPartitionOffset("kept", 0, Offset.Beginning));
            Assert.Equal("a reading", consumer.Consume(Running.Patience)?.Message.Value);
        }
    }

    /// <summary>Starts servers on the test's data folder, the first of them healthy.</summary>
    private async Task<Running> StartAsync(params string[] names)
    {
        var running = await Running.StartAsync(
            [$"--data={folder.Path}/data", $"--KAFKA_HOME={LocalServers.KafkaHome}", "--containers=false", "--aspire-dashboard=false"],
            resource => names.Contains(resource.Name)
        );
        await running.UntilAsync(names[0], snapshot => snapshot.HealthStatus == HealthStatus.Healthy);
        return running;
    }
}
