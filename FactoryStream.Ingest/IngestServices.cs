using Confluent.Kafka;
using FactoryStream.Ingest.Backpressure;
using FactoryStream.Ingest.Http;
using FactoryStream.Ingest.Sources;
using FactoryStream.Ingest.Stream;
using FactoryStream.Ingest.Topics;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.AspNetCore.RequestDecompression;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest;

/// <summary>What Ingest is made of.</summary>
internal static class IngestServices
{
    public static void AddIngestOptions(this IServiceCollection services)
    {
        services.AddOptions<IngestOptions>().BindConfiguration(IngestOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IngestMetrics>();
        services.AddSingleton<IngestLog>();
    }

    /// <summary>The way to <c>readings.signed</c> and <c>readings.rejected</c>.</summary>
    public static void AddKafkaProducers(this IHostApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(IngestOptions.Section).Get<IngestOptions>() ?? new IngestOptions();
        builder.AddTopicProducer(
            config =>
            {
                config.MessageTimeoutMs = (int)options.DeliveryTimeout.TotalMilliseconds;
                // What is pending is bounded in bytes (IngestOptions.MaxPendingBytes), lines and headers included below these.
                config.QueueBufferingMaxMessages = 0;
                config.QueueBufferingMaxKbytes = (int)(options.MaxPendingBytes / 1_024 * 4);
            },
            (services, producer) => producer.SetErrorHandler((_, error) => StopWhenFatal(services, error))
        );
        builder.Services.AddSingleton<Backlog>();
        builder.Services.AddSingleton<SignedTopicWriter>();
        builder.Services.AddSingleton<RejectedTopicWriter>();
        builder.Services.AddSingleton<RequestReaderPool>();
        builder.Services.AddSingleton(services => new BacklogWorker(
            services.GetRequiredService<SignedTopicWriter>(),
            services.GetRequiredService<RejectedTopicWriter>(),
            services.GetRequiredService<Backlog>(),
            services.GetRequiredService<RetentionWatch>(),
            services.GetRequiredService<KafkaConnection>(),
            services.GetRequiredService<IOptions<IngestOptions>>(),
            services.GetRequiredService<IHostApplicationLifetime>(),
            services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<IngestLog>()
        ));
        builder.Services.AddSingleton<RetentionWatch>();
        builder.Services.AddSingleton<VerifierWatchWorker>();
        builder.Services.AddHostedService<DrainWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<VerifierWatchWorker>());
        builder.Services.AddHostedService(services => services.GetRequiredService<BacklogWorker>());
        builder.Services.AddHealthChecks().AddCheck<IngestHealthCheck>("ingest");
    }

    public static void AddSources(this IServiceCollection services)
    {
        services.AddSingleton<SourceStates>();
        services.AddHostedService<SourceWorker>();
    }

    public static void AddStream(this IServiceCollection services)
    {
        services.AddSingleton<StreamClients>();
        services.AddHostedService<StreamWorker>();
    }

    /// <summary>HTTP: limits, JSON in snake_case, errors as problems, the OpenAPI document.</summary>
    public static void AddIngestApi(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Each connection may hold so much of a body that nobody has asked for yet.
            kestrel.Limits.MaxRequestBufferSize = 256 << 10;
            kestrel.Limits.MaxConcurrentConnections = 10_000;
            // Bodies are counted where they are read, decompressed (IngestOptions.MaxBodyBytes). This one would be asked before that, and
            // cut a body off without an answer.
            kestrel.Limits.MaxRequestBodySize = null;
            // A machine may send a line a minute in one request: an idle body is ended where the body is read
            // (IngestOptions.BodyIdleTimeout), open requests are counted.
            kestrel.Limits.MinRequestBodyDataRate = null;
        });
        builder.Services.AddApiDefaults(IngestJson.Default);
        builder.Services.AddRequestDecompression(decompression =>
        {
            // HTTP's older name of gzip, and its name for what is not compressed (RFC 9110, section 8.4.1).
            decompression.DecompressionProviders.Add("x-gzip", decompression.DecompressionProviders["gzip"]);
            decompression.DecompressionProviders.Add("identity", new Identity());
        });
        builder.Services.AddOpenApi(openApi =>
            openApi.AddOperationTransformer(
                (operation, context, _) =>
                {
                    if (context.Description.ActionDescriptor.EndpointMetadata.OfType<ReadingsEndpoints.TakesEnvelopes>().Any())
                        operation.RequestBody = EnvelopesSchema.RequestBody;
                    return Task.CompletedTask;
                }
            )
        );
    }

    private sealed class Identity : IDecompressionProvider
    {
        public System.IO.Stream GetDecompressionStream(System.IO.Stream stream) => stream;
    }

    private static void StopWhenFatal(IServiceProvider services, Error error)
    {
        if (!error.IsFatal)
            return;
        // The idempotent producer can vouch for nothing any more: the orchestrator starts another process.
        services.GetRequiredService<FailFast>().Stop("Kafka's producer", error.Reason);
    }
}
