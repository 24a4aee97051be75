using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.Tests.LocalHosting;

public sealed class KafkaTests
{
    private static readonly string[] InMemory = ["--kafka:in-memory=true", "--kafka:partitions=3", "--kafka:topics:0=readings.test"];

    [Fact]
    public async Task The_broker_in_memory_carries_messages_and_tells_its_topics_incarnation()
    {
        await using var running = await Running.StartAsync(InMemory, builder => builder.AddKafka("kafka").WithKafkaUI().WithDataVolume("kafka-data"));
        await running.UntilAsync("kafka", snapshot => snapshot.HealthStatus == HealthStatus.Healthy);
        var servers = (await running.App.GetConnectionStringAsync("kafka"))!;

        using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = servers, Acks = Acks.All, EnableIdempotence = true }).Build();
        await producer.ProduceAsync(new TopicPartition("readings.test", 2), new Message<byte[], byte[]> { Key = [1], Value = [2], Headers = new Headers { { "h", [3] } } }).WaitAsync(Running.Patience);
        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = servers, GroupId = "g", AutoOffsetReset = AutoOffsetReset.Earliest }).Build();
        consumer.Assign(new TopicPartitionOffset("readings.test", 2, 0));
        var message = consumer.Consume(Running.Patience);
        Assert.Equal("1 2 3", $"{message.Message.Key[0]} {message.Message.Value[0]} {message.Message.Headers[0].GetValueBytes()[0]}");

        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).Build();
        var description = await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(["readings.test"]));
        Assert.Equal(3, description.TopicDescriptions[0].Partitions.Count);
        Assert.NotEqual(0, description.TopicDescriptions[0].TopicId.MostSignificantBits);
        await running.LineAsync("kafka", "WARNING: this Kafka is in memory alone");
    }

    [Fact]
    public async Task Only_those_that_refer_to_it_are_told_that_the_broker_is_in_memory()
    {
        await using var running = await Running.StartAsync(InMemory, builder =>
        {
            var kafka = builder.AddKafka("kafka");
            builder.AddScript("ingest", "sleep 600").WithReference(kafka).WaitFor(kafka);
        });

        var ingest = await running.UntilAsync("ingest", KnownResourceStates.Running);

        Assert.Equal("true", ingest.Snapshot.EnvironmentVariables.Single(variable => variable.Name == "Ingest__BrokerIsInMemory").Value);
    }

    [Fact]
    public async Task A_stopped_broker_in_memory_keeps_what_it_holds()
    {
        await using var running = await Running.StartAsync(InMemory, builder => builder.AddKafka("kafka"));
        await running.UntilAsync("kafka", snapshot => snapshot.HealthStatus == HealthStatus.Healthy);
        var servers = (await running.App.GetConnectionStringAsync("kafka"))!;
        using (var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = servers }).Build())
            await producer.ProduceAsync(new TopicPartition("readings.test", 0), new Message<byte[], byte[]> { Value = [7] }).WaitAsync(Running.Patience);

        await running.CommandAsync("kafka", KnownResourceCommands.RestartCommand);
        await running.UntilAsync("kafka", snapshot => snapshot.HealthStatus == HealthStatus.Healthy);

        using var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = servers, GroupId = "g" }).Build();
        consumer.Assign(new TopicPartitionOffset("readings.test", 0, 0));
        Assert.Equal(7, Assert.Single(consumer.Consume(Running.Patience).Message.Value));
    }

    [Fact]
    public async Task A_reader_is_stopped_only_when_it_has_read_what_was_accepted()
    {
        var running = await Running.StartAsync([.. InMemory, "--kafka:drain:reader:group=g", "--kafka:drain:reader:topics:0=readings.test"], builder =>
        {
            var kafka = builder.AddKafka("kafka");
            builder.AddScript("reader", "sleep 600").WaitFor(kafka);
        });
        var reader = await running.ProcessOfAsync("reader");
        var servers = (await running.App.GetConnectionStringAsync("kafka"))!;
        using (var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = servers }).Build())
            await producer.ProduceAsync(new TopicPartition("readings.test", 1), new Message<byte[], byte[]> { Value = [7] }).WaitAsync(Running.Patience);

        var stopping = running.App.StopAsync();
        await running.LineAsync("reader", "1 messages of readings.test are left to be read first.");
        Assert.NotNull(SupervisionTests.StateOf(reader));
        using (var consumer = new ConsumerBuilder<byte[], byte[]>(new ConsumerConfig { BootstrapServers = servers, GroupId = "g" }).Build())
            consumer.Commit([new TopicPartitionOffset("readings.test", 1, 1)]);

        await stopping.WaitAsync(Running.Patience);
        Assert.Null(SupervisionTests.StateOf(reader));
        await running.DisposeAsync();
    }

    [SkippableFact]
    public async Task Apache_Kafka_keeps_its_messages_from_one_run_to_the_next()
    {
        var home = Environment.GetEnvironmentVariable("KAFKA_HOME") ?? Path.GetFullPath(Path.Combine(SharedData.Root, "..", "shared", "kafka"));
        Skip.IfNot(Directory.Exists(Path.Combine(home, "libs")) && FactoryStream.LocalHosting.Supervision.ChildProcess.FindOnPath("java") is not null, "no Apache Kafka (KAFKA_HOME) or no Java");
        using var folder = new TemporaryFolder().Reachable();
        string[] args = [$"--data={folder.Path}/data", $"--KAFKA_HOME={home}"];
        for (var round = 0; round < 2; round++)
        {
            await using var running = await Running.StartAsync(args, builder => builder.AddKafka("kafka"));
            await running.UntilAsync("kafka", snapshot => snapshot.HealthStatus == HealthStatus.Healthy);
            var servers = (await running.App.GetConnectionStringAsync("kafka"))!;
            if (round == 0)
            {
                using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = servers }).Build();
                await admin.CreateTopicsAsync([new TopicSpecification { Name = "kept", NumPartitions = 1, ReplicationFactor = 1 }]).WaitAsync(Running.Patience);
            }
            using var producer = new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = servers }).Build();
            var stored = await producer.ProduceAsync("kept", new Message<byte[], byte[]> { Value = [1] }).WaitAsync(Running.Patience);
            Assert.Equal(round, stored.Offset.Value);
        }
    }
}
