using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using FactoryStream.Contracts;
using FactoryStream.Simulator;
using FactoryStream.Storage;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>What this machine could do if there were nothing else to do, measured just before the run and on the same servers.</summary>
/// <param name="VerifiesPerSecond"><c>openssl speed</c> of RSA-2048 on all processors: bare modular arithmetic, no hash, no padding.
/// Measured once more after the run: <see cref="VerifiesPerSecondAfter"/>.</param>
/// <param name="CopyRowsPerSecond">Binary COPY of the same rows, encoded before, into a table of the same shape, a batch a transaction, on
/// one connection.</param>
/// <param name="KafkaReadingsPerSecond">Readings as lines, twenty a message, or batches of three hundred readings a message, produced and
/// consumed at once by one process.</param>
internal sealed record LimitRates(double VerifiesPerSecond, double CopyRowsPerSecond, double KafkaReadingsPerSecond)
{
    /// <summary>
    /// The same just after the run: a virtual machine's processors are faster or slower by the minute, with what its neighbours do.
    /// </summary>
    public double VerifiesPerSecondAfter { get; init; } = VerifiesPerSecond;

    /// <summary>What the run's rate is divided by.</summary>
    public double MeanVerifiesPerSecond => (VerifiesPerSecond + VerifiesPerSecondAfter) / 2;
}

internal static class Limits
{
    private const int LinesPerMessage = 20,
        BatchedReadingsPerMessage = 300,
        RowsPerTransaction = 16_384,
        CopyTransactions = 8,
        OpenSslSeconds = 3,
        OpenSslRounds = 3;
    private const string Topic = "bench.limit";
    private static readonly TimeSpan KafkaTurn = TimeSpan.FromSeconds(4),
        AnswerWithin = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The best of a few rounds: on a shared machine what disturbs only ever slows, and too low a limit would flatter every ratio to it.
    /// </summary>
    public static double OpenSsl() =>
        Enumerable.Range(0, OpenSslRounds).Max(_ => SignatureRates.OpenSslSpeed(2048, Environment.ProcessorCount, OpenSslSeconds));

