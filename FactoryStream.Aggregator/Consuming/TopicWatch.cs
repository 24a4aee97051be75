using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator.Consuming;

/// <summary>
/// A topic's log is not the one that was being read: begin anew, from the checkpoint or, in a topic made anew, from the log's beginning.
/// </summary>
internal sealed class LogChangedException(string message) : Exception(message);

/// <summary>A topic as it was when partitions of it were taken.</summary>
/// <param name="Id">The topic's id.</param>
/// <param name="Partitions">Its number of partitions.</param>
/// <param name="Recorded">The number of partitions that engines are spread over.</param>
internal readonly record struct WatchedTopic(string Id, int Partitions, int Recorded);

/// <summary>
/// Checks that topics are still the same: one that is made anew while it is read, and has grown beyond the checkpoint's offset, differs
/// from the one before in nothing but its id.
/// </summary>
internal sealed class TopicWatch(
    KafkaConnection kafka,
    NpgsqlDataSource database,
    AggregatorHealthCheck health,
    TimeProvider time,
    AggregatorLog log
) : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly TopicIds ids = new(kafka);
    private readonly LossReader losses = new(database);
    private readonly RecordedPartitionCounts counts = new(database);
    private readonly Dictionary<string, WatchedTopic> topics = [];
    private Task<string?> look = Task.FromResult<string?>(null);
    private long lastLook;

    public WatchedTopic this[string topic] => topics[topic];

    /// <summary>
    /// Learns the topics' ids and numbers. Over how many partitions engines are spread is what is recorded, not what the topics have by
    /// now: an engine that changed its partition while its readings are on the way in two partitions would have its windows in two states
    /// at once.
    /// </summary>
    /// <param name="isRead">Whether partitions of a topic are owned already.</param>
    /// <param name="cancellation">Ends the wait for database and broker.</param>
    /// <exception cref="LogChangedException">A topic that is read is another one than it was.</exception>
    public async Task RefreshAsync(Func<string, bool> isRead, CancellationToken cancellation)
    {
        string? enlarged = null;
        foreach (var topic in TopicNames.All)
        {
            var (id, partitions) = await ids.GetWithPartitionsAsync(topic);
            var recorded = await counts.EnsureAsync(topic, id, partitions, cancellation);
            if (topics.TryGetValue(topic, out var known) && ((known.Id != id && isRead(topic)) || known.Recorded != recorded))
                throw new LogChangedException($"{topic} was made anew or repartitioned while it was read.");
            topics[topic] = new(id, partitions, recorded);
            if (recorded != partitions)
                enlarged = PartitionCounts.Enlarged(topic, recorded, partitions);
        }
        if (enlarged is not null)
            log.Enlarged(enlarged);
        health.Enlarged = enlarged;
        health.Losses = await losses.ReadAsync(unacknowledgedOnly: true, cancellation);
    }

    /// <summary>Every few seconds: looks, beside the caller, whether the topics are still the same.</summary>
    /// <param name="read">The topics that partitions are owned of.</param>
    /// <param name="cancellation">Ends the look.</param>
    /// <exception cref="LogChangedException">The last look found that one of them is not.</exception>
    public void Look(IEnumerable<string> read, CancellationToken cancellation)
    {
        if (!look.IsCompleted)
            return;
        if (look.GetAwaiter().GetResult() is { } changed)
            throw new LogChangedException(changed);
        if (topics.Count == 0 || time.GetElapsedTime(lastLook) < LookInterval)
            return;
        lastLook = time.GetTimestamp();
        var (owned, expected) = (read.ToHashSet(), topics.ToArray());
        look = Task.Run(() => LookAsync(owned, expected, cancellation), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await look;
        ids.Dispose();
    }

    private async Task<string?> LookAsync(
        HashSet<string> read,
        KeyValuePair<string, WatchedTopic>[] expected,
        CancellationToken cancellation
    )
    {
        try
        {
            foreach (var (topic, known) in expected)
            {
                var current = await ids.GetWithPartitionsAsync(topic);
                if (current.Id != known.Id && read.Contains(topic))
                    return $"{topic} was made anew: its id is {current.Id}, no longer {known.Id}.";
                if (current.Id == known.Id && current.Partitions != known.Partitions)
                    return $"{topic} has {current.Partitions} partitions, no longer {known.Partitions}.";
                if (
                    known.Recorded != known.Partitions
                    && await counts.EnsureAsync(topic, current.Id, current.Partitions, cancellation) != known.Recorded
                )
                    return $"{topic}: engines are spread over {current.Partitions} partitions from now on.";
            }
            health.Losses = await losses.ReadAsync(unacknowledgedOnly: true, cancellation);
        }
        catch (NpgsqlException exception)
        {
            // The transactions report a database that is away.
            log.LossesUnknown(exception.Message);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The service stops.
        }
        catch (KafkaException exception)
        {
            // A broker that is away is the consumer's to wait for; the next look comes in a few seconds.
            log.KafkaError(exception.Error.Reason);
        }
        return null;
    }
}
