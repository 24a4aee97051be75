using Confluent.Kafka;

namespace FactoryStream.Dashboard;

/// <summary>How the Dashboard reads topics beside the pipeline: partitions and offsets of its choice, and nothing is committed.</summary>
internal static class GroupLessReading
{
    /// <summary>A consumer's configuration; the caller's own.</summary>
    public static ConsumerConfig Configuration() =>
        new()
        {
            // The client insists on a name; without subscription and commits no group of it ever comes to be.
            GroupId = "factorystream-dashboard",
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
            AllowAutoCreateTopics = false,
            QueuedMaxMessagesKbytes = 16_384,
        };
}
