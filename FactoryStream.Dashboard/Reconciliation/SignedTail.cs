using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Reconciliation;

/// <summary>There is more than may be counted, or it took longer than it may.</summary>
internal sealed class TailTooLongException(string message) : NotNowException(message);

/// <summary>
/// Counts, per factory, the readings of <see cref="TopicNames.Signed"/> that no checkpoint covers yet. Belongs to no consumer group, so it
/// disturbs none.
/// </summary>
internal sealed class SignedTail : IDisposable
{
    private static readonly TimeSpan BrokerPatience = TimeSpan.FromSeconds(5);

    private readonly DashboardOptions options;
    private readonly TimeProvider time;
    private readonly TopicIds topicIds;
    private readonly IConsumer<Ignore, byte[]> consumer;
    private readonly IAdminClient admin;
    private readonly ReadingParser parser = new();
    private readonly SemaphoreSlim turn = new(1);

    public SignedTail(KafkaConnection kafka, IOptions<DashboardOptions> options, TimeProvider time)
    {
        this.options = options.Value;
        this.time = time;
        topicIds = new TopicIds(kafka);
        consumer = kafka.QuietConsumer<Ignore, byte[]>(new ConsumerConfig(GroupLessReading.Configuration()) { FetchQueueBackoffMs = 10 });
        admin = new DependentAdminClientBuilder(consumer.Handle).Build();
    }

    /// <summary>
    /// Readings per factory ("" where it could not be read or has no key: the log may name any number of those) from the given
    /// checkpoints on up to the log's present end.
    /// </summary>
    /// <param name="taken">Per partition the id of the topic that was read, and the last offset that was taken in (-1:
    /// none).</param>
    /// <param name="enrolled">The factories that have a key.</param>
    /// <param name="cancellation">Ends the counting.</param>
    /// <exception cref="KafkaException">The broker is away.</exception>
    /// <exception cref="TailTooLongException">A bound of <see cref="DashboardOptions"/> was hit.</exception>
    public async Task<Dictionary<string, long>> CountAsync(
        IReadOnlyDictionary<int, (string TopicId, long Offset)> taken,
        IReadOnlySet<string> enrolled,
        CancellationToken cancellation
    )
    {
        await turn.WaitAsync(cancellation);
        try
        {
            var began = time.GetTimestamp();
            var stretches = await StretchesAsync(taken);
            // The consumer's calls block.
            return await Task.Run(() => Count(stretches, enrolled, began, cancellation), cancellation);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>How many messages are beyond the given checkpoints, told from where the log begins and ends.</summary>
    /// <param name="taken">As for <see cref="CountAsync"/>.</param>
    /// <param name="cancellation">Ends the asking.</param>
    /// <exception cref="KafkaException">The broker is away.</exception>
    public async Task<long> MeasureAsync(IReadOnlyDictionary<int, (string TopicId, long Offset)> taken, CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        try
        {
            return (await StretchesAsync(taken)).Values.Sum(stretch => stretch.End - stretch.Start);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>
    /// From where to where each partition's log is beyond its checkpoint; never from before its beginning, for what retention took is gone.
    /// </summary>
    private async Task<Dictionary<TopicPartition, LogExtent>> StretchesAsync(IReadOnlyDictionary<int, (string TopicId, long Offset)> taken)
    {
        var (topicId, partitions) = await topicIds.GetWithPartitionsAsync(TopicNames.Signed);
        TopicPartition[] signed = [.. Enumerable.Range(0, partitions).Select(number => new TopicPartition(TopicNames.Signed, number))];
        var extents = await admin.ExtentsAsync(signed, BrokerPatience);
        return extents.ToDictionary(
            log => log.Key,
            log => log.Value with { Start = log.Value.End - log.Value.From(Next(log.Key.Partition.Value)) }
        );

        long Next(int partition) => taken.TryGetValue(partition, out var position) && position.TopicId == topicId ? position.Offset + 1 : 0;
    }

    private Dictionary<string, long> Count(
        Dictionary<TopicPartition, LogExtent> stretches,
        IReadOnlySet<string> enrolled,
        long began,
        CancellationToken cancellation
    )
    {
        var ends = new Dictionary<int, long>();
        var starts = new List<TopicPartitionOffset>();
        foreach (var (partition, (start, end)) in stretches)
        {
            if (start == end)
                continue;
            ends[partition.Partition.Value] = end;
            starts.Add(new TopicPartitionOffset(partition, start));
        }

        var counts = new Dictionary<string, long>();
        if (starts.Count == 0)
            return counts;
        consumer.Assign(starts);
        try
        {
            var readings = 0L;
            while (ends.Count > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                if (time.GetElapsedTime(began) > options.TailTimeout)
                    throw new TailTooLongException(
                        $"The backlog of {readings:N0} readings and more was not counted within "
                            + $"{options.TailTimeout.TotalSeconds:0.#} s; try again later."
                    );
                if (
                    consumer.Consume(TimeSpan.FromMilliseconds(100)) is not { } message
                    || !ends.TryGetValue(message.Partition.Value, out var end)
                )
                    continue;
                if (message.Offset.Value < end)
                    readings += CountReadings(message.Message, enrolled, counts);
                if (readings > options.MaxTailLines)
                    throw new TailTooLongException(
                        $"The backlog has more than {options.MaxTailLines:N0} readings, which are not counted; "
                            + "try again when it is smaller."
                    );
                if (message.Offset.Value + 1 < end)
                    continue;
                ends.Remove(message.Partition.Value);
                consumer.IncrementalUnassign([message.TopicPartition]);
            }
        }
        finally
        {
            consumer.Unassign();
        }
        return counts;
    }

    private long CountReadings(Message<Ignore, byte[]> message, IReadOnlySet<string> enrolled, Dictionary<string, long> counts)
    {
        var isSingle = message.Headers.Text(MessageHeaders.Framing) == MessageHeaders.FramingSingle;
        // Of a batch that several partitions got, each counts its own readings.
        int[]? share = null;
        if (message.Headers?.TryGetLastBytes(MessageHeaders.BatchShare, out var header) == true && BatchShare.TryParse(header, out var own))
            share = own;
        var count = 0L;
        foreach (var line in MessageLines.Split(message.Value, isSingle || share is not null))
        {
            // A line that Ingest let pass may still be rejected; it is accepted all the same.
            parser.TryParse(line, out var reading, out _);
            var readings =
                share is null ? reading.Count
                : share[^1] < reading.BatchCount ? share.Length
                : 1;
            var factoryId = enrolled.Contains(reading.FactoryId) ? reading.FactoryId : "";
            counts[factoryId] = counts.GetValueOrDefault(factoryId) + readings;
            count += readings;
        }
        return count;
    }

    public void Dispose()
    {
        admin.Dispose();
        consumer.Dispose();
        topicIds.Dispose();
        turn.Dispose();
    }
}
