using Confluent.Kafka;
using FactoryStream.Aggregator.Committing;
using FactoryStream.Aggregator.Maintenance;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Storage;
using Npgsql;

namespace FactoryStream.Aggregator.Consuming;

/// <summary>
/// One membership of the consumer group, from joining to leaving: messages are read, decoded into their lane's pending commit, and
/// committed when that is due.
/// </summary>
internal sealed class ConsumerSession : IAsyncDisposable
{
    // A lane's turn comes even if messages never end.
    private const int MessagesBetweenTurns = 64;

    private const int PatienceMilliseconds = 5;

    private readonly AggregatorMetrics metrics;
    private readonly TimeProvider time;
    private readonly AggregatorLog log;
    private readonly CancellationToken stopping;
    private readonly TopicConsumers consumers;
    private readonly TopicWatch topics;
    private readonly CommitLane[] lanes;
    private readonly PartitionAssignment assignment;
    private readonly MessageDecoder decoder;
    private int taken;

    /// <summary>A session that has not joined yet.</summary>
    /// <param name="database">PostgreSQL, with the checkpoints.</param>
    /// <param name="kafka">The broker.</param>
    /// <param name="options">The Aggregator's settings.</param>
    /// <param name="conflictTolerantCommits">How many of each lane's first commits ask the database what is new.</param>
    /// <param name="metrics">The Aggregator's instruments.</param>
    /// <param name="health">Gets the state of every commit.</param>
    /// <param name="retention">Counts the runs that drop table partitions.</param>
    /// <param name="alertRules">The alert rules that are turned on.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The Aggregator's log.</param>
    /// <param name="stopping">Ends the session after a last commit.</param>
    public ConsumerSession(
        NpgsqlDataSource database,
        KafkaConnection kafka,
        AggregatorOptions options,
        int conflictTolerantCommits,
        AggregatorMetrics metrics,
        AggregatorHealthCheck health,
        RetentionRuns retention,
        AlertRuleDirectory alertRules,
        TimeProvider time,
        AggregatorLog log,
        CancellationToken stopping
    )
    {
        (this.metrics, this.time, this.log, this.stopping) = (metrics, time, log, stopping);
        consumers = new TopicConsumers(kafka, options, log);
        topics = new TopicWatch(kafka, database, health, time, log);
        lanes =
        [
            .. Enumerable
                .Range(0, options.Parallelism)
                .Select(number => new CommitLane(
                    number,
                    new CommitTransaction(database, options, metrics, retention, alertRules, time, log)
                    {
                        ConflictTolerantCommits = conflictTolerantCommits,
                    },
                    consumers,
                    health,
                    options,
                    time
                )),
        ];
        assignment = new PartitionAssignment(lanes, consumers, topics, new CheckpointReader(database), health, time, log, stopping);
        decoder = new MessageDecoder(log, metrics);
    }

    /// <summary>Still asks the database what is new.</summary>
    public bool IsConflictTolerant => lanes.All(lane => lane.Transaction.ConflictTolerantCommits > 0);

    /// <summary>Joins the group, and reads and commits until the service stops.</summary>
    public async Task RunAsync()
    {
        consumers.Join(assignment);
        while (!stopping.IsCancellationRequested)
        {
            if (!Array.Exists(lanes, lane => lane.IsFull))
            {
                // Under load commits are under way and messages wait; otherwise the first message goes at once.
                var next = consumers.Next(Patience());
                // Before anything of what was just assigned can be committed.
                assignment.StoreFirstOffsets();
                if (next is { } message)
                {
                    Take(message);
                    if (++taken % MessagesBetweenTurns != 0)
                        continue;
                }
            }
            topics.Look(assignment.OwnedTopics, stopping);
            foreach (var lane in lanes)
                await TakeTurnAsync(lane);
            // Nothing more can be taken in until one of them is done.
            if (Array.Exists(lanes, lane => lane.IsFull))
                await Task.WhenAny(lanes.Where(lane => !lane.Committing.IsCompleted).Select(lane => lane.Committing));
        }
        await assignment.FlushAsync();
    }

    public async ValueTask DisposeAsync()
    {
        assignment.Close();
        foreach (var lane in lanes)
        {
            try
            {
                await lane.Committing;
            }
            catch (Exception exception) when (exception is NpgsqlException or FencedException)
            {
                // The worker has seen it already, or joins the group again and goes on from the checkpoint.
                log.CommitDropped(0, exception.Message);
            }
        }
        // What could be committed has been, or must not be.
        consumers.Leave();
        await topics.DisposeAsync();
    }

    /// <summary>How many milliseconds a message may be waited for.</summary>
    private int Patience()
    {
        var patience = PatienceMilliseconds;
        foreach (var lane in lanes)
        {
            if (lane.Committing.IsCompleted && !lane.IsEmpty)
                patience = Math.Min(patience, lane.DueIn());
        }
        return patience;
    }

    private void Take(ConsumeResult<Ignore, ReadOnlyMemory<byte>> message)
    {
        if (assignment.Find(message.TopicPartition) is not { } progress)
            return;
        progress.AtEnd = message.IsPartitionEOF;
        if (message.IsPartitionEOF)
            return;
        if (message.Offset < progress.NextOffset)
            throw new LogChangedException(
                $"{message.Topic} [{message.Partition.Value}] has another log now: expected offset "
                    + $"{progress.NextOffset}, found {message.Offset.Value}."
            );
        decoder.Decode(message, progress, assignment.LaneOf(message.Partition).Filling);
    }

    private async Task TakeTurnAsync(CommitLane lane)
    {
        if (!lane.Committing.IsCompleted)
            return;
        await lane.Committing;
        var idle = lane.Ticks() ? Idle(lane) : [];
        if (idle.Count > 0 || (!lane.IsEmpty && lane.DueIn() == 0))
            lane.BeginCommit(idle);
    }

    /// <summary>The lane's partitions with something that the wall clock closes.</summary>
    private List<PartitionProgress> Idle(CommitLane lane)
    {
        var now = time.GetUtcNow().UtcTicks;
        var idle = new List<PartitionProgress>();
        lane.Backlog = 0;
        foreach (var progress in assignment.Owned)
        {
            var partition = progress.TopicPartition;
            if (assignment.LaneOf(partition.Partition) != lane)
                continue;
            var end = consumers.EndOf(partition);
            progress.ObserveEnd(end, now);
            lane.Backlog += progress.Behind(end);
            if (partition.Topic == TopicNames.Verified && lane.Transaction.HasIdle(new(partition.Partition, progress.CaughtUpUntil)))
                idle.Add(progress);
        }
        metrics.Backlog(lanes.Sum(each => each.Backlog));
        return idle;
    }
}
