using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Topics;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.Ingest.Stream;

/// <summary>
/// Reads <c>readings.signed</c> from its end on, for the clients of <c>GET /stream</c>: one consumer, without a group, for all of them,
/// and none while there are no clients.
/// </summary>
internal sealed class StreamWorker(StreamClients readings, SignedTopicWriter signed, KafkaConnection kafka, IngestLog log)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await readings.WhenWantedAsync(stoppingToken);
                await Task.Factory.StartNew(
                    () => Listen(stoppingToken),
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default
                );
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    private void Listen(CancellationToken stoppingToken)
    {
        using var consumer = kafka
            .Consumer<Ignore, byte[]>(
                new ConsumerConfig
                {
                    // The client library wants a name; no group is joined and nothing committed.
                    GroupId = "factorystream-stream",
                    EnableAutoCommit = false,
                    AutoOffsetReset = AutoOffsetReset.Latest,
                    ConsumeResultFields = "headers",
                    QueuedMaxMessagesKbytes = 8 << 10,
                    FetchQueueBackoffMs = 10,
                    FetchWaitMaxMs = 100,
                }
            )
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, error) => log.StreamTrouble(error.Reason))
            .Build();

        while (!Begin(consumer))
        {
            if (IsOver(stoppingToken) || stoppingToken.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(200)))
                return;
        }
        while (!IsOver(stoppingToken))
        {
            try
            {
                if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is { Message: { } message } && IsFirstShare(message.Headers))
                    readings.Broadcast(message.Value, IsSingle(message.Headers));
            }
            catch (ConsumeException exception) when (!exception.Error.IsFatal)
            {
                // The client library goes on trying, so do we.
                log.StreamTrouble(exception.Error.Reason);
            }
        }
    }

    /// <summary>Stands at the end of every partition, so that whoever has been told so misses nothing that is posted afterwards.</summary>
    private bool Begin(IConsumer<Ignore, byte[]> consumer)
    {
        if (!signed.IsOpen)
            return false;
        try
        {
            using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
            var partitions = Enumerable
                .Range(0, signed.Partitions.Length)
                .Select(partition => new TopicPartition(TopicNames.Signed, partition));
            var ends = admin.OffsetsAsync(OffsetSpec.Latest(), partitions, TimeSpan.FromSeconds(2)).GetAwaiter().GetResult();
            consumer.Assign([.. ends.Select(end => new TopicPartitionOffset(end.Key, end.Value))]);
        }
        catch (KafkaException exception)
        {
            log.StreamTrouble(exception.Error.Reason);
            return false;
        }
        readings.Listening();
        return true;
    }

    private bool IsOver(CancellationToken stoppingToken) => stoppingToken.IsCancellationRequested || readings.TryRest();

    /// <summary>A batch of several partitions is told once: by the partition that its first reading is of.</summary>
    private static bool IsFirstShare(Headers headers) =>
        !headers.TryGetLastBytes(MessageHeaders.BatchShare, out var header)
        || (BatchShare.TryParse(header, out var share) && share[0] == 0);

    private static bool IsSingle(Headers headers) => headers.Text(MessageHeaders.Framing) == MessageHeaders.FramingSingle;
}
