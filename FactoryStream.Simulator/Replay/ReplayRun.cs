using System.Buffers;
using FactoryStream.Simulator.Sending;

namespace FactoryStream.Simulator.Replay;

/// <summary>Sends lines in their order, one POST after the other, so that no engine's readings overtake each other.</summary>
/// <param name="delivery">Repeats a POST until it is answered.</param>
/// <param name="time">The clock of the pace.</param>
/// <param name="speed">Times real time; null: flat out.</param>
internal sealed class ReplayRun(Delivery delivery, TimeProvider time, double? speed)
{
    /// <summary>Most lines of a POST: large enough that the request costs little, small enough for any limit.</summary>
    public const int MaxLinesPerPost = 500;

    private readonly ArrayBufferWriter<byte> post = new(512 * 1024);
    private int lines,
        readings;

    /// <summary>Sends all; stops at the first POST that gets no answer, for what follows it must not overtake it.</summary>
    public async Task SendAsync(IAsyncEnumerable<SignedLine> source, PostCounts counts, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        DateTime? first = null;
        await foreach (var line in source.WithCancellation(cancellationToken))
        {
            first ??= line.MeasuredAt;
            var due = speed is { } times ? (line.MeasuredAt - first.Value) / times : TimeSpan.Zero;
            var wait = due - time.GetElapsedTime(started);
            if (wait > TimeSpan.Zero)
            {
                // What is due goes first; then there is time.
                await FlushAsync(counts, cancellationToken);
                wait = due - time.GetElapsedTime(started);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, time, cancellationToken);
            }
            post.Write(line.Line.Span);
            readings += line.Readings;
            if (++lines == MaxLinesPerPost)
                await FlushAsync(counts, cancellationToken);
            if (counts.Failure is not null)
                return;
        }
        await FlushAsync(counts, cancellationToken);
    }

    private async ValueTask FlushAsync(PostCounts counts, CancellationToken cancellationToken)
    {
        if (lines == 0 || counts.Failure is not null)
            return;
        counts.Begin(readings);
        counts.End(await delivery.SendAsync(post.WrittenMemory, cancellationToken));
        post.ResetWrittenCount();
        (lines, readings) = (0, 0);
    }
}
