using System.Collections.Concurrent;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.Aggregator;

/// <summary>Healthy while the Aggregator is in its group and its transactions come through; unhealthy while what it needs is away or too slow.</summary>
internal sealed class AggregatorHealth(TimeProvider time) : IHealthCheck
{
    /// <summary>A transaction takes milliseconds; one that takes this long waits for something.</summary>
    private static readonly TimeSpan LongestCommit = TimeSpan.FromSeconds(10);

    private volatile string? failure = "not yet in its consumer group";
    private readonly ConcurrentDictionary<int, long> committingSince = [];

    /// <summary>In the group, with partitions or, where there are fewer than members, without.</summary>
    public void Joined() => failure = null;

    /// <summary>A lane's transaction begins.</summary>
    public void Committing(int lane) => committingSince[lane] = time.GetUtcNow().UtcTicks;

    /// <summary>A lane's transaction came through.</summary>
    public void Committed(int lane)
    {
        committingSince.TryRemove(lane, out _);
        failure = null;
    }

    public void Failed(string reason)
    {
        failure = reason;
        committingSince.Clear();
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (failure is { } reason)
            return Task.FromResult(HealthCheckResult.Unhealthy(reason));
        var now = time.GetUtcNow().UtcTicks;
        var duration = new TimeSpan(now - committingSince.Values.DefaultIfEmpty(now).Min());
        return Task.FromResult(duration > LongestCommit ? HealthCheckResult.Unhealthy($"a transaction has been under way for {duration.TotalSeconds:F0} s") : HealthCheckResult.Healthy());
    }
}
