using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// What must be known before the first answer to a partition: which topic it is of, and what its last owner said. The same line must not be
/// given two verdicts, for a key may have been enrolled or revoked since. Each step is asked again and again until it succeeds.
/// </summary>
internal sealed class Takeover(SourceTopic topic, EarlierAnswersReader reader, TopicIds topicIds, ILogger<Takeover> logger)
{
    private readonly Dictionary<PartitionProgress, long> wanted = [];
    private Task<Dictionary<int, EarlierAnswers>>? reading;

    /// <summary>Finds out the topic's id if an assignment left it in doubt; false when Kafka does not answer.</summary>
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
            logger.KafkaTrouble(exception.Error.Reason);
            return false;
        }
    }

    /// <summary>
    /// Begins to find out what was answered of the partitions that have their first messages here; false when there are none.
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
                    logger.Recalled(partition.Partition, offset, earlier.LastOffset);
            }
            return true;
        }
        catch (KafkaException exception)
        {
            logger.KafkaTrouble(exception.Error.Reason);
            reading = null;
            return false;
        }
    }
}
