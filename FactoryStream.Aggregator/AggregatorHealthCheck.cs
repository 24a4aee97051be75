using System.Collections.Concurrent;
using FactoryStream.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace FactoryStream.Aggregator;

/// <summary>
/// Healthy while the Aggregator is in its group and its transactions come through; unhealthy while Kafka or the database is away or too
/// slow.
/// </summary>
internal sealed class AggregatorHealthCheck(TimeProvider time) : IHealthCheck
{
    /// <summary>A transaction takes milliseconds; one that takes this long waits for something.</summary>
    private static readonly TimeSpan LongestCommit = TimeSpan.FromSeconds(10);

    private volatile string? failure = "the consumer group is not joined yet";
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

    /// <summary>Losses that are not acknowledged, by topic and partition.</summary>
    public IReadOnlyList<LossEntry> Losses { get; set; } = [];

    /// <summary>What to do because the topics have more partitions than engines are spread over; null: they have not.</summary>
    public string? Enlarged { get; set; }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (failure is { } reason)
            return Task.FromResult(HealthCheckResult.Unhealthy(reason));
        var now = time.GetUtcNow().UtcTicks;
        var duration = new TimeSpan(now - committingSince.Values.DefaultIfEmpty(now).Min());
        if (duration > LongestCommit)
            return Task.FromResult(HealthCheckResult.Unhealthy($"a transaction has been under way for {duration.TotalSeconds:F0} s"));
        // Messages are lost for good: a restart would bring none back, so this is degraded and not unhealthy.
        var losses = Losses;
        string[] troubles =
        [
            .. Enlarged is { } enlarged ? (string[])[enlarged] : [],
            .. losses.Count > 0
                ? (string[])
                    [$"Kafka's retention dropped {losses.Sum(loss => loss.Messages)} messages before they were read; see factory.losses."]
                : [],
        ];
        return Task.FromResult(
            troubles.Length == 0
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Degraded(
                    string.Join(' ', troubles),
                    data: losses.ToDictionary(loss => $"lost {loss.Topic} [{loss.Partition}]", loss => (object)loss.Messages)
                )
        );
    }
}
