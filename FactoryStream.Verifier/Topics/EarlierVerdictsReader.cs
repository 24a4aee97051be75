using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using Microsoft.Extensions.Options;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// Reads the verdicts on a partition that were given before this replica had it, from the ends of <c>readings.rejected</c> and
/// <c>readings.verified</c> backwards in growing steps: it needs no clock, and mostly the first step reaches back far enough, for only
/// what is not committed is asked of.
/// </summary>
internal sealed class EarlierVerdictsReader(KafkaConnection kafka, IOptions<VerifierOptions> options, TimeProvider time, VerifierLog log)
{
    private const int FirstStep = 128,
        Growth = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The verdicts on partitions' messages from an offset on.</summary>
    /// <param name="wanted">Partitions of <c>readings.signed</c>, and the first offset that is in hand.</param>
    /// <param name="topicId">The topic's id.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="KafkaException">Kafka does not respond: to be tried again.</exception>
    public Dictionary<int, EarlierVerdicts> Read(IReadOnlyDictionary<int, long> wanted, string topicId, CancellationToken cancellation)
    {
        using var consumer = Build();
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        return wanted.ToDictionary(entry => entry.Key, entry => Read(consumer, admin, entry.Key, entry.Value, topicId, cancellation));
    }

    private EarlierVerdicts Read(
        IConsumer<Ignore, Ignore> consumer,
        IAdminClient admin,
        int partition,
        long from,
        string topicId,
        CancellationToken cancellation
    )
    {
        var rejected = new TopicPartition(TopicNames.Rejected, partition);
        var verified = new TopicPartition(TopicNames.Verified, partition);
        var extents = admin.ExtentsAsync([rejected, verified], Patience).GetAwaiter().GetResult();
        var most = options.Value.MaxRecalledMessages;
        for (long step = FirstStep; ; step = Math.Min(step * Growth, most))
        {
            var earlier = new EarlierVerdicts(from, topicId);
            var isComplete =
                Scan(consumer, rejected, extents[rejected], step, earlier.AddRejected, cancellation)
                & Scan(consumer, verified, extents[verified], step, earlier.AddVerified, cancellation);
            if (isComplete)
                return earlier;
            if (step >= most)
            {
                // What is not known is verified again by the keys of today, which mostly gives the same verdict.
                log.NotRecalled(partition, from, most);
                return new EarlierVerdicts(from, topicId);
            }
        }
    }

    /// <summary>Reads the last so many messages of a partition; false when they do not reach back far enough.</summary>
    private bool Scan(
        IConsumer<Ignore, Ignore> consumer,
        TopicPartition partition,
        LogExtent extent,
        long count,
        Func<Headers?, bool> add,
        CancellationToken cancellation
    )
    {
        var (low, end) = (extent.Start, extent.End);
        var start = Math.Max(low, end - count);
        var isComplete = start == low;
        if (start >= end)
            return true;
        var began = time.GetTimestamp();
        consumer.Assign(new TopicPartitionOffset(partition, start));
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                if (time.GetElapsedTime(began) > Patience)
                    throw new KafkaException(new Error(ErrorCode.Local_TimedOut, $"{partition} was not read to its end within {Patience}"));
                if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is not { } message || message.TopicPartition != partition)
                    continue;
                if (message.IsPartitionEOF)
                    return isComplete;
                if (message.Offset < end)
                    isComplete |= add(message.Message.Headers);
                if (message.Offset >= end - 1)
                    return isComplete;
            }
        }
        finally
        {
            consumer.Unassign();
        }
    }

    private IConsumer<Ignore, Ignore> Build() =>
        kafka.QuietConsumer<Ignore, Ignore>(
            new ConsumerConfig
            {
                // The client insists on a name; without subscription and commits no group of it ever comes to be.
                GroupId = "factorystream-verifier-earlier",
                EnableAutoCommit = false,
                EnableAutoOffsetStore = false,
                EnablePartitionEof = true,
                AutoOffsetReset = AutoOffsetReset.Earliest,
                AllowAutoCreateTopics = false,
                FetchWaitMaxMs = 10,
                QueuedMaxMessagesKbytes = 16 << 10,
                ConsumeResultFields = "headers,topic",
            }
        );
}
