using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Tests.Verifier;
using FactoryStream.Verifier.Keys;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace FactoryStream.Tests.Distributed;

[Collection(DistributedTests.Name)]
public sealed class RebalanceTests(SharedSystem shared)
{
    private readonly RunningSystem system = shared.RunningSystem;

    [SkippableFact]
    public async Task A_partition_given_up_while_checking_paused_is_read_when_it_comes_back()
    {
        Skip.If(
            Environment.GetEnvironmentVariable("KAFKA_HOME") is null,
            "needs Apache Kafka: the broker in memory gives nothing back that a member leaves"
        );
        var kafka = (await system.App.GetConnectionStringAsync("kafka"))!;
        await system.CommandAsync("verifier", KnownResourceCommands.StopCommand);
        try
        {
            var keys = new MemoryKeyStore { Failure = new NpgsqlException("away") };
            await using var service = await InProcessService.StartAsync(
                "FactoryStream.Verifier",
                [
                    $"--ConnectionStrings:kafka={kafka}",
                    "--ConnectionStrings:factorydb=Host=127.0.0.1;Port=1",
                    "--urls=http://127.0.0.1:0",
                    "--Verifier:AdminToken=a-token-for-tests",
                    "--Logging:LogLevel:Default=None",
                ],
                services => services.AddSingleton<IKeyStore>(keys)
            );
            var member = new ConsumerConfig
            {
                BootstrapServers = kafka,
                GroupId = TopicNames.VerifierGroup,
                PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
                EnableAutoCommit = false,
                SessionTimeoutMs = 6_000,
            };

            // Without keys the replica pauses all that it has been given, and gives half of it to one that joins.
            var all = 0;
            using (var other = new ConsumerBuilder<Ignore, Ignore>(member).Build())
            {
                other.Subscribe(TopicNames.Signed);
                await RunningSystem.EventuallyAsync(
                    () =>
                    {
                        other.Consume(TimeSpan.FromMilliseconds(100));
                        using var admin = new DependentAdminClientBuilder(other.Handle).Build();
                        all = admin.GetMetadata(TopicNames.Signed, TimeSpan.FromSeconds(10)).Topics.Single().Partitions.Count;
                        return Task.FromResult(other.Assignment.Count);
                    },
                    count => count == all / 2
                );
                keys.Failure = null;
                await RunningSystem.EventuallyAsync(
                    () => Task.FromResult(service.Services.GetRequiredService<KeyRing>().IsLoaded),
                    loaded => loaded
                );
                other.Close();
            }

            var mark = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
            using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = kafka }).Build();
            for (var partition = 0; partition < all; partition++)
                await producer.ProduceAsync(new TopicPartition(TopicNames.Signed, partition), new Message<Null, string> { Value = mark });
            using var rejected = new ConsumerBuilder<Ignore, string>(
                new ConsumerConfig
                {
                    BootstrapServers = kafka,
                    GroupId = mark,
                    EnableAutoCommit = false,
                }
            ).Build();
            rejected.Assign(
                Enumerable.Range(0, all).Select(partition => new TopicPartitionOffset(TopicNames.Rejected, partition, Offset.Beginning))
            );
            var seen = new HashSet<int>();
            await RunningSystem.EventuallyAsync(
                () =>
                {
                    while (rejected.Consume(TimeSpan.FromMilliseconds(100)) is { } message)
                    {
                        if (message.Message.Value == mark)
                            seen.Add(message.Partition.Value);
                    }
                    return Task.FromResult(seen.Count);
                },
                count => count == all
            );
        }
        finally
        {
            await system.CommandAsync("verifier", KnownResourceCommands.StartCommand);
            await system.HealthyAsync("verifier");
        }
    }
}
