using System.Threading.Channels;
using FactoryStream.Contracts;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Stream;

/// <summary>A message of <c>readings.signed</c>, as all clients share it.</summary>
/// <param name="Lines">Its envelopes.</param>
/// <param name="Factories">Whose each of them is; null when no client asks for one factory.</param>
internal sealed record StreamMessage(IReadOnlyList<ReadOnlyMemory<byte>> Lines, IReadOnlyList<string>? Factories)
{
    /// <summary>How many readings a line holds. Asked only of what a client misses, so it is not kept.</summary>
    public int ReadingsOf(int line) =>
        Lines[line].Span.IndexOf("\"batch\""u8) < 0 ? 1
        : new ReadingParser().TryParse(Lines[line], out var reading, out _) == Verdict.Accepted ? reading.Count
        : 1;
}

/// <summary>
/// The clients of <c>GET /stream</c>. All share what <see cref="StreamWorker"/> reads; a slow one misses messages, it slows nobody.
/// </summary>
internal sealed class StreamClients(IOptions<IngestOptions> options, IngestMetrics metrics) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly SemaphoreSlim wanted = new(0, 1);
    private readonly ReadingParser parser = new();
    private StreamClient[] clients = [];
    private TaskCompletionSource listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A new client; null when there are too many.</summary>
    /// <param name="factoryId">Only this factory's readings; null: all.</param>
    /// <param name="cancellationToken">Gives up waiting for Kafka.</param>
    /// <returns>Every reading accepted from now on comes, or is counted as missed.</returns>
    /// <exception cref="TimeoutException">Kafka does not respond.</exception>
    public async Task<StreamClient?> SubscribeAsync(string? factoryId, CancellationToken cancellationToken)
    {
        var client = new StreamClient(factoryId, options.Value.StreamBufferMessages, this);
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
        var message = new StreamMessage(lines, factories);
        foreach (var client in now)
            client.Offer(message);
    }

    public void Missed(int readings) => metrics.StreamMissed(readings);

    public void Remove(StreamClient client)
    {
        lock (gate)
        {
            if (!clients.Contains(client))
                return;
            clients = [.. clients.Where(other => other != client)];
        }
        metrics.StreamClients(-1);
    }

    /// <summary>Waits for the first client.</summary>
    public Task WhenWantedAsync(CancellationToken cancellationToken) => wanted.WaitAsync(cancellationToken);

    /// <summary>From now on every message is read: clients may be told so.</summary>
    public void Listening()
    {
        lock (gate)
            listening.TrySetResult();
    }

    /// <summary>True when the last client has left: then nothing is read any more.</summary>
    public bool TryRest()
    {
        lock (gate)
        {
            if (clients.Length > 0)
                return false;
            if (listening.Task.IsCompleted)
                listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    public void Dispose() => wanted.Dispose();
}

/// <summary>One client of <c>GET /stream</c>: a bounded queue, and how much of it was lost.</summary>
internal sealed class StreamClient : IDisposable
{
    private readonly StreamClients readings;
    private readonly Channel<StreamMessage> messages;
    private int missed;

    public StreamClient(string? factoryId, int bufferMessages, StreamClients readings)
    {
        this.readings = readings;
        FactoryId = factoryId;
        messages = Channel.CreateBounded<StreamMessage>(
            new BoundedChannelOptions(bufferMessages)
            {
                FullMode = BoundedChannelFullMode.DropOldest,
                SingleReader = true,
                SingleWriter = true,
            },
            lost => Miss(Enumerable.Range(0, lost.Lines.Count).Where(line => Wants(lost, line)).Sum(lost.ReadingsOf))
        );
    }

    public string? FactoryId { get; }

    public ChannelReader<StreamMessage> Messages => messages.Reader;

    public bool Wants(StreamMessage message, int line) => FactoryId is null || message.Factories?[line] == FactoryId;

    public void Offer(StreamMessage message)
    {
        if (FactoryId is null || message.Factories?.Contains(FactoryId) == true)
            messages.Writer.TryWrite(message);
    }

    public void Miss(int count)
    {
        Interlocked.Add(ref missed, count);
        readings.Missed(count);
    }

    /// <summary>How many readings were missed since it was last asked.</summary>
    public int TakeMissed() => Interlocked.Exchange(ref missed, 0);

    public void Dispose() => readings.Remove(this);
}
