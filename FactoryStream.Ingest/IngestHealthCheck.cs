using System.Globalization;
using FactoryStream.Ingest.Backpressure;
using FactoryStream.Ingest.Sources;
using FactoryStream.Ingest.Topics;
using FactoryStream.ServiceDefaults;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest;

/// <summary>
/// Ready when the topics are known and Kafka answers. A full backlog is no illness: machines are told to wait. That nobody verifies or
/// stores is told as degraded, not as unhealthy: what is accepted is safe in Kafka; cutting Ingest off would only turn the machines away.
/// </summary>
internal sealed class IngestHealthCheck(
    SignedTopicWriter signed,
    Backlog backlog,
    BacklogWorker worker,
    RetentionWatch retention,
    VerifierWatchWorker verifier,
    SourceStates sources,
    IOptions<IngestOptions> options
) : IHealthCheck
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(10);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var data = new Dictionary<string, object>
        {
            ["backlog_readings"] = backlog.Readings,
            ["backlog_bytes"] = backlog.Bytes,
            ["backlog_unknown_readings"] = backlog.UnknownReadings,
            ["pending_bytes"] = backlog.PendingBytes,
            ["waiting_for_verifier"] = worker.Verifying.Waiting,
            ["waiting_for_aggregator"] = worker.Storing.Waiting,
        };
        // A machine that is off is no illness of Ingest's; it is told all the same.
        if (sources.All.Count > 0)
            data["sources"] = sources.Describe();
        var trouble =
            backlog.Refusal is { } refusal ? refusal
            : !signed.IsOpen ? "Kafka has not told its topics yet."
            : backlog.IsKafkaAway ? "Kafka does not acknowledge."
            : worker.Age is not { } age ? "Kafka has not told yet what is stored."
            : age > MaxAge ? "Kafka does not respond."
            : null;
        if (trouble is not null)
            return Task.FromResult(new HealthCheckResult(context.Registration.FailureStatus, trouble, data: data));
        string[] told =
        [
            .. Stalled("Verifier", worker.Verifying),
            .. Stalled("Aggregator", worker.Storing),
            .. retention.AgeTrouble is { } aged ? (string[])[aged] : [],
            .. Clock(),
        ];
        return Task.FromResult(
            told.Length == 0 ? HealthCheckResult.Healthy(null, data) : HealthCheckResult.Degraded(string.Join(' ', told), data: data)
        );
    }

    private IEnumerable<string> Clock()
    {
        if (verifier.ClockDifference is not { } difference)
            yield break;
        var which = difference > TimeSpan.Zero ? "ahead of" : "behind";
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"The database's clock is {difference.Duration().TotalSeconds:F0} s {which} this machine's."
        );
    }

    private IEnumerable<string> Stalled(string service, StalledWork work)
    {
        var stillFor = work.StandsStillFor;
        if (stillFor <= options.Value.StalledAfter)
            yield break;
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"The {service} has taken nothing for {stillFor.TotalSeconds:F0} s. Messages that wait for it: {work.Waiting}."
        );
    }
}
