using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using FactoryStream.Ingest;
using FactoryStream.Ingest.Backpressure;
using FactoryStream.Ingest.Http;
using FactoryStream.Ingest.Stream;
using FactoryStream.Ingest.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FactoryStream.Tests.Ingest;

/// <summary>Ingest as its Program.cs makes it, in memory: requests come by the test host, messages go to the test.</summary>
internal sealed class IngestApp : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly WebApplication app;

    private IngestApp(WebApplication app) => this.app = app;

    public ReadingLogProducer Kafka { get; } = new();

    public IServiceProvider Services => app.Services;

    public Backlog Backlog => Services.GetRequiredService<Backlog>();

    /// <summary>Starts it with settings of the section <c>Ingest</c>.</summary>
    /// <param name="settings">Name and value, e.g. <c>("MaxLineBytes", 2048)</c>.</param>
    public static Task<IngestApp> StartAsync(params (string Name, object Value)[] settings) => StartAsync(4, settings);

    public static async Task<IngestApp> StartAsync(int partitions, params (string Name, object Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("ConnectionStrings:kafka", (string?)"127.0.0.1:1")]);
        builder.Configuration.AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create($"Ingest:{setting.Name}", setting.Value.ToString()))
        );
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new FactoryStream.ServiceDefaults.Kafka.KafkaConnection(builder.Configuration));
        builder.Services.AddIngestOptions();
        builder.AddKafkaProducers();
        builder.Services.AddStream();
        builder.Services.AddSources();
        builder.AddIngestApi();
        // The two that talk to a real Kafka.
        foreach (
            var worker in builder
                .Services.Where(service =>
                    service.ImplementationType == typeof(StreamWorker)
                    || (service.ServiceType == typeof(IHostedService) && service.ImplementationFactory is not null)
                )
                .ToArray()
        )
            builder.Services.Remove(worker);
        builder.Services.RemoveAll<IProducer<byte[]?, byte[]>>();
        builder.Services.AddSingleton<IProducer<byte[]?, byte[]>>(services => services.GetRequiredService<IngestApp>().Kafka);
        IngestApp? made = null;
        builder.Services.AddSingleton(_ => made!);

        var app = builder.Build();
        made = new IngestApp(app);
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseRequestDecompression();
        app.MapOpenApi();
        app.MapReadings();
        app.MapStream();
        if (partitions > 0)
            made.Open(partitions);
        await app.StartAsync();
        return made;
    }

    /// <summary>As when Kafka has told how many partitions there are.</summary>
    public void Open(int partitions)
    {
        Services.GetRequiredService<RejectedTopicWriter>().Open(partitions);
        Services.GetRequiredService<SignedTopicWriter>().Open(partitions);
    }

    public HttpClient Client()
    {
        var client = app.GetTestClient();
        client.Timeout = Patience;
        return client;
    }

    /// <summary>Posts lines.</summary>
    public Task<Answer> PostAsync(params IEnumerable<string> lines) =>
        PostAsync("application/x-ndjson", Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));

    public async Task<Answer> PostAsync(string contentType, byte[] body, string? contentEncoding = null)
    {
        using var content = new ByteArrayContent(body);
        if (contentEncoding is not null)
            content.Headers.ContentEncoding.Add(contentEncoding);
        return await PostAsync(contentType, content);
    }

    public async Task<Answer> PostAsync(string contentType, HttpContent content, CancellationToken cancellationToken = default)
    {
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        using var client = Client();
        using var response = await client.PostAsync("/readings", content, cancellationToken);
        return new Answer(
            response.StatusCode,
            response.Content.Headers.ContentType?.ToString(),
            response.Headers.RetryAfter?.Delta,
            JsonDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken)).RootElement
        );
    }

    public async ValueTask DisposeAsync()
    {
        using var timeout = new CancellationTokenSource(Patience);
        await app.StopAsync(timeout.Token);
        await app.DisposeAsync();
    }

    /// <summary>A well-formed envelope; the signature is not looked at here.</summary>
    public static string Envelope(string factoryId = "f1", string engineId = "e1", int value = 1) =>
        $$"""{"data": {{Reading(factoryId, engineId, value)}}, "signature": "c2ln"}""";

    /// <summary>A well-formed envelope of a batch, a reading of each engine.</summary>
    public static string Batch(string factoryId, params IEnumerable<string> engineIds) =>
        $$"""{"batch": [{{string.Join(",  ", engineIds.Select((engine, i) => Reading(factoryId, engine, i)))}}], "signature": "c2ln"}""";

    private static string Reading(string factoryId, string engineId, int value) =>
        $$"""{"factory_id": "{{factoryId}}", "engine_id": "{{engineId}}", "timestamp": "2026-02-25 06:13:20", "rpm": {{value}}}""";

    /// <summary>Asks until it is so.</summary>
    public static async Task UntilAsync(Func<bool> isSo)
    {
        using var timeout = new CancellationTokenSource(Patience);
        while (!isSo())
            await Task.Delay(5, timeout.Token);
    }
}

internal sealed record Answer(HttpStatusCode Status, string? ContentType, TimeSpan? RetryAfter, JsonElement Body)
{
    public int Accepted => Body.GetProperty("accepted").GetInt32();

    public int RejectedCount => Body.GetProperty("rejected_count").GetInt32();

    public string Detail => Body.GetProperty("detail").GetString()!;

    /// <summary>As "line reason".</summary>
    public IEnumerable<string> Rejected =>
        Body.GetProperty("rejected")
            .EnumerateArray()
            .Select(line => $"{line.GetProperty("line").GetInt32()} {line.GetProperty("reason").GetString()}");
}
