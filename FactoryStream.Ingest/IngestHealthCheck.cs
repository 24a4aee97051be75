using FactoryStream.Ingest.Messages;
using FactoryStream.Ingest.Sources;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.Ingest;

/// <summary>Ready when the topics are known and Kafka answers. A full backlog is no illness: machines are told to wait.</summary>
internal sealed class IngestHealthCheck(SignedLog signed, Backlog backlog, BacklogWorker worker, SourceStates sources) : IHealthCheck
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(10);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object> { ["backlog_readings"] = backlog.Readings, ["backlog_bytes"] = backlog.Bytes, ["pending_bytes"] = backlog.PendingBytes };
        // A machine that is off is no illness of Ingest's; it is told all the same.
        if (sources.All.Count > 0)
            data["sources"] = sources.Describe();
        var trouble = !signed.IsOpen ? "Kafka has not told its topics yet."
            : backlog.IsKafkaAway ? "Kafka does not acknowledge."
            : worker.Age is not { } age ? "Kafka has not told yet what is stored."
            : age > MaxAge ? "Kafka does not answer."
            : null;
        return Task.FromResult(trouble is null ? HealthCheckResult.Healthy(null, data) : new HealthCheckResult(context.Registration.FailureStatus, trouble, data: data));
    }
}
