using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.Signatures;
using FactoryStream.Storage;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Topics;
using Microsoft.EntityFrameworkCore;

namespace FactoryStream.Verifier;

/// <summary>What the Verifier is made of.</summary>
internal static class VerifierServices
{
    public static void AddVerifier(this IHostApplicationBuilder builder)
    {
        builder.Services.AddVerifierOptions();
        builder.AddSigningKeys();
        builder.AddTopics();
        builder.Services.AddVerifierHealth();
        builder.Services.AddKeyApi();
    }

    public static void AddVerifierOptions(this IServiceCollection services)
    {
        services.AddOptions<VerifierOptions>().BindConfiguration(VerifierOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<VerifierMetrics>();
        services.AddSingleton<VerifierLog>();
    }

    /// <summary>Readiness, and in the body of <c>/health</c> what it is made of.</summary>
    public static void AddVerifierHealth(this IServiceCollection services) =>
        services.AddHealthChecks().AddCheck<VerifierHealthCheck>("verifier");

    /// <summary>HTTP: JSON in snake_case, errors as problems, the OpenAPI document.</summary>
    public static void AddKeyApi(this IServiceCollection services)
    {
        services.AddApiDefaults(VerifierJson.Default);
        services.AddOpenApi();
    }

    /// <summary>What writes verdicts and knows which partitions are this replica's.</summary>
    public static void AddVerdictWriting(this IServiceCollection services)
    {
        services.AddSingleton<SourceTopic>();
        services.AddSingleton<Deliveries>();
        services.AddSingleton<VerdictWriter>();
        services.AddSingleton<PartitionAssignment>();
    }

    /// <summary>Keys: the store, the ring in memory, and what the endpoints need.</summary>
    private static void AddSigningKeys(this IHostApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource(FactoryDbContext.ConnectionName, settings => settings.DisableHealthChecks = true);
        // Callers that read keys try again themselves; retries here would only hide that the database is away.
        builder.AddNpgsqlDbContext<FactoryDbContext>(
            FactoryDbContext.ConnectionName,
            settings =>
            {
                settings.DisableRetry = true;
                settings.CommandTimeout = 5;
                settings.DisableHealthChecks = true;
            },
            options => options.UseSnakeCaseNamingConvention()
        );
        builder.Services.AddSingleton<IKeyStore, KeyStore>();
        builder.Services.AddSingleton<KeyRing>();
        builder.Services.AddHostedService<KeyWatchWorker>();
    }

    /// <summary>The way from <c>readings.signed</c> to <c>readings.verified</c> and <c>readings.rejected</c>.</summary>
    private static void AddTopics(this IHostApplicationBuilder builder)
    {
        builder.AddTopicClients();
        builder.Services.AddVerdictWriting();
        builder.Services.AddSingleton<TopicIds>();
        builder.Services.AddSingleton<EarlierVerdictsReader>();
        builder.Services.AddSingleton<Takeover>();
        builder.Services.AddSingleton<SignedConsumer>();
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
    }
}
