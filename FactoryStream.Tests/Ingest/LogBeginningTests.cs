using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Backpressure;
using FactoryStream.InMemoryKafka;
using FactoryStream.Tests.Distributed;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

/// <summary>
/// The broker forgets the oldest messages of a partition, as retention does, and a group has no offsets, as when they have expired.
/// </summary>
public sealed class LogBeginningTests
{
    private const int Messages = 100;

    [Theory]
    // Nothing is verified: what waits is what readings.signed still holds.
    [InlineData(TopicNames.Signed)]
    // All is verified and nothing stored: what waits is what readings.verified still holds.
    [InlineData(TopicNames.Verified)]
    public async Task The_backlog_counts_from_where_the_log_begins(string topic)
    {
        using var kafka = new InMemoryBroker(TopicNames.All, 1);
        var (low, high) = await FillAsync(kafka.BootstrapServers, topic);
        Assert.InRange(low, 1, Messages - 1);
        if (topic != TopicNames.Signed)
        {
            await FillAsync(kafka.BootstrapServers, TopicNames.Signed);
            Commit(kafka.BootstrapServers, TopicNames.VerifierGroup, TopicNames.Signed, Messages);
        }

        await using var service = await InProcessService.StartAsync(
            "FactoryStream.Ingest",
            [
                $"--ConnectionStrings:kafka={kafka.BootstrapServers}",
                "--urls=http://127.0.0.1:0",
                $"--Ingest:MaxBacklogReadings={Messages - low + 1}",
                "--Ingest:AdmissionTimeout=00:00:00",
                "--Logging:LogLevel:Default=None",
            ],
            _ => { }
        );
        var address = service.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        using var client = new HttpClient { Timeout = Patience, BaseAddress = new Uri(address) };
        await RunningSystem.EventuallyAsync(async () => (await client.GetAsync("/health")).IsSuccessStatusCode, healthy => healthy);

        Assert.Equal(high - low, service.Services.GetRequiredService<Backlog>().Readings);
        using var content = new StringContent(Envelope(), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var response = await client.PostAsync("/readings", content);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    /// <summary>Messages of 100 kB, of which the broker keeps 5 MB.</summary>
    private static async Task<(long Low, long High)> FillAsync(string bootstrapServers, string topic)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = bootstrapServers }).Build();
        for (var message = 0; message < Messages; message++)
        {
            await producer
                .ProduceAsync(new TopicPartition(topic, 0), new Message<Null, byte[]> { Value = new byte[100_000] })
                .WaitAsync(Patience);
        }
        using var consumer = Consumer(bootstrapServers, "looks");
        var marks = consumer.QueryWatermarkOffsets(new TopicPartition(topic, 0), Patience);
        return (marks.Low.Value, marks.High.Value);
    }

    private static void Commit(string bootstrapServers, string group, string topic, long offset)
    {
        using var consumer = Consumer(bootstrapServers, group);
        consumer.Commit([new TopicPartitionOffset(topic, 0, offset)]);
    }

    private static IConsumer<Ignore, Ignore> Consumer(string bootstrapServers, string group) =>
        new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = bootstrapServers, GroupId = group }).Build();
}
