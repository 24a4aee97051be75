using System.Collections.Concurrent;
using System.Reflection;
using FactoryStream.Contracts;
using FactoryStream.Dashboard.Live;
using FactoryStream.Dashboard.Reconciliation;
using FactoryStream.ServiceDefaults.Http;

namespace FactoryStream.Dashboard.Pipeline;

/// <summary>One look at the whole pipeline; each part by itself. One at a time: the rates are told from look to look.</summary>
internal sealed class PipelineReader(
    TopicLogsReader logs,
    StoredCountsReader counts,
    Recent<DatabaseState> database,
    GroupsReader groups,
    LatestWindows latest,
    SharedLedger ledger,
    TimeProvider time
)
{
    private static readonly string Version =
        typeof(PipelineReader).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private readonly RateMeter rates = new();
    private readonly long began = time.GetTimestamp();

    public async Task<PipelineState> ReadAsync(CancellationToken cancellation)
    {
        var failures = new ConcurrentDictionary<string, string>();
        var readingLogs = KeepAsync("partitions", TimedAsync(logs.ReadAsync()));
        var readingCounts = KeepAsync("verdicts", TimedAsync(counts.ReadAsync(cancellation)));
        var readingDatabase = KeepAsync("database", database.GetAsync(cancellation));
        var readingGroups = KeepAsync("groups", groups.ReadAsync());
        var accepted = await ledger.GetAsync(cancellation);
        if (accepted.Failure is { } failure)
            failures["ledger"] = failure;
        var snapshot = latest.Current;
        if (!snapshot.IsLive)
            failures["window_delay"] = "The database does not respond; try again later.";
        var (log, count) = (await readingLogs, await readingCounts);
        return new(
            time.GetUtcNow().UtcDateTime,
            Rates(log, count, accepted),
            log is null ? null : Partitions(log.Value, count?.Value),
            count?.Value.Verdicts,
            snapshot.IsLive ? WindowDelays.Of(snapshot.Engines, time.GetUtcNow().UtcDateTime) : null,
            await readingDatabase,
            await readingGroups,
            Version,
            failures
        );

        async Task<T?> KeepAsync<T>(string part, Task<T> reading)
            where T : class
        {
            try
            {
                return await reading;
            }
            catch (Exception exception) when (Unavailable.Describe(exception) is { } reason)
            {
                failures[part] = reason;
                return null;
            }
        }
    }

    private async Task<Timed<T>> TimedAsync<T>(Task<T> reading) => new(await reading, time.GetElapsedTime(began));

    private FlowRates Rates(Timed<TopicLogs>? log, Timed<StoredCounts>? count, LedgerState accepted)
    {
        double? readings = null;
        if (accepted.Failure is null)
        {
            readings = rates.Observe(
                nameof(FlowRates.AcceptedReadings),
                accepted.Factories.Sum(factory => factory.Accepted),
                time.GetElapsedTime(began, accepted.ReadAt)
            );
        }
        return new(
            readings,
            Of(nameof(FlowRates.SignedMessages), log, one => one.End(TopicNames.Signed)),
            Of(nameof(FlowRates.CheckedMessages), log, one => one.Checked),
            Of(nameof(FlowRates.VerifiedMessages), log, one => one.End(TopicNames.Verified)),
            Of(nameof(FlowRates.RejectedMessages), log, one => one.End(TopicNames.Rejected)),
            Of(nameof(FlowRates.VerifiedTakenIn), count, one => one.TakenIn(TopicNames.Verified)),
            Of(nameof(FlowRates.RejectedTakenIn), count, one => one.TakenIn(TopicNames.Rejected)),
            Of(nameof(FlowRates.StoredReadings), count, one => one.Stored)
        );

        double? Of<T>(string name, Timed<T>? look, Func<T, long> counted) =>
            look is null ? null : rates.Observe(name, counted(look.Value), look.At);
    }

    private static List<PartitionState> Partitions(TopicLogs log, StoredCounts? count) =>
        [
            .. log
                .Extents.Select(one =>
                {
                    var (topic, partition) = (one.Key.Topic, one.Key.Partition.Value);
                    var taken = count?.TakenInUntil(topic, partition, log.Ids[topic]);
                    return new PartitionState(
                        topic,
                        partition,
                        one.Value.Start,
                        one.Value.End,
                        taken,
                        taken is { } until ? one.Value.From(until) : null
                    );
                })
                .OrderByDescending(one => one.Lag)
                .ThenBy(one => Array.IndexOf([.. TopicNames.All], one.Topic))
                .ThenBy(one => one.Partition),
        ];

    private sealed record Timed<T>(T Value, TimeSpan At);
}