    /// <summary>Rows a second of bare COPY.</summary>
    public static async Task<double> CopyAsync(SystemUnderLoad system, string corpus, CancellationToken cancellationToken)
    {
        await using var connection = await system.Database.OpenConnectionAsync(cancellationToken);
        await ExecuteAsync("CREATE SCHEMA bench; CREATE TABLE bench.readings (LIKE factory.readings INCLUDING ALL)");
        var target = ReadingStatements.CopyTarget.Replace("factory.", "bench.", StringComparison.Ordinal);
        var (rows, taken) = (0L, TimeSpan.Zero);
        var encoder = new RowEncoder();
        var buffer = new BinaryCopyBuffer();
        using var lines = File.OpenText(corpus);
        for (var i = 0; i < CopyTransactions && encoder.Fill(buffer, lines, RowsPerTransaction); i++)
        {
            var started = Stopwatch.GetTimestamp();
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await buffer.CopyToAsync(connection, target, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            taken += Stopwatch.GetElapsedTime(started);
            rows += buffer.RowCount;
        }
        await ExecuteAsync("DROP SCHEMA bench CASCADE");
        // What it leaves to be written is not the run's to write.
        await ExecuteAsync("CHECKPOINT");
        return rows / taken.TotalSeconds;

        async Task ExecuteAsync(string sql)
        {
#pragma warning disable CA2100 // The statements are the ones above.
            await using var command = new Npgsql.NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>Readings a second that one process produces and consumes.</summary>
    public static async Task<double> KafkaAsync(
        SystemUnderLoad system,
        string corpus,
        int batch,
        bool isInMemory,
        CancellationToken cancellationToken
    )
    {
        var linesPerMessage = batch == 1 ? LinesPerMessage : Math.Max(1, BatchedReadingsPerMessage / batch);
        // The broker in memory forgets what is beyond 5 MB of a partition.
        var messages = Messages(corpus, isInMemory ? 200 : 2_000, linesPerMessage);
        using var producer = new ProducerBuilder<Null, byte[]>(
            new ProducerConfig
            {
                BootstrapServers = system.Kafka,
                Acks = Acks.All,
                EnableIdempotence = true,
                DeliveryReportFields = "none",
            }
        ).Build();
        var partitions = await CreateTopicAsync(system.Kafka, isInMemory, cancellationToken);
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(
            new ConsumerConfig
            {
                BootstrapServers = system.Kafka,
                GroupId = Topic,
                EnableAutoCommit = false,
                QueuedMaxMessagesKbytes = 16 << 10,
                FetchQueueBackoffMs = 10,
                FetchWaitMaxMs = 10,
            }
        ).Build();
        consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(Topic, partition, Offset.Beginning)));

        using var room = new SemaphoreSlim(messages.Count);
        var produced = 0L;
        var started = Stopwatch.GetTimestamp();
        var producing = Task.Run(
            () =>
            {
                for (; Stopwatch.GetElapsedTime(started) < KafkaTurn; produced++)
                {
                    room.Wait(cancellationToken);
                    producer.Produce(
                        new TopicPartition(Topic, (int)(produced % partitions)),
                        new Message<Null, byte[]> { Value = messages[(int)(produced % messages.Count)] }
                    );
                }
                producer.Flush(cancellationToken);
            },
            cancellationToken
        );
        var consumed = 0L;
        while (!producing.IsCompleted || consumed < produced)
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is not null)
            {
                consumed++;
                room.Release();
            }
            else if (Stopwatch.GetElapsedTime(started) > KafkaTurn + AnswerWithin)
            {
                throw new UsageException($"Kafka gave back {consumed} of {produced} messages.");
            }
        }
        var taken = Stopwatch.GetElapsedTime(started);
        await producing;
        return consumed * linesPerMessage * batch / taken.TotalSeconds;
    }

    private static async Task<int> CreateTopicAsync(string servers, bool isInMemory, CancellationToken cancellationToken)
    {
        using var admin = new AdminClientBuilder(
            new AdminClientConfig { BootstrapServers = servers, AllowAutoCreateTopics = true }
        ).Build();
        if (!isInMemory)
            await admin.CreateTopicsAsync([
                new TopicSpecification
                {
                    Name = Topic,
                    NumPartitions = 12,
                    ReplicationFactor = 1,
                },
            ]);
        // The broker in memory makes it when it is asked for.
        for (var started = Stopwatch.GetTimestamp(); ; await Task.Delay(100, cancellationToken))
        {
            var topic = admin.GetMetadata(Topic, AnswerWithin).Topics.Single();
            if (topic.Partitions.Count > 0)
                return topic.Partitions.Count;
            if (Stopwatch.GetElapsedTime(started) > AnswerWithin)
                throw new UsageException($"The broker does not make the topic {Topic}: {topic.Error.Reason}.");
        }
    }

    private static List<byte[]> Messages(string corpus, int count, int linesPerMessage)
    {
        var messages = new List<byte[]>();
        using var lines = File.OpenText(corpus);
        while (messages.Count < count)
        {
            var of = new List<string>();
            while (of.Count < linesPerMessage && lines.ReadLine() is { } line)
                of.Add(line);
            if (of.Count < linesPerMessage)
                break;
            messages.Add(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', of)));
        }
        return messages;
    }

    private sealed class RowEncoder
    {
        private readonly ReadingParser parser = new();
        private readonly Dictionary<(string, string), int> engines = [];

        /// <summary>False: no line was left.</summary>
        public bool Fill(BinaryCopyBuffer buffer, StreamReader lines, int count)
        {
            buffer.Reset();
            while (buffer.RowCount < count && lines.ReadLine() is { } line)
            {
                if (parser.TryParse(System.Text.Encoding.UTF8.GetBytes(line), out var reading, out var wrong) != Verdict.Accepted)
                    throw new UsageException($"The corpus holds a line that is none: {wrong}.");
                if (!reading.IsBatch)
                {
                    var signature = new byte[Base64.GetMaxDecodedFromUtf8Length(reading.Signature.Length)];
                    Base64.DecodeFromUtf8(reading.Signature.Span, signature, out _, out var length);
                    Append(
                        buffer,
                        reading.FactoryId,
                        reading.EngineId,
                        reading.MeasuredAt,
                        reading.Data,
                        signature.AsMemory(0, length),
                        default
                    );
                    continue;
                }
                var sha256 = SHA256.HashData(reading.Data.Span);
                foreach (ref readonly var part in parser.BatchReadings)
                    Append(
                        buffer,
                        reading.FactoryId,
                        part.EngineId,
                        part.MeasuredAt,
                        reading.Data.Slice(part.Start, part.Length),
                        default,
                        sha256
                    );
            }
            return buffer.RowCount > 0;
        }

        private void Append(
            BinaryCopyBuffer buffer,
            string factoryId,
            string engineId,
            DateTime measuredAt,
            ReadOnlyMemory<byte> data,
            ReadOnlyMemory<byte> signature,
            ReadOnlyMemory<byte> batchSha256
        )
        {
            if (!engines.TryGetValue((factoryId, engineId), out var engineNo))
                engines.Add((factoryId, engineId), engineNo = engines.Count + 1);
            ReadingStatements.Append(
                buffer,
                new ReadingEntry(engineNo, 1, measuredAt, measuredAt, SHA256.HashData(data.Span), data, signature, batchSha256)
            );
        }
    }
}
