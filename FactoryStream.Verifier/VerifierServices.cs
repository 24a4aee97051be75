using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Signatures;
using FactoryStream.Storage;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Messages;
using Microsoft.EntityFrameworkCore;

namespace FactoryStream.Verifier;

/// <summary>What the Verifier is made of.</summary>
internal static class VerifierServices
{
    /// <summary>Keys: the store, the ring in memory, and what the endpoints need.</summary>
    public static void AddSigningKeys(this IHostApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource(FactoryDbContext.ConnectionName, settings => settings.DisableHealthChecks = true);
        // Whoever asks for keys has a loop or a client of his own that asks again; waiting here would only hide that the database is away.
        builder.AddNpgsqlDbContext<FactoryDbContext>(FactoryDbContext.ConnectionName,
            settings =>
            {
                settings.DisableRetry = true;
                settings.CommandTimeout = 5;
                settings.DisableHealthChecks = true;
            },
            options => options.UseSnakeCaseNamingConvention());
        builder.Services.AddSingleton<IKeyStore, KeyStore>();
        builder.Services.AddSingleton<KeyRing>();
        builder.Services.AddHostedService<KeyWatchWorker>();
    }

    /// <summary>The way from <c>readings.signed</c> to <c>readings.verified</c> and <c>readings.rejected</c>.</summary>
    public static void AddVerifying(this IHostApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(VerifierOptions.Section).Get<VerifierOptions>() ?? new VerifierOptions();
        var kafka = new KafkaConnection(builder.Configuration);
        builder.AddKafkaProducer<byte[]?, byte[]>(KafkaConnection.Name, settings =>
        {
            settings.DisableHealthChecks = true;
            // The services trace and count by themselves, a batch at a time; Aspire's instrumentation would do it again, a message at a time.
            settings.DisableTracing = true;
            settings.DisableMetrics = true;
            settings.Config.EnableIdempotence = true;
            settings.Config.Acks = Acks.All;
            // Coalescing is done here, by what is in flight; a linger would only add its time.
            settings.Config.LingerMs = 0;
            // A reading may wait for its broker as long as it must: what is in flight is bounded (VerifierOptions.MaxInFlightBytes).
            settings.Config.MessageTimeoutMs = 0;
            settings.Config.QueueBufferingMaxMessages = 1_000_000;
            settings.Config.QueueBufferingMaxKbytes = 512 << 10;
            // The broker's limit decides; an answer is a little longer than its source.
            settings.Config.MessageMaxBytes = 16 << 20;
            settings.Config.DeliveryReportFields = "none";
            kafka.Apply(settings.Config);
        });
        builder.Services.AddSingleton<BatchBytes>();
        builder.AddKafkaConsumer<byte[]?, ReadOnlyMemory<byte>>(KafkaConnection.Name,
            settings =>
            {
                settings.DisableHealthChecks = true;
                settings.DisableTracing = true;
                settings.DisableMetrics = true;
                settings.Config.GroupId = Topics.VerifierGroup;
                settings.Config.AutoOffsetReset = AutoOffsetReset.Earliest;
                settings.Config.PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky;
                settings.Config.EnableAutoOffsetStore = false;
                settings.Config.AutoCommitIntervalMs = (int)options.CommitInterval.TotalMilliseconds;
                settings.Config.SessionTimeoutMs = (int)options.SessionTimeout.TotalMilliseconds;
                settings.Config.HeartbeatIntervalMs = (int)options.SessionTimeout.TotalMilliseconds / 6;
                settings.Config.ConsumeResultFields = "headers,timestamp";
                // Bounded memory; and once there is room again, fetch on at once instead of after a second.
                settings.Config.QueuedMaxMessagesKbytes = 16 << 10;
                settings.Config.FetchQueueBackoffMs = 10;
                settings.Config.FetchErrorBackoffMs = 100;
                settings.Config.FetchWaitMaxMs = (int)options.FetchWait.TotalMilliseconds;
                settings.Config.FetchMinBytes = options.FetchMinBytes;
                kafka.Apply(settings.Config);
            },
            (services, consumer) =>
            {
                var answers = services.GetRequiredService<AnswerLog>();
                consumer.SetValueDeserializer(services.GetRequiredService<BatchBytes>());
                consumer.SetPartitionsAssignedHandler((_, assigned) => answers.Assign(assigned));
                consumer.SetPartitionsRevokedHandler((member, revoked) =>
                {
                    Unpause(member, revoked);
                    answers.Revoke(member, revoked);
                });
                consumer.SetPartitionsLostHandler((member, lost) =>
                {
                    Unpause(member, lost);
                    answers.Lose(lost);
                });
            });
        builder.Services.AddSingleton<TopicIncarnations>();
        builder.Services.AddSingleton<AnswerLog>();
        builder.Services.AddSingleton<EarlierAnswersReader>();
        builder.Services.AddSingleton(services =>
        {
            var log = services.GetRequiredService<VerifierLog>();
            var signatures = new SignatureVerifier();
            signatures.BackendTurnedOff += (_, backend) => log.BackendTurnedOff(backend.BackendName, backend.Reason);
            foreach (var (backend, state) in signatures.Backends.Where(backend => backend.Value != SignatureVerifier.On))
                log.BackendNotUsed(backend, state);
            return signatures;
        });
        builder.Services.AddHostedService<VerifierWorker>();
        builder.Services.AddVerifierHealth();
    }

    /// <summary>Readiness, and in the body of <c>/health</c> what it is made of.</summary>
    public static void AddVerifierHealth(this IServiceCollection services) =>
        services.AddHealthChecks().AddCheck<VerifierHealthCheck>("verifier");

    /// <summary>librdkafka keeps a partition paused that goes, and does not read it when it comes back.</summary>
    private static void Unpause(IConsumer<byte[]?, ReadOnlyMemory<byte>> consumer, IEnumerable<TopicPartitionOffset> leaving) =>
        consumer.Resume(leaving.Select(partition => partition.TopicPartition));

    /// <summary>HTTP: JSON in snake_case, errors as problems, the OpenAPI document.</summary>
    public static void AddKeyApi(this IServiceCollection services)
    {
        services.AddApiDefaults(VerifierJson.Default);
        services.AddOpenApi();
    }

    public static void AddVerifierOptions(this IServiceCollection services)
    {
        services.AddOptions<VerifierOptions>().BindConfiguration(VerifierOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<VerifierMetrics>();
        services.AddSingleton<VerifierLog>();
    }
}
