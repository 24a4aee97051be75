using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.InMemoryKafka;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Aggregator;

[Collection(DatabaseTests.Name)]
public sealed class GroupOffsetTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task A_group_without_offsets_is_told_where_the_checkpoints_stand_even_if_nothing_comes()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connectionString);
        using var kafka = new InMemoryBroker(TopicNames.All, 2);
        using var topicIds = new TopicIds(new KafkaConnection(kafka.BootstrapServers));
        // All three messages of partition 1 were taken in; then the group's offsets expired.
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = kafka.BootstrapServers }).Build();
        for (var message = 0; message < 3; message++)
        {
            await producer
                .ProduceAsync(new TopicPartition(TopicNames.Verified, 1), new Message<Null, byte[]> { Value = [] })
                .WaitAsync(TimeSpan.FromSeconds(30));
        }
        await database.ScalarAsync<object>(
            """
            INSERT INTO factory.checkpoints (topic, partition, epoch, topic_id, next_offset, source_topic_id, source_offset, source_line)
            VALUES ($1, 1, 1, $2, 3, $3, -1, 0) RETURNING 1
            """,
            TopicNames.Verified,
            await topicIds.GetAsync(TopicNames.Verified),
            await topicIds.GetAsync(TopicNames.Signed)
        );

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

        using var member = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig { BootstrapServers = kafka.BootstrapServers, GroupId = TopicNames.AggregatorGroup }
        ).Build();
        TopicPartition[] partitions =
        [
            new(TopicNames.Verified, 0),
            new(TopicNames.Verified, 1),
            new(TopicNames.Rejected, 0),
            new(TopicNames.Rejected, 1),
        ];
        await RunningSystem.EventuallyAsync(
            () => Task.FromResult(Array.ConvertAll([.. member.Committed(partitions, TimeSpan.FromSeconds(10))], one => one.Offset.Value)),
            offsets => offsets is [0, 3, 0, 0]
        );
    }
}
