using System.Diagnostics;
using FactoryStream.Simulator.Sending;

namespace FactoryStream.Benchmarks.Load;

/// <summary>
/// Sends a corpus over a few connections, one POST under way on each. A factory's POSTs keep to one connection and so to their order.
/// With a rate each POST has an instant at which it is due, whatever became of those before it, and its time to the answer counts from
/// there: what waits behind a slow one is slow, too ("coordinated omission" would hide it).
/// </summary>
/// <param name="corpus">What to send.</param>
/// <param name="rate">Readings a second; 0: flat out.</param>
/// <param name="connections">At most one for each factory.</param>
/// <param name="delivery">Makes a connection's delivery, which tells why it repeats.</param>
/// <param name="time">The clock of the pace and of the measurement.</param>
internal sealed class LoadRun(Corpus corpus, double rate, int connections, Func<Action<string>, Delivery> delivery, TimeProvider time)
{
    private readonly LatencyHistogram latencies = new();
    private long posts;

    public PostCounts Counts { get; } = new();

    /// <param name="stopAfter">No POST begins later than this after the first; null: all are sent.</param>
    /// <param name="cancellationToken">Gives up what is under way.</param>
    public async Task<LoadReport> RunAsync(TimeSpan? stopAfter, CancellationToken cancellationToken)
    {
        // A corpus may begin in the future, when it was signed for a moment to come: that moment is the start.
        var untilStart = corpus.Plan.Start - time.GetUtcNow().UtcDateTime;
        if (untilStart > TimeSpan.Zero)
            await Task.Delay(untilStart, time, cancellationToken);

        var started = time.GetTimestamp();
        var startedAt = time.GetUtcNow().UtcDateTime;
        var cpuBefore = Process.GetCurrentProcess().TotalProcessorTime;
        var deadline = stopAfter ?? TimeSpan.MaxValue;
        await Task.WhenAll(
            Enumerable
                .Range(0, connections)
                .Select(connection =>
                    Task.Run(() => SendAsync(connection, started, startedAt, deadline, cancellationToken), cancellationToken)
                )
        );
        var elapsed = time.GetElapsedTime(started).TotalSeconds;
        var cpu = Process.GetCurrentProcess().TotalProcessorTime - cpuBefore;

        var refused = Counts.RefusedByReason;
        return new LoadReport(
            rate,
            Counts.Sent,
            Counts.Acknowledged,
            refused,
            Math.Max(0, Counts.Sent - Counts.Acknowledged - refused.Values.Sum() * corpus.Plan.PerSignature),
            Counts.Repetitions,
            posts,
            Math.Round(elapsed, 3),
            Math.Round(Counts.Acknowledged / elapsed, 1),
            AckTimes.From(latencies),
            Math.Round(cpu.TotalMicroseconds / Math.Max(1, Counts.Acknowledged), 2),
            connections,
            corpus.ReadingsPerPost,
            corpus.Plan,
            corpus.Bytes,
            startedAt,
            Counts.Failure
        );
    }

    private async Task SendAsync(int connection, long started, DateTime startedAt, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var sender = delivery(Counts.Repeat);
        for (var post = 0; post < corpus.Posts && Counts.Failure is null; post++)
        {
            if (corpus.FactoryOf(post) % connections != connection)
                continue;
            var due = DueAt(post, startedAt);
            var now = time.GetElapsedTime(started);
            if (now >= deadline)
                return;
            while (due > now)
            {
                // Timers cut off parts of milliseconds; a POST must not be early.
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling((due - now).TotalMilliseconds)), time, cancellationToken);
                now = time.GetElapsedTime(started);
            }
            var readings = corpus.ReadingsOf(post);
            Counts.Begin(readings);
            Interlocked.Increment(ref posts);
            var result = await sender.SendAsync(corpus.LinesAt(post), cancellationToken);
            Counts.End(result);
            if (result.Failure is null)
                latencies.Record(time.GetElapsedTime(started) - (rate > 0 ? due : now), readings);
        }
    }

    /// <summary>After the start: by the rate, and never before its last reading was measured.</summary>
    private TimeSpan DueAt(int post, DateTime startedAt)
    {
        var last = corpus.LastOf(post);
        var measured = corpus.Plan.MeasuredAt(last) - startedAt;
        var paced = rate > 0 ? TimeSpan.FromSeconds((last + 1) / rate) : TimeSpan.Zero;
        return measured > paced ? measured : paced;
    }
}
