using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Contracts;
using FactoryStream.InMemoryKafka;
using FactoryStream.Migrations;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Ingest;
using FactoryStream.Tests.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FactoryStream.Tests.Migrations;

/// <summary>
/// What topics are made like, and what happens when they change under way; on an Apache Kafka, for the broker in memory can do neither.
/// </summary>
[Collection(DatabaseTests.Name)]
public sealed class TopicTests(PostgresFixture postgres)
{
    private const string Quiet = "--Logging:LogLevel:Default=None";

    [SkippableFact]
    public async Task Enlarged_topics_stop_new_readings_until_those_on_their_way_are_stored()
    {
        await using var kafka = await ApacheKafka.StartAsync();
        var connectionString = await postgres.CreateDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connectionString);
        await PrepareAsync(kafka.Servers, database, new MigrationsOptions { Partitions = 2, ReplicationFactor = 1 });
        await using var aggregator = await InProcessService.StartAsync(
            "FactoryStream.Aggregator",
            [
                $"--ConnectionStrings:kafka={kafka.Servers}",
                $"--ConnectionStrings:factorydb={connectionString}",
                "--urls=http://127.0.0.1:0",
                Quiet,
            ],
            _ => { }
        );
        await RunningSystem.EventuallyAsync(() => CommittedAsync(kafka.Servers, 2), offsets => offsets is [0, 0]);
        await using var ingest = await StartIngestAsync(kafka.Servers);
        using var client = Client(ingest);
        await RunningSystem.EventuallyAsync(
            async () => (await client.GetAsync("/health")).StatusCode,
            status => status == HttpStatusCode.OK
        );

        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka.Servers }).Build())
            await admin.CreatePartitionsAsync(
                TopicNames.All.Select(topic => new PartitionsSpecification { Topic = topic, IncreaseTo = 3 })
            );

        await RunningSystem.EventuallyAsync(
            async () => await (await client.GetAsync("/health")).Content.ReadAsStringAsync(),
            health => health.Contains("Migrations__Repartition=true", StringComparison.Ordinal)
        );
        var (status503, words) = await PostAsync(client, Envelope());
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status503);
        Assert.Contains("readings.signed has 3 partitions, but engines are spread over 2", words, StringComparison.Ordinal);
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            PrepareAsync(kafka.Servers, database, new MigrationsOptions())
        );
        Assert.Contains("Migrations__Repartition=true", refused.Message, StringComparison.Ordinal);
        // An Ingest that starts now knows it from the Aggregator's offsets.
        await using (var late = await StartIngestAsync(kafka.Servers))
        {
            using var other = Client(late);
            var (status, said) = await RunningSystem.EventuallyAsync(
                () => PostAsync(other, Envelope()),
                answer => answer.Words.Contains("spread over 2", StringComparison.Ordinal)
            );
            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        }

        // Accepted and not answered yet.
        var offset = await ProduceAsync(kafka.Servers, TopicNames.Signed, 1, "{}");
        var busy = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            PrepareAsync(kafka.Servers, database, new MigrationsOptions { Repartition = true })
        );
        Assert.StartsWith(
            "1 messages are not stored yet, so nothing was changed; wait, then try again.",
            busy.Message,
            StringComparison.Ordinal
        );
        using (var topicIds = new TopicIds(new KafkaConnection(kafka.Servers)))
        {
            await ProduceAsync(
                kafka.Servers,
                TopicNames.Verified,
                1,
                "",
                (MessageHeaders.Source, $"{offset}:1!0=f"),
                (MessageHeaders.SourceTopicId, await topicIds.GetAsync(TopicNames.Signed)),
                (MessageHeaders.VerdictTime, "2026-01-01T12:00:00.000000Z")
            );
        }
        // The Aggregator still takes the old partitions in, and none of the new.
        await RunningSystem.EventuallyAsync(
            () => database.RowsAsync("SELECT factory_id, accepted FROM factory.ledger"),
            rows => rows is ["f|1"]
        );
        Assert.Equal(-1001, (await CommittedAsync(kafka.Servers, 3))[2]);

        var stopping = new TaskCompletionSource();
        using var registration = ingest
            .Services.GetRequiredService<IHostApplicationLifetime>()
            .ApplicationStopping.Register(stopping.SetResult);
        await PrepareAsync(kafka.Servers, database, new MigrationsOptions { Repartition = true });

        await RunningSystem.EventuallyAsync(() => CommittedAsync(kafka.Servers, 3), offsets => offsets[2] == 0);
        await stopping.Task.WaitAsync(RunningSystem.Patience);
        await using var anew = await StartIngestAsync(kafka.Servers);
        using var again = Client(anew);
        await RunningSystem.EventuallyAsync(() => PostAsync(again, Envelope()), answer => answer.Status == HttpStatusCode.Accepted);
    }

    [SkippableFact]
    public async Task Topics_that_are_there_are_brought_to_their_settings_unless_told_not_to_and_Ingest_keeps_within_them()
    {
        await using var kafka = await ApacheKafka.StartAsync();
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = kafka.Servers }).Build();
        await admin.CreateTopicsAsync(
            TopicNames.All.Select(topic => new TopicSpecification
            {
                Name = topic,
                NumPartitions = 1,
                ReplicationFactor = 1,
            })
        );
        var options = new MigrationsOptions
        {
            Retention = TimeSpan.FromMinutes(2),
            RetentionMebibytes = 8,
            AlterTopics = false,
        };
        var before = await SettingsAsync(admin);

        await PrepareAsync(kafka.Servers, database, options);
        Assert.Equal(before, await SettingsAsync(admin));
        options.AlterTopics = true;
        await PrepareAsync(kafka.Servers, database, options);

        var after = await SettingsAsync(admin);
        Assert.Equal(TopicNames.All.Select(topic => $"{topic} 120000 8388608 2097152"), after);

        // This one waits already, for longer than a hundredth of two minutes by the time that Ingest looks.
        await ProduceAsync(kafka.Servers, TopicNames.Signed, 0, Envelope());
        await Task.Delay(TimeSpan.FromMilliseconds(1_300), CancellationToken.None);
        await using var ingest = await StartIngestAsync(
            kafka.Servers,
            "--Ingest:RetentionShare=0.01",
            "--Ingest:AdmissionTimeout=00:00:00"
        );
        using var client = Client(ingest);
        var health = await RunningSystem.EventuallyAsync(
            async () => await (await client.GetAsync("/health")).Content.ReadAsStringAsync(),
            health => health.Contains("Degraded", StringComparison.Ordinal)
        );
        Assert.Contains("readings.signed has 1 messages that wait for longer than", health, StringComparison.Ordinal);
        // A hundredth of 8 MiB.
        var lines = string.Join('\n', Enumerable.Range(0, 100).Select(value => IngestApp.Envelope(value: value)));
        var (_, words) = await RunningSystem.EventuallyAsync(
            () => PostAsync(client, lines),
            answer => answer.Status == HttpStatusCode.TooManyRequests
        );
        Assert.Contains("retention.bytes", words, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_broker_that_has_no_settings_is_left_as_it_is()
    {
        using var kafka = new InMemoryBroker(TopicNames.All, 2);
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());

        await PrepareAsync(kafka.BootstrapServers, database, new MigrationsOptions());

        Assert.Equal(
            ["readings.rejected|2", "readings.signed|2", "readings.verified|2"],
            await database.RowsAsync("SELECT topic, partitions FROM factory.topics ORDER BY topic")
        );
    }

    private static string Envelope() => IngestApp.Envelope();

    private static async Task PrepareAsync(string servers, NpgsqlDataSource database, MigrationsOptions options)
    {
        using var topics = new TopicWriter(
            new KafkaConnection(servers),
            database,
            options,
            new MigrationsLog(NullLogger<MigrationsLog>.Instance)
        );
        // As the program does: a topic that was just made may have no leader yet.
        using var timeout = new CancellationTokenSource(RunningSystem.Patience);
        while (true)
        {
            try
            {
                await topics.PrepareAsync(timeout.Token).WaitAsync(timeout.Token);
                return;
            }
            catch (KafkaException)
            {
                await Task.Delay(200, timeout.Token);
            }
        }
    }

    private static Task<InProcessService> StartIngestAsync(string servers, params string[] more) =>
        InProcessService.StartAsync(
            "FactoryStream.Ingest",
            [$"--ConnectionStrings:kafka={servers}", "--urls=http://127.0.0.1:0", Quiet, .. more],
            _ => { }
        );

    private static HttpClient Client(InProcessService service) =>
        new()
        {
            Timeout = RunningSystem.Patience,
            BaseAddress = new Uri(
                service.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()
            ),
        };

    private static async Task<(HttpStatusCode Status, string Words)> PostAsync(HttpClient client, string lines)
    {
        using var content = new StringContent(lines, Encoding.UTF8, new MediaTypeHeaderValue("application/x-ndjson"));
        using var response = await client.PostAsync("/readings", content);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task<long> ProduceAsync(
        string servers,
        string topic,
        int partition,
        string value,
        params (string Name, string Text)[] headers
    )
    {
        using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = servers }).Build();
        var message = new Message<Null, string> { Value = value, Headers = [] };
        foreach (var (name, text) in headers)
            message.Headers.Add(name, Encoding.UTF8.GetBytes(text));
        return (await producer.ProduceAsync(new TopicPartition(topic, partition), message).WaitAsync(RunningSystem.Patience)).Offset.Value;
    }

    /// <summary>The Aggregator group's offsets of <c>readings.verified</c>; -1001: none.</summary>
    private static async Task<long[]> CommittedAsync(string servers, int partitions)
    {
        using var member = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig { BootstrapServers = servers, GroupId = TopicNames.AggregatorGroup }
        ).Build();
        try
        {
            return await Task.Run(() =>
                Array.ConvertAll(
                    [
                        .. member.Committed(
                            Enumerable.Range(0, partitions).Select(partition => new TopicPartition(TopicNames.Verified, partition)),
                            TimeSpan.FromSeconds(10)
                        ),
                    ],
                    one => one.Offset.Value
                )
            );
        }
        catch (KafkaException)
        {
            // The group's coordinator is just coming up.
            return [];
        }
    }

    private static async Task<string[]> SettingsAsync(IAdminClient admin)
    {
        var answers = await admin.DescribeConfigsAsync(
            TopicNames.All.Select(topic => new ConfigResource { Type = ResourceType.Topic, Name = topic })
        );
        return
        [
            .. answers.Select(answer =>
                $"{answer.ConfigResource.Name} {answer.Entries["retention.ms"].Value} {answer.Entries["retention.bytes"].Value} "
                + $"{answer.Entries["segment.bytes"].Value}"
            ),
        ];
    }
}
