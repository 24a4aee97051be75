using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.InMemoryKafka;
using FactoryStream.Tests.Distributed;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using static FactoryStream.Tests.Ingest.IngestApp;

namespace FactoryStream.Tests.Ingest;

/// <summary>The whole service on librdkafka's broker in memory, with the test as Verifier and Aggregator.</summary>
public sealed class InMemoryKafkaTests : IAsyncLifetime, IDisposable
{
    private const int PartitionCount = 3;

    private readonly InMemoryBroker kafka = new(TopicNames.All, PartitionCount);
    private readonly HttpClient client = new() { Timeout = Patience };
    private InProcessService service = null!;

    public async Task InitializeAsync()
    {
        service = await InProcessService.StartAsync(
            "FactoryStream.Ingest",
            [
                $"--ConnectionStrings:kafka={kafka.BootstrapServers}",
                "--urls=http://127.0.0.1:0",
                "--Ingest:MaxPartitionBytes=2500000",
                "--Ingest:BacklogPollInterval=00:00:00.020",
                "--Ingest:StalledAfter=00:00:01",
                "--Ingest:AdmissionTimeout=00:00:00",
                "--Ingest:DeliveryTimeout=00:00:02",
                "--Logging:LogLevel:Default=None",
            ],
            _ => { }
        );
        client.BaseAddress = new Uri(
            service.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()
        );
        await RunningSystem.EventuallyAsync(IsHealthyAsync, healthy => healthy);
    }

    public async Task DisposeAsync() => await service.DisposeAsync();

    public void Dispose()
    {
        client.Dispose();
        kafka.Dispose();
    }

    [Fact]
    public async Task Posting_stops_when_a_partition_is_full_and_goes_on_when_its_readings_are_stored()
    {
        var lines = string.Join(
            '\n',
            Enumerable
                .Range(0, 200)
                .Select(value => Envelope(value: value).Replace("}, ", $"}},{new string(' ', 900)}", StringComparison.Ordinal))
        );
        var bytes = 0;
        while (await PostAsync(lines) == HttpStatusCode.Accepted)
            bytes += lines.Length;
        Assert.InRange(bytes, 2_000_000, 2_600_000);

        var partition = new TopicPartition(TopicNames.Signed, FactoryStream.Contracts.Partitioner.Partition("f1", "e1", PartitionCount));
        using var verifier = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig { BootstrapServers = kafka.BootstrapServers, GroupId = TopicNames.VerifierGroup }
        ).Build();
        var end = verifier.QueryWatermarkOffsets(partition, Patience).High;
        verifier.Commit([new TopicPartitionOffset(partition, end)]);
        await RunningSystem.EventuallyAsync(() => PostAsync(Envelope()), status => status == HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task The_live_stream_has_what_is_posted_once_its_headers_are_there()
    {
        for (var round = 0; round < 2; round++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/stream");
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            Assert.Equal(HttpStatusCode.Accepted, await PostAsync(Envelope(value: round)));

            using var timeout = new CancellationTokenSource(Patience);
            string? line;
            while ((line = await reader.ReadLineAsync(timeout.Token)) is "") { }
            Assert.Equal(Envelope(value: round), line);
        }
    }

    [Fact]
    public async Task The_live_stream_has_a_batch_once_however_many_partitions_got_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/stream");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        string[] batches =
        [
            .. Enumerable.Range(0, 5).Select(first => Batch("f1", Enumerable.Range(first, 10).Select(engine => $"e{engine}"))),
        ];
        Assert.Equal(
            PartitionCount,
            Enumerable
                .Range(0, 10)
                .Select(engine => FactoryStream.Contracts.Partitioner.Partition("f1", $"e{engine}", PartitionCount))
                .Distinct()
                .Count()
        );
        Assert.Equal(HttpStatusCode.Accepted, await PostAsync(string.Join('\n', batches)));

        using var timeout = new CancellationTokenSource(Patience);
        var seen = new List<string>();
        while (seen.Count < batches.Length)
        {
            if (await reader.ReadLineAsync(timeout.Token) is { Length: > 0 } line)
                seen.Add(line);
        }
        Assert.Equal(
            batches,
            seen.Order(Comparer<string>.Create((left, right) => Array.IndexOf(batches, left) - Array.IndexOf(batches, right)))
        );
    }

    [Fact]
    public async Task While_Kafka_is_away_posting_is_unavailable_and_comes_back()
    {
        kafka.SetUp(false);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await PostAsync(Envelope()));
        Assert.False(await IsHealthyAsync());

        kafka.SetUp(true);
        await RunningSystem.EventuallyAsync(() => PostAsync(Envelope()), status => status == HttpStatusCode.Accepted);
        await RunningSystem.EventuallyAsync(IsHealthyAsync, healthy => healthy);
    }

    [Fact]
    public async Task Health_names_the_service_that_takes_nothing_and_Ingest_stays_ready()
    {
        Assert.Equal(HttpStatusCode.Accepted, await PostAsync(Envelope()));
        await RunningSystem.EventuallyAsync(
            DescriptionAsync,
            told =>
                told is ["Degraded", var why]
                && why.EndsWith(" s. Messages that wait for it: 1.", StringComparison.Ordinal)
                && why.StartsWith("The Verifier has taken nothing for ", StringComparison.Ordinal)
        );
        Assert.True(await IsHealthyAsync());

        // Somebody verifies; what it answers with is for the Aggregator, who does not come.
        var partition = FactoryStream.Contracts.Partitioner.Partition("f1", "e1", PartitionCount);
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = kafka.BootstrapServers }).Build();
        await producer
            .ProduceAsync(new TopicPartition(TopicNames.Verified, partition), new Message<Null, byte[]> { Value = [] })
            .WaitAsync(Patience);
        Commit(TopicNames.VerifierGroup, TopicNames.Signed, partition);
        await RunningSystem.EventuallyAsync(
            DescriptionAsync,
            told => told is ["Degraded", var why] && why.StartsWith("The Aggregator has taken nothing for ", StringComparison.Ordinal)
        );

        Commit(TopicNames.AggregatorGroup, TopicNames.Verified, partition);
        await RunningSystem.EventuallyAsync(DescriptionAsync, told => told is ["Healthy", ""]);

        void Commit(string group, string topic, int number)
        {
            var config = new ConsumerConfig { BootstrapServers = kafka.BootstrapServers, GroupId = group };
            using var consumer = new ConsumerBuilder<Ignore, Ignore>(config).Build();
            consumer.Commit([new TopicPartitionOffset(topic, number, 1)]);
        }
    }

    /// <summary>Status and description of Ingest's own check.</summary>
    private async Task<string[]> DescriptionAsync()
    {
        var check = (await client.GetFromJsonAsync<JsonElement>("/health")).GetProperty("checks").GetProperty("ingest");
        return [check.GetProperty("status").GetString()!, check.TryGetProperty("description", out var text) ? text.GetString()! : ""];
    }

    private async Task<bool> IsHealthyAsync()
    {
        using var response = await client.GetAsync("/health");
        return response.IsSuccessStatusCode;
    }

    private async Task<HttpStatusCode> PostAsync(string lines)
    {
        using var content = new StringContent(lines, Encoding.UTF8, new MediaTypeHeaderValue("application/x-ndjson"));
        using var response = await client.PostAsync("/readings", content);
        return response.StatusCode;
    }
}
