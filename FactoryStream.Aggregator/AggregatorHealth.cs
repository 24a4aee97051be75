using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.Aggregator;

/// <summary>Healthy once the Aggregator is in its group or has committed; unhealthy while what it needs is away.</summary>
internal sealed class AggregatorHealth : IHealthCheck
{
    private volatile string? failure = "not yet given any partition";

    public void Committed() => failure = null;

    public void Failed(string reason) => failure = reason;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(failure is { } reason ? HealthCheckResult.Unhealthy(reason) : HealthCheckResult.Healthy());
}
