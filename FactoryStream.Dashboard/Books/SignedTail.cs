using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Books;

/// <summary>How far a partition of <c>readings.signed</c> is in the ledger.</summary>
internal readonly record struct SourceCheckpoint(string TopicId, long Offset);

/// <summary>Lines of <c>readings.signed</c> that the ledger does not know yet.</summary>
/// <param name="ByFactory">"" where the factory could not be read.</param>
/// <param name="Total">All of them.</param>
/// <param name="IsWhole">False when there were more than could be counted.</param>
internal sealed record TailLines(IReadOnlyDictionary<string, long> ByFactory, long Total, bool IsWhole);

/// <summary>
/// Counts, by factory, the lines of <c>readings.signed</c> beyond the ledger's checkpoints. A consumer without a group: it is given partitions and
/// offsets, commits nothing and disturbs nobody. Not thread-safe; for one call at a time.
/// </summary>
internal sealed class SignedTail(IConfiguration configuration, IOptions<DashboardOptions> options) : IDisposable
{
    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(5);

    private readonly Utf8StringPool names = new();
    private TopicIncarnations? incarnations;
    private IConsumer<byte[]?, byte[]?>? consumer;
    private IAdminClient? admin;

    /// <summary>Counts what lies between the checkpoints and the log's present end.</summary>
    /// <exception cref="KafkaException">Kafka does not answer.</exception>
    public async Task<TailLines> ReadAsync(IReadOnlyDictionary<int, SourceCheckpoint> checkpoints, CancellationToken cancellation)
    {
        Connect();
        var topicId = await incarnations!.GetAsync(Topics.Signed);
        var partitions = await incarnations.PartitionCountAsync(Topics.Signed);
        var ends = await admin!.ListOffsetsAsync(
            Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffsetSpec { TopicPartition = new(Topics.Signed, partition), OffsetSpec = OffsetSpec.Latest() }),
            new ListOffsetsOptions { RequestTimeout = MetadataTimeout });

        var ranges = new Dictionary<int, long>();
        var starts = new List<TopicPartitionOffset>();
        foreach (var end in ends.ResultInfos.Select(info => info.TopicPartitionOffsetError))
        {
            // A checkpoint of another incarnation says nothing of this log.
            var next = checkpoints.TryGetValue(end.Partition.Value, out var checkpoint) && checkpoint.TopicId == topicId ? checkpoint.Offset + 1 : 0;
            if (next >= end.Offset.Value)
                continue;
            starts.Add(new TopicPartitionOffset(end.TopicPartition, next));
            ranges.Add(end.Partition.Value, end.Offset.Value);
        }
        return starts.Count == 0 ? new TailLines(new Dictionary<string, long>(), 0, IsWhole: true) : await Task.Run(() => Count(starts, ranges, cancellation), cancellation);
    }

    public void Dispose()
    {
        consumer?.Dispose();
        admin?.Dispose();
        incarnations?.Dispose();
    }

    private TailLines Count(List<TopicPartitionOffset> starts, Dictionary<int, long> unread, CancellationToken cancellation)
    {
        var parser = new ReadingParser(names);
        var lines = new Dictionary<string, long>();
        var total = 0L;
        var watch = Stopwatch.StartNew();
        consumer!.Assign(starts);
        try
        {
            while (unread.Count > 0 && total < options.Value.MaxBacklogLines && watch.Elapsed < options.Value.MaxBacklogTime)
            {
                cancellation.ThrowIfCancellationRequested();
                if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is not { } message || !unread.TryGetValue(message.Partition.Value, out var end))
                    continue;
                if (!message.IsPartitionEOF && message.Offset.Value < end)
                {
                    foreach (var line in MessageLines.Split(message.Message.Value, IsSingle(message.Message.Headers)))
                    {
                        parser.TryParse(line, out var reading, out _);
                        lines[reading.FactoryId ?? ""] = lines.GetValueOrDefault(reading.FactoryId ?? "") + 1;
                        total++;
                    }
                }
                if (message.IsPartitionEOF || message.Offset.Value >= end - 1)
                    unread.Remove(message.Partition.Value);
            }
            return new TailLines(lines, total, IsWhole: unread.Count == 0);
        }
        finally
        {
            consumer.Unassign();
        }
    }

    private static bool IsSingle(Headers? headers) => headers is not null && headers.TryGetLastBytes(MessageHeaders.Framing, out _);

    private void Connect()
    {
        if (consumer is not null)
            return;
        var servers = configuration.GetConnectionString("kafka")
            ?? throw new InvalidOperationException("No Kafka address: set ConnectionStrings__kafka (host:port[,host:port...]) or start the service through the AppHost.");
        incarnations = new TopicIncarnations(servers);
        consumer = new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
            {
                BootstrapServers = servers,
                // Asked for by the client, used by nobody: partitions are assigned by hand.
                GroupId = "factorystream-dashboard",
                EnableAutoCommit = false,
                EnableAutoOffsetStore = false,
                // What the broker no longer has cannot be counted; on with the oldest that it has.
                AutoOffsetReset = AutoOffsetReset.Earliest,
                EnablePartitionEof = true,
                QueuedMaxMessagesKbytes = 8 << 10,
                FetchErrorBackoffMs = 100,
            })
            // What cannot be reached shows as the call's own exception, or as a tail that is not whole.
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, _) => { })
            .Build();
        admin = new DependentAdminClientBuilder(consumer.Handle).Build();
    }
}
