using System.Diagnostics;
using System.Globalization;
using Confluent.Kafka;

namespace FactoryStream.Tests.AppHost;

public sealed class InMemoryKafkaProgramTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_broker_in_memory_is_reached_by_the_port_it_is_told_warns_and_ends_when_asked()
    {
        var port = LocalServers.FreePort();
        using var program = new Process
        {
            StartInfo = new ProcessStartInfo(
                "dotnet",
                [
                    typeof(InMemoryKafka.InMemoryBroker).Assembly.Location,
                    "--port",
                    port.ToString(CultureInfo.InvariantCulture),
                    "--partitions",
                    "3",
                    "readings.test",
                ]
            )
            {
                RedirectStandardOutput = true,
            },
        };
        program.Start();
        try
        {
            Assert.StartsWith(
                "WARNING: this Kafka is in memory alone",
                await program.StandardOutput.ReadLineAsync().WaitAsync(Patience),
                StringComparison.Ordinal
            );
            var servers = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

            using var producer = new ProducerBuilder<byte[], byte[]>(
                new ProducerConfig
                {
                    BootstrapServers = servers,
                    Acks = Acks.All,
                    EnableIdempotence = true,
                }
            ).Build();
            await producer
                .ProduceAsync(new TopicPartition("readings.test", 2), new Message<byte[], byte[]> { Key = [1], Value = [2] })
                .WaitAsync(Patience);
            using var consumer = new ConsumerBuilder<byte[], byte[]>(
                new ConsumerConfig { BootstrapServers = servers, GroupId = "g" }
            ).Build();
            consumer.Assign(new TopicPartitionOffset("readings.test", 2, 0));
            Assert.Equal([2], consumer.Consume(Patience).Message.Value);
            using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).Build();
            var description = await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(["readings.test"]));
            Assert.Equal(3, description.TopicDescriptions[0].Partitions.Count);
            Assert.NotEqual(0, description.TopicDescriptions[0].TopicId.MostSignificantBits);

            using (var kill = Process.Start("kill", ["-TERM", program.Id.ToString(CultureInfo.InvariantCulture)]))
                await kill.WaitForExitAsync().WaitAsync(Patience);
            await program.WaitForExitAsync().WaitAsync(Patience);
            Assert.Equal(0, program.ExitCode);
        }
        finally
        {
            if (!program.HasExited)
                program.Kill();
        }
    }
}
