using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults;
using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Books;

/// <summary>The log's tail is too long to be counted now.</summary>
internal sealed class BacklogTooLongException(string message) : Exception(message);

/// <summary>
/// Draws up the books: what the Aggregator's transactions have written of the log up to their checkpoints, and what stands on the log behind them.
/// Both are read from what is kept, so no crash of any process puts them out of balance.
/// </summary>
internal sealed class BooksReader(FactoryDbContext database, LogTail tail, DashboardMetrics metrics, TimeProvider time)
{
    public async Task<BooksAnswer> ReadAsync(CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        List<LedgerRow> ledger = [];
        List<RejectionCountRow> rejections = [];
        List<CheckpointRow> checkpoints = [];
        await database.Database.CreateExecutionStrategy().ExecuteAsync(async () =>
        {
            // One snapshot: the ledger and the checkpoints are of the same moment.
            await using var transaction = await database.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
            ledger = await database.Ledger.AsNoTracking().ToListAsync(cancellation);
            rejections = await database.RejectionCounts.AsNoTracking().ToListAsync(cancellation);
            checkpoints = await database.Checkpoints.AsNoTracking().Where(row => row.Topic == Topics.Verified).ToListAsync(cancellation);
            await transaction.CommitAsync(cancellation);
        });
        var waiting = await tail.CountAsync(checkpoints, cancellation);

        var books = ledger.Select(row => row.FactoryId).Union(rejections.Select(row => row.FactoryId)).Union(waiting.Keys).Order(StringComparer.Ordinal).Select(factoryId =>
        {
            var rows = ledger.Where(row => row.FactoryId == factoryId).ToArray();
            var accepted = rows.Sum(row => row.Accepted) + waiting.GetValueOrDefault(factoryId);
            var (stored, duplicates) = (rows.Sum(row => row.Stored), rows.Sum(row => row.Duplicates));
            var rejected = ByReason(refused: false);
            return new FactoryBooks(factoryId, accepted, stored, duplicates, rejected, ByReason(refused: true), accepted - stored - duplicates - rejected.Values.Sum());

            Dictionary<string, long> ByReason(bool refused) => rejections.Where(row => row.FactoryId == factoryId && row.Refused == refused)
                .GroupBy(row => row.Reason).OrderBy(group => group.Key, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Sum(row => row.Count));
        }).ToArray();
        metrics.BooksDuration.Record(time.GetElapsedTime(begun).TotalSeconds);
        return new BooksAnswer(books);
    }
}

/// <summary>Counts the lines of <c>readings.signed</c> that no checkpoint has reached, by factory.</summary>
internal sealed class LogTail(IConfiguration configuration, IOptions<DashboardOptions> options, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1);
    private TopicIncarnations? incarnations;
    private IConsumer<Ignore, byte[]>? consumer;

    /// <exception cref="KafkaException">The broker is away.</exception>
    /// <exception cref="BacklogTooLongException">It takes longer than the patience for it.</exception>
    public async Task<Dictionary<string, long>> CountAsync(IReadOnlyList<CheckpointRow> checkpoints, CancellationToken cancellation)
    {
        await gate.WaitAsync(cancellation);
        try
        {
            var servers = configuration.GetConnectionString("kafka") ?? throw new InvalidOperationException("No Kafka address: set ConnectionStrings__kafka or start the service through the AppHost.");
            incarnations ??= new TopicIncarnations(servers);
            consumer ??= new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
            {
                BootstrapServers = servers,
                // A consumer must name a group; this one is never joined and nothing is committed.
                GroupId = "factorystream-dashboard",
                EnableAutoCommit = false,
                EnablePartitionEof = true,
                AutoOffsetReset = AutoOffsetReset.Earliest,
                QueuedMaxMessagesKbytes = 16_384,
                FetchWaitMaxMs = 50,
            }).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
            return await Task.Run(() => CountAsync(incarnations, consumer, checkpoints, cancellation), cancellation);
        }
        finally
        {
            gate.Release();
        }
    }

    public void Dispose()
    {
        consumer?.Dispose();
        incarnations?.Dispose();
        gate.Dispose();
    }

    private async Task<Dictionary<string, long>> CountAsync(
        TopicIncarnations topics, IConsumer<Ignore, byte[]> log, IReadOnlyList<CheckpointRow> checkpoints, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        var counts = new Dictionary<string, long>();
        var topicId = await topics.GetAsync(Topics.Signed);
        var ends = new Dictionary<int, long>();
        var starts = new List<TopicPartitionOffset>();
        for (var partition = await topics.PartitionCountAsync(Topics.Signed) - 1; partition >= 0; partition--)
        {
            var checkpoint = checkpoints.FirstOrDefault(row => row.Partition == partition && row.SourceTopicId == topicId);
            var marks = log.QueryWatermarkOffsets(new TopicPartition(Topics.Signed, partition), options.Value.BooksPatience);
            var from = Math.Max(marks.Low.Value, checkpoint is null ? 0 : checkpoint.SourceOffset + 1);
            if (from >= marks.High.Value)
                continue;
            ends.Add(partition, marks.High.Value);
            starts.Add(new TopicPartitionOffset(Topics.Signed, partition, from));
        }
        if (starts.Count == 0)
            return counts;

        var parser = new ReadingParser();
        log.Assign(starts);
        try
        {
            while (ends.Count > 0)
            {
                cancellation.ThrowIfCancellationRequested();
                if (time.GetElapsedTime(begun) > options.Value.BooksPatience)
                    throw new BacklogTooLongException($"More readings wait than can be counted in {options.Value.BooksPatience.TotalSeconds:F0} s: {counts.Values.Sum()} so far. Ask again when the backlog is shorter.");
                if (log.Consume(100) is not { } message || !ends.TryGetValue(message.Partition, out var end))
                    continue;
                if (!message.IsPartitionEOF && message.Offset < end)
                    Count(parser, message, counts);
                if (message.IsPartitionEOF || message.Offset >= end - 1)
                    ends.Remove(message.Partition);
            }
        }
        finally
        {
            log.Unassign();
        }
        return counts;
    }

    private static void Count(ReadingParser parser, ConsumeResult<Ignore, byte[]> message, Dictionary<string, long> counts)
    {
        var single = message.Message.Headers is { } headers && headers.TryGetLastBytes(MessageHeaders.Framing, out var framing) && Encoding.UTF8.GetString(framing) == MessageHeaders.FramingSingle;
        foreach (var line in MessageLines.Split(message.Message.Value ?? [], single))
        {
            parser.TryParse(line, out var reading, out _);
            CollectionsMarshal.GetValueRefOrAddDefault(counts, reading.FactoryId ?? "", out _)++;
        }
    }
}
