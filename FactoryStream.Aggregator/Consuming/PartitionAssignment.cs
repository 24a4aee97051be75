using Confluent.Kafka;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Contracts;
using FactoryStream.Storage;

namespace FactoryStream.Aggregator.Consuming;

/// <summary>
/// Which partitions this process owns: a partition that it is given is acquired (its checkpoint's epoch goes up, which fences the owner
/// before), its engines' open windows are rebuilt, and it is read on from the checkpoint. Called within the consumers' polls, by the
/// consuming thread.
/// </summary>
internal sealed class PartitionAssignment(
    CommitLane[] lanes,
    TopicConsumers consumers,
    TopicWatch topics,
    CheckpointReader checkpoints,
    AggregatorHealthCheck health,
    TimeProvider time,
    AggregatorLog log,
    CancellationToken stopping
)
{
    private static readonly TimeSpan BrokerPatience = TimeSpan.FromSeconds(10);

    private readonly Dictionary<TopicPartition, PartitionProgress> owned = [];
    private readonly List<CheckpointRow> acquired = [];
    private bool isClosing;

    public IReadOnlyCollection<PartitionProgress> Owned => owned.Values;

    /// <summary>The topics that partitions are owned of.</summary>
    public IEnumerable<string> OwnedTopics => owned.Keys.Select(partition => partition.Topic).Distinct();

    public CommitLane LaneOf(int partition) => lanes[partition % lanes.Length];

    public PartitionProgress? Find(TopicPartition partition) => owned.GetValueOrDefault(partition);

    /// <summary>The session ends: partitions that the group revokes from here on are not committed any more.</summary>
    public void Close() => isClosing = true;

    /// <summary>
    /// Stores where new partitions begin, before their first commit: a group without an offset, because it never had one or it has
    /// expired, seems to have all of the log before it, and on a quiet log for ever.
    /// </summary>
    public void StoreFirstOffsets()
    {
        foreach (var checkpoint in acquired)
            consumers.StoreOffset(checkpoint.Topic, checkpoint.Partition, checkpoint.NextOffset);
        acquired.Clear();
    }

    /// <summary>Commits all that was taken in.</summary>
    public async Task FlushAsync()
    {
        await CommittedAsync();
        foreach (var lane in lanes)
        {
            if (!lane.IsEmpty)
                lane.BeginCommit([]);
        }
        await CommittedAsync();
    }

    /// <summary>Raises the epochs, rebuilds the windows and returns the offsets to begin at.</summary>
    public async Task<IEnumerable<TopicPartitionOffset>> AssignAsync(
        IConsumer<Ignore, ReadOnlyMemory<byte>> consumer,
        List<TopicPartition> added
    )
    {
        health.Joined();
        if (added.Count == 0)
            return [];
        var begun = time.GetTimestamp();
        // The lanes' state is not to be touched while a commit is under way.
        await CommittedAsync();
        await topics.RefreshAsync(topic => OwnedTopics.Contains(topic), stopping);
        var rebuild = new List<PartitionProgress>();
        var offsets = new List<TopicPartitionOffset>();
        foreach (var partition in added)
        {
            if (partition.Partition >= topics[partition.Topic].Recorded)
            {
                // Beyond the recorded partitions nothing is read, but the consumer expects an offset for each.
                offsets.Add(new TopicPartitionOffset(partition, Offset.End));
                continue;
            }
            var checkpoint = await AcquireAsync(consumer, partition);
            var progress = new PartitionProgress(checkpoint);
            owned[partition] = progress;
            offsets.Add(new TopicPartitionOffset(partition, checkpoint.NextOffset));
            acquired.Add(checkpoint);
            if (partition.Topic == TopicNames.Verified)
                rebuild.Add(progress);
        }
        var (engines, readings) = (0, 0);
        foreach (var share in rebuild.GroupBy(progress => LaneOf(progress.TopicPartition.Partition)))
        {
            var rebuilt = await share.Key.Transaction.RebuildAsync([.. share], topics[TopicNames.Verified].Recorded, stopping);
            (engines, readings) = (engines + rebuilt.Engines, readings + rebuilt.Readings);
        }
        log.Assigned(added.Count, string.Join(' ', added), engines, readings, (long)time.GetElapsedTime(begun).TotalMilliseconds);
        return offsets;
    }

    public async Task RevokeAsync(List<TopicPartitionOffset> removed)
    {
        if (isClosing)
            return;
        // What was taken in is committed before the partitions go to somebody else.
        await FlushAsync();
        foreach (var partition in removed)
        {
            owned.Remove(partition.TopicPartition);
            if (partition.Topic == TopicNames.Verified)
                LaneOf(partition.Partition).Transaction.Release([partition.Partition.Value]);
        }
        if (removed.Count > 0 && !stopping.IsCancellationRequested)
            log.Revoked(removed.Count, string.Join(' ', removed.Select(partition => partition.TopicPartition)));
    }

    public void Lose(List<TopicPartitionOffset> removed)
    {
        if (!isClosing)
            throw new FencedException($"{removed.Count} partitions were given to another member while this process was out of the group.");
    }

    private async Task<CheckpointRow> AcquireAsync(IConsumer<Ignore, ReadOnlyMemory<byte>> consumer, TopicPartition partition)
    {
        var topicId = topics[partition.Topic].Id;
        var checkpoint = await checkpoints.AcquireAsync(partition.Topic, partition.Partition, topicId, stopping);
        var end = consumer.QueryWatermarkOffsets(partition, BrokerPatience).High.Value;
        if (checkpoint.NextOffset > end)
        {
            // The same topic with a shorter log: its broker lost what the checkpoint has seen.
            log.LogShortened(partition.Topic, partition.Partition, checkpoint.NextOffset);
            await checkpoints.AcquireAsync(partition.Topic, partition.Partition, $"{topicId}@{end}", stopping);
            checkpoint = await checkpoints.AcquireAsync(partition.Topic, partition.Partition, topicId, stopping);
        }
        ShortenSource(consumer, checkpoint, topics[TopicNames.Signed].Id);
        return checkpoint;
    }

    /// <summary>
    /// Where the signed log itself lost its end, the same offsets come again with other readings; those are no redeliveries.
    /// </summary>
    private void ShortenSource(IConsumer<Ignore, ReadOnlyMemory<byte>> consumer, CheckpointRow checkpoint, string signedTopicId)
    {
        if (checkpoint.SourceTopicId != signedTopicId)
            return;
        var signed = new TopicPartition(TopicNames.Signed, checkpoint.Partition);
        var end = consumer.QueryWatermarkOffsets(signed, BrokerPatience).High.Value;
        if (checkpoint.SourceOffset < end)
            return;
        log.SourceShortened(signed.Topic, checkpoint.Partition, end, checkpoint.SourceOffset);
        (checkpoint.SourceOffset, checkpoint.SourceLine) = (end - 1, int.MaxValue);
    }

    private Task CommittedAsync() => Task.WhenAll(lanes.Select(lane => lane.Committing));
}
