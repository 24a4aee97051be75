using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.Aggregator;

/// <summary>Healthy while the Aggregator is in its group and its transactions come through; unhealthy while what it needs is away or too slow.</summary>
internal sealed class AggregatorHealth(TimeProvider time) : IHealthCheck
{
    /// <summary>A transaction takes milliseconds; one that takes this long waits for something.</summary>
    private static readonly TimeSpan LongestCommit = TimeSpan.FromSeconds(10);

    private volatile string? failure = "not yet in its consumer group";
    private long committingSince;

    /// <summary>In the group, with partitions or, where there are fewer than members, without.</summary>
    public void Joined() => failure = null;

    public void Committing() => Interlocked.Exchange(ref committingSince, time.GetUtcNow().UtcTicks);

    public void Committed()
    {
        Interlocked.Exchange(ref committingSince, 0);
        failure = null;
    }

    public void Failed(string reason)
    {
        failure = reason;
        Interlocked.Exchange(ref committingSince, 0);
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (failure is { } reason)
            return Task.FromResult(HealthCheckResult.Unhealthy(reason));
        var since = Interlocked.Read(ref committingSince);
        var duration = since == 0 ? TimeSpan.Zero : new TimeSpan(time.GetUtcNow().UtcTicks - since);
        return Task.FromResult(duration > LongestCommit ? HealthCheckResult.Unhealthy($"a transaction has been under way for {duration.TotalSeconds:F0} s") : HealthCheckResult.Healthy());
    }
}
