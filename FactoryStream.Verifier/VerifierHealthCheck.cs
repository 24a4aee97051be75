using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Verifier.Keys;
using FactoryStream.Verifier.Topics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace FactoryStream.Verifier;

/// <summary>Ready when the keys are known, the consumer group has given this replica its share, and Kafka deliveries.</summary>
internal sealed class VerifierHealthCheck(
    KeyRing keys,
    PartitionAssignment assignment,
    Deliveries deliveries,
    IProducer<byte[]?, byte[]> producer,
    SignatureVerifier signatures,
    IOptions<VerifierOptions> options
) : IHealthCheck
{
    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object>
        {
            ["signature_backend"] = signatures.BackendName,
            ["signature_backends"] = signatures.Backends,
            ["prepared_keys"] = signatures.PreparedKeys,
            ["keys"] = keys.Current.Count,
            ["in_flight_bytes"] = deliveries.InFlightBytes,
        };
        if (keys.Age is not { } age)
            return Unhealthy("The signing keys are not loaded yet.");
        if (age > options.Value.MaxKeyAge)
            return Unhealthy("The database does not confirm the signing keys; see whether PostgreSQL runs.");
        if (!assignment.HasJoined)
            return Unhealthy("The consumer group is not joined yet.");
        if (deliveries.StalledFor > options.Value.UnhealthyAfter)
            return Unhealthy("Kafka has acknowledged nothing for too long; see whether its brokers run.");
        try
        {
            // The producer's own connections; the call blocks, so not on this thread.
            await Task.Run(
                () =>
                {
                    using var admin = new DependentAdminClientBuilder(producer.Handle).Build();
                    admin.GetMetadata(TopicNames.Verified, MetadataTimeout);
                },
                cancellationToken
            );
        }
        catch (KafkaException exception)
        {
            return Unhealthy($"Kafka does not respond: {exception.Error.Reason}");
        }
        return HealthCheckResult.Healthy(null, data);

        HealthCheckResult Unhealthy(string why) => new(context.Registration.FailureStatus, why, data: data);
    }
}
