using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// What must be known before the first verdict on a partition: which topic it is of, and its last owner's verdicts. The same line must not
/// be given two verdicts, for a key may have been enrolled or revoked since. Each step is asked again and again until it succeeds.
/// </summary>
internal sealed class Takeover(SourceTopic topic, EarlierVerdictsReader reader, TopicIds topicIds, VerifierLog log)
{
    private readonly Dictionary<PartitionProgress, long> wanted = [];
    private Task<Dictionary<int, EarlierVerdicts>>? reading;

    /// <summary>Finds out the topic's id after an assignment; false when Kafka does not respond.</summary>
    public bool TryIdentifyTopic()
    {
        if (!topic.MustIdentify)
            return true;
        try
        {
            topic.Identify(topicIds.GetAsync(TopicNames.Signed).GetAwaiter().GetResult());
            return true;
        }
        catch (KafkaException exception)
        {
            log.KafkaTrouble(exception.Error.Reason);
            return false;
        }
    }

    /// <summary>
    /// Begins to read the earlier verdicts on the partitions that have their first messages here; false when there are none.
    /// </summary>
    public bool BeginRecall(PolledMessages polled)
    {
        wanted.Clear();
        reading = null;
        foreach (var message in polled.Messages)
        {
            if (!message.Partition.IsRecalled && !message.Partition.IsClosed)
                wanted.TryAdd(message.Partition, message.Offset);
        }
        return wanted.Count > 0;
    }

    /// <summary>Whether it is found out by now. It is read on another thread, so that the group is not left meanwhile.</summary>
    public bool TryRecall(CancellationToken stopping)
    {
        var from = wanted.ToDictionary(entry => entry.Key.Partition, entry => entry.Value);
        var topicId = topic.Id;
        reading ??= Task.Run(() => reader.Read(from, topicId, stopping), stopping);
        if (!reading.IsCompleted)
            return false;
        try
        {
            var found = reading.GetAwaiter().GetResult();
            foreach (var (partition, offset) in wanted)
            {
                var earlier = found[partition.Partition];
                partition.Recall(earlier);
                if (earlier.LastOffset >= 0)
                    log.Recalled(partition.Partition, offset, earlier.LastOffset);
            }
            return true;
        }
        catch (KafkaException exception)
        {
            log.KafkaTrouble(exception.Error.Reason);
            reading = null;
            return false;
        }
    }
}
