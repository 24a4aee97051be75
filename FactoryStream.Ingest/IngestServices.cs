using System.Text.Json.Nodes;
using Confluent.Kafka;
using FactoryStream.Ingest.Live;
using FactoryStream.Ingest.Messages;
using FactoryStream.Ingest.Readings;
using FactoryStream.Ingest.Sources;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.AspNetCore.RequestDecompression;
using Microsoft.OpenApi;

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
    public static void AddLog(this IHostApplicationBuilder builder)
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
        builder.Services.AddSingleton<SignedLog>();
        builder.Services.AddSingleton<RefusedLog>();
        builder.Services.AddSingleton<IntakePool>();
        builder.Services.AddSingleton<BacklogWorker>();
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

    public static void AddLive(this IServiceCollection services)
    {
        services.AddSingleton<LiveReadings>();
        services.AddHostedService<LiveWorker>();
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
            // A machine may send a line a minute in one request: silence is judged where the body is read (IngestOptions.BodyIdleTimeout),
            // open requests are counted.
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
                        operation.RequestBody = Envelopes;
                    return Task.CompletedTask;
                }
            )
        );
    }

    private static OpenApiRequestBody Envelopes
    {
        get
        {
            var reading = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description =
                    "A reading; its bytes are what is signed. Every further member that is a number is a metric; others are kept "
                    + "as evidence.",
                Required = new HashSet<string> { "factory_id", "engine_id", "timestamp" },
                Properties = new Dictionary<string, IOpenApiSchema>
                {
                    ["factory_id"] = new OpenApiSchema { Type = JsonSchemaType.String },
                    ["engine_id"] = new OpenApiSchema { Type = JsonSchemaType.String },
                    ["timestamp"] = new OpenApiSchema
                    {
                        Type = JsonSchemaType.String,
                        Description = "yyyy-MM-dd HH:mm:ss[.fff] or RFC 3339, UTC where no offset is given",
                    },
                },
            };
            var batch = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Description =
                    "Readings of one factory, signed together: the array's bytes, from [ to ], are what is signed. A batch has one "
                    + "verdict.",
                MinItems = 1,
                MaxItems = Contracts.ReadingParser.MaxBatchReadings,
                Items = reading,
            };
            var envelope = new OpenApiSchema
            {
                OneOf =
                [
                    Envelope(
                        "data",
                        reading,
                        """{"data": {"factory_id": "factory_001", "engine_id": "engine_001", "timestamp": "2026-02-25 06:13:20", "rpm": 3001}, "signature": "J5Bzk5ti…"}"""
                    ),
                    Envelope(
                        "batch",
                        batch,
                        """{"batch": [{"factory_id": "factory_001", "engine_id": "engine_001", "timestamp": "2026-02-25 06:13:20", "rpm": 3001}], "signature": "J5Bzk5ti…"}"""
                    ),
                ],
            };
            return new OpenApiRequestBody
            {
                Required = true,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/json"] = new() { Schema = envelope },
                    ["application/x-ndjson"] = new()
                    {
                        Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = "Envelopes, one a line." },
                    },
                },
            };
        }
    }

    private static OpenApiSchema Envelope(string signed, OpenApiSchema content, string example) =>
        new()
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { signed, "signature" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                [signed] = content,
                ["signature"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "RSASSA-PSS with SHA-256, base64" },
                ["key_id"] = new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Null },
            },
            Examples = [JsonNode.Parse(example)!],
        };

    private sealed class Identity : IDecompressionProvider
    {
        public Stream GetDecompressionStream(Stream stream) => stream;
    }

    private static void StopWhenFatal(IServiceProvider services, Error error)
    {
        if (!error.IsFatal)
            return;
        // The idempotent producer can vouch for nothing any more: the orchestrator starts another process.
        services.GetRequiredService<FailFast>().Stop("Kafka's producer", error.Reason);
    }
}
