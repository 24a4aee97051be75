using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.Dashboard.Pipeline;

/// <summary>A message as Kafka keeps it.</summary>
/// <param name="Offset">Its place in the partition.</param>
/// <param name="Time">When it was produced, UTC.</param>
/// <param name="Key">Null: it has none.</param>
/// <param name="Headers">By name; a name may stand there twice.</param>
/// <param name="Value">Null: it has none.</param>
internal sealed record KeptMessage(
    long Offset,
    DateTime Time,
    BoundedText? Key,
    IReadOnlyList<KeyValuePair<string, BoundedText>> Headers,
    BoundedText? Value
);

/// <summary>Reads the newest messages of a partition, one person at a time. Belongs to no consumer group, so it disturbs none.</summary>
internal sealed class NewestMessagesReader(KafkaConnection kafka, TimeProvider time) : IDisposable
{
    /// <summary>Messages, or rows of a table, when nobody says how many.</summary>
    public const int DefaultCount = 20;

    /// <summary>The most at a time.</summary>
    public const int MaxCount = 100;

    private readonly SemaphoreSlim turn = new(1);

    /// <summary>The newest messages, the newest first; empty: the partition holds none.</summary>
    /// <exception cref="KafkaException">The broker is away.</exception>
    /// <exception cref="NotNowException">There is no such partition, or they did not come in time.</exception>
    public async Task<IReadOnlyList<KeptMessage>> ReadAsync(string topic, int partition, int count, CancellationToken cancellation)
    {
        if (!TopicNames.All.Contains(topic))
            throw new ArgumentOutOfRangeException(nameof(topic), topic, "no topic of FactoryStream");
        await turn.WaitAsync(cancellation);
        try
        {
            // The client's calls block.
            return await Task.Run(
                () => Read(new TopicPartition(topic, partition), Math.Clamp(count, 1, MaxCount), cancellation),
                cancellation
            );
        }
        finally
        {
            turn.Release();
        }
    }

    private List<KeptMessage> Read(TopicPartition partition, int count, CancellationToken cancellation)
    {
        using var consumer = kafka.QuietConsumer<byte[]?, byte[]?>(GroupLessReading.Configuration());
        var began = time.GetTimestamp();
        using (var admin = new DependentAdminClientBuilder(consumer.Handle).Build())
        {
            var there = admin.GetMetadata(partition.Topic, TopicLogsReader.Patience).Topics.Single().Partitions.Count;
            if (partition.Partition.Value >= there)
                throw new NotNowException($"There is no such partition; the topic has {there}, numbered from 0.");
        }
        var extent = consumer.QueryWatermarkOffsets(partition, TopicLogsReader.Patience);
        var (start, end) = (Math.Max(extent.Low.Value, extent.High.Value - count), extent.High.Value);
        var messages = new List<KeptMessage>();
        if (start >= end)
            return messages;
        consumer.Assign(new TopicPartitionOffset(partition, start));
        while (messages.Count == 0 || messages[^1].Offset + 1 < end)
        {
            cancellation.ThrowIfCancellationRequested();
            if (time.GetElapsedTime(began) > TopicLogsReader.Patience)
                throw new NotNowException("The messages did not come in time; try again, or ask for fewer.");
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } consumed)
                messages.Add(Of(consumed));
        }
        messages.Reverse();
        return messages;
    }

    private static KeptMessage Of(ConsumeResult<byte[]?, byte[]?> consumed) =>
        new(
            consumed.Offset.Value,
            consumed.Message.Timestamp.UtcDateTime,
            Text(consumed.Message.Key),
            [.. consumed.Message.Headers.Select(one => KeyValuePair.Create(one.Key, Text(one.GetValueBytes()) ?? default))],
            Text(consumed.Message.Value)
        );

    private static BoundedText? Text(byte[]? bytes) => bytes is null ? null : BoundedText.Of(bytes);

    public void Dispose() => turn.Dispose();
}
