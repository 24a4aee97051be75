using System.Text;
using System.Threading.Channels;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.Ingest.Messages;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Live;

/// <summary>A message of <c>readings.signed</c>, as all clients share it.</summary>
/// <param name="Lines">Its envelopes.</param>
/// <param name="Factories">Whose each of them is; null when no client asks for one factory.</param>
internal sealed record LiveMessage(IReadOnlyList<ReadOnlyMemory<byte>> Lines, IReadOnlyList<string>? Factories);

/// <summary>
/// Reads <c>readings.signed</c> from its end on, for the clients of <c>GET /stream</c>: one consumer, without a group, for all of them,
/// and none while there are no clients. A slow client misses messages; it slows nobody.
/// </summary>
internal sealed class LiveReadings(SignedLog signed, IConfiguration configuration, IOptions<IngestOptions> options, IngestMetrics metrics, IngestLog log) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly SemaphoreSlim wanted = new(0, 1);
    private readonly ReadingParser parser = new();
    private LiveClient[] clients = [];
    private TaskCompletionSource listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A new client; null when there are too many.</summary>
    /// <param name="factoryId">Only this factory's readings; null: all.</param>
    /// <param name="cancellationToken">Gives up waiting for Kafka.</param>
    /// <returns>Every reading accepted from now on comes, or is counted as missed.</returns>
    /// <exception cref="TimeoutException">Kafka does not answer.</exception>
    public async Task<LiveClient?> SubscribeAsync(string? factoryId, CancellationToken cancellationToken)
    {
        var client = new LiveClient(factoryId, options.Value.StreamBufferMessages, this);
        Task ready;
        lock (gate)
        {
            if (clients.Length >= options.Value.MaxStreamClients)
                return null;
            clients = [.. clients, client];
            if (clients.Length == 1 && wanted.CurrentCount == 0)
                wanted.Release();
            ready = listening.Task;
        }
        metrics.StreamClients(1);
        try
        {
            await ready.WaitAsync(Patience, cancellationToken);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Gives a message to every client that wants it.</summary>
    public void Broadcast(byte[] value, bool isSingle)
    {
        var now = Volatile.Read(ref clients);
        var lines = MessageLines.Split(value, isSingle);
        List<string>? factories = null;
        if (now.Any(client => client.FactoryId is not null))
        {
            factories = new(lines.Count);
            foreach (var line in lines)
            {
                parser.TryParse(line, out var reading, out _);
                factories.Add(reading.FactoryId);
            }
        }
        var message = new LiveMessage(lines, factories);
        foreach (var client in now)
            client.Offer(message);
    }

    public void Missed(int lines) => metrics.StreamMissed(lines);

    public void Remove(LiveClient client)
    {
        lock (gate)
        {
            if (!clients.Contains(client))
                return;
            clients = [.. clients.Where(other => other != client)];
        }
        metrics.StreamClients(-1);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await wanted.WaitAsync(stoppingToken);
                await Task.Factory.StartNew(() => Listen(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
    }

    public override void Dispose()
    {
        wanted.Dispose();
        base.Dispose();
    }

    private void Listen(CancellationToken stoppingToken)
    {
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = configuration.GetConnectionString("kafka"),
            // The client library wants a name; no group is joined and nothing committed.
            GroupId = "factorystream-live",
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Latest,
            ConsumeResultFields = "headers",
            QueuedMaxMessagesKbytes = 8 << 10,
            FetchWaitMaxMs = 100,
        })
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, error) => log.LiveTrouble(error.Reason))
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
                if (consumer.Consume(TimeSpan.FromMilliseconds(200)) is { Message: { } message })
                    Broadcast(message.Value, IsSingle(message.Headers));
            }
            catch (ConsumeException exception) when (!exception.Error.IsFatal)
            {
                // The client library goes on trying, so do we.
                log.LiveTrouble(exception.Error.Reason);
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
            consumer.Assign([.. Enumerable.Range(0, signed.Partitions.Length).Select(partition =>
            {
                var topicPartition = new TopicPartition(Topics.Signed, partition);
                return new TopicPartitionOffset(topicPartition, consumer.QueryWatermarkOffsets(topicPartition, TimeSpan.FromSeconds(2)).High);
            })]);
        }
        catch (KafkaException exception)
        {
            log.LiveTrouble(exception.Error.Reason);
            return false;
        }
        lock (gate)
            listening.TrySetResult();
        return true;
    }

    private bool IsOver(CancellationToken stoppingToken)
    {
        lock (gate)
        {
            if (clients.Length > 0 && !stoppingToken.IsCancellationRequested)
                return false;
            if (listening.Task.IsCompleted)
                listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    private static bool IsSingle(Headers headers) =>
        headers.TryGetLastBytes(MessageHeaders.Framing, out var framing) && Encoding.UTF8.GetString(framing) == MessageHeaders.FramingSingle;
}

/// <summary>One client of the live stream: a bounded queue, and how much of it was lost.</summary>
internal sealed class LiveClient : IDisposable
{
    private readonly LiveReadings readings;
    private readonly Channel<LiveMessage> messages;
    private int missed;

    public LiveClient(string? factoryId, int bufferMessages, LiveReadings readings)
    {
        this.readings = readings;
        FactoryId = factoryId;
        messages = Channel.CreateBounded<LiveMessage>(
            new BoundedChannelOptions(bufferMessages) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true, SingleWriter = true },
            lost => Miss(lost.Lines.Where((_, line) => Wants(lost, line)).Count()));
    }

    public string? FactoryId { get; }

    public ChannelReader<LiveMessage> Messages => messages.Reader;

    public bool Wants(LiveMessage message, int line) => FactoryId is null || message.Factories?[line] == FactoryId;

    public void Offer(LiveMessage message)
    {
        if (FactoryId is null || message.Factories?.Contains(FactoryId) == true)
            messages.Writer.TryWrite(message);
    }

    public void Miss(int lines)
    {
        Interlocked.Add(ref missed, lines);
        readings.Missed(lines);
    }

    /// <summary>How many readings were missed since it was last asked.</summary>
    public int TakeMissed() => Interlocked.Exchange(ref missed, 0);

    public void Dispose() => readings.Remove(this);
}
