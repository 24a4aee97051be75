using System.Buffers;
using System.Threading.Channels;
using FactoryStream.Signatures;
using FactoryStream.Simulator.Factories;
using FactoryStream.Simulator.Sending;

namespace FactoryStream.Simulator.Simulation;

/// <summary>
/// A factory: its engines measure in step, it signs what they measure and sends about one POST a second. What it has signed it keeps, in
/// order, until Ingest has acknowledged it; when its buffer is full it stops measuring, so that memory is bounded and no signed reading is
/// lost.
/// </summary>
internal sealed class SimulatedFactory
{
    private readonly ReadingSigner signer;
    private readonly Delivery delivery;
    private readonly SimulatorMetrics metrics;
    private readonly TimeProvider time;
    private readonly Pace pace;
    private readonly EngineModel[] engines;
    private readonly Random noise;
    private readonly Channel<byte[]> posts;
    private readonly ArrayBufferWriter<byte> collected = new();
    private long lastFlush;
    private long skipped;

    public SimulatedFactory(
        string factoryId,
        ReadingSigner signer,
        Func<Action<string>, Delivery> delivery,
        SimulatorOptions options,
        Pace pace,
        SimulatorMetrics metrics,
        TimeProvider time,
        Random noise,
        Action<string>? complain = null
    )
    {
        FactoryId = factoryId;
        this.signer = signer;
        this.delivery = delivery(why =>
        {
            Counts.Repeat(why);
            metrics.Repeated();
            complain?.Invoke(why);
        });
        this.pace = pace;
        this.metrics = metrics;
        this.time = time;
        this.noise = noise;
        engines = [.. Enumerable.Range(1, options.Engines).Select(engine => new EngineModel(factoryId, engine))];
        posts = Channel.CreateBounded<byte[]>(
            new BoundedChannelOptions(options.BufferedPosts) { SingleReader = true, SingleWriter = true }
        );
    }

    public string FactoryId { get; }

    public PostCounts Counts { get; } = new();

    /// <summary>POSTs signed and not yet acknowledged, but for the one under way.</summary>
    public int Waiting => posts.Reader.Count;

    /// <summary>Readings not taken because the buffer was full.</summary>
    public long Skipped => Interlocked.Read(ref skipped);

    /// <summary>Measures until cancelled; then what is collected is still handed to <see cref="SendAsync"/>, while that lasts.</summary>
    public async Task MeasureAsync(CancellationToken cancellationToken, CancellationToken sendingStopped)
    {
        using var timer = new PeriodicTimer(pace.Interval, time);
        lastFlush = time.GetTimestamp();
        void Follow() => timer.Period = pace.Interval;
        pace.Changed += Follow;
        try
        {
            do
            {
                if (!pace.IsPaused)
                    Tick();
            } while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped, as asked.
        }
        finally
        {
            pace.Changed -= Follow;
        }
        // What is collected goes the usual way, when there is room; SendAsync ends behind it.
        await StopAsync(sendingStopped);
    }

    /// <summary>Sends in order until all is acknowledged and nothing more will come, or until cancelled.</summary>
    public async Task SendAsync(CancellationToken cancellationToken)
    {
        await foreach (var lines in posts.Reader.ReadAllAsync(cancellationToken))
        {
            Counts.Begin(lines.AsSpan().Count((byte)'\n'));
            var result = await delivery.SendAsync(lines, cancellationToken);
            if (result.Failure is not null)
                throw new UsageException(result.Failure);
            Counts.End(result);
            metrics.Accepted(result.Accepted);
            foreach (var (reason, count) in result.Refused ?? new Dictionary<string, int>())
                metrics.Refused(reason, count);
        }
    }

    /// <summary>No more readings: hands over what is collected, waiting for room, and ends <see cref="SendAsync"/> behind it.</summary>
    internal async Task StopAsync(CancellationToken cancellationToken)
    {
        if (collected.WrittenCount > 0)
            await posts.Writer.WriteAsync(collected.WrittenSpan.ToArray(), cancellationToken);
        collected.ResetWrittenCount();
        posts.Writer.Complete();
    }

    internal void Tick()
    {
        var interval = pace.Interval;
        if (time.GetElapsedTime(lastFlush) >= TimeSpan.FromSeconds(1) - interval / 2 && !TryFlush())
        {
            Interlocked.Add(ref skipped, engines.Length);
            metrics.Skipped(engines.Length);
            return;
        }
        var now = time.GetUtcNow().UtcDateTime;
        // Whole milliseconds, as the Python system's machines have them.
        now = new DateTime(now.Ticks - now.Ticks % TimeSpan.TicksPerMillisecond, DateTimeKind.Utc);
        Span<byte> data = stackalloc byte[EngineModel.MaxReadingBytes];
        foreach (var engine in engines)
            Envelope.Append(collected, data[..engine.Measure(now, noise, data)], signer, SaltLength.Digest);
        if (interval >= TimeSpan.FromSeconds(1))
            TryFlush();
    }

    private bool TryFlush()
    {
        if (collected.WrittenCount > 0)
        {
            if (!posts.Writer.TryWrite(collected.WrittenSpan.ToArray()))
                return false;
            collected.ResetWrittenCount();
        }
        lastFlush = time.GetTimestamp();
        return true;
    }
}
