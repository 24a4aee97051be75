using System.Buffers;
using System.Threading.Channels;
using FactoryStream.Signatures;
using FactoryStream.Simulator.Factories;

namespace FactoryStream.Benchmarks.Load;

/// <summary>Signs a corpus on all cores and writes it in order.</summary>
internal static class CorpusWriter
{
    /// <param name="plan">What to sign.</param>
    /// <param name="signers">Of each factory.</param>
    /// <param name="target">Where the lines go.</param>
    /// <param name="progress">Told how many more readings are written.</param>
    /// <param name="cancellationToken">Ends it; what is written by then is no corpus.</param>
    public static async Task WriteAsync(
        CorpusPlan plan,
        IReadOnlyList<ReadingSigner> signers,
        Stream target,
        Action<int>? progress,
        CancellationToken cancellationToken
    )
    {
        var engines = Enumerable
            .Range(0, plan.Factories)
            .Select(factory =>
                Enumerable.Range(1, plan.Engines).Select(engine => new EngineModel(plan.FactoryId(factory), engine)).ToArray()
            )
            .ToArray();
        var buffers = new System.Collections.Concurrent.ConcurrentBag<ArrayBufferWriter<byte>>();
        var ahead = Channel.CreateBounded<Task<(ArrayBufferWriter<byte> Lines, int Count)>>(Environment.ProcessorCount * 4);
        // Several small POSTs are one piece of work.
        var postsAtOnce = Math.Max(1, 64 / plan.Post);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var filling = Task.Run(FillAsync, CancellationToken.None);
        try
        {
            await foreach (var work in ahead.Reader.ReadAllAsync(cancellationToken))
            {
                var (lines, count) = await work;
                await target.WriteAsync(lines.WrittenMemory, cancellationToken);
                lines.ResetWrittenCount();
                buffers.Add(lines);
                progress?.Invoke(count);
            }
            await target.FlushAsync(cancellationToken);
        }
        finally
        {
            await stop.CancelAsync();
            await filling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task FillAsync()
        {
            Exception? failure = null;
            try
            {
                for (var post = 0L; post < plan.Posts; post += postsAtOnce)
                {
                    var first = post;
                    await ahead.Writer.WriteAsync(Task.Run(() => Sign(first), stop.Token), stop.Token);
                }
            }
            catch (OperationCanceledException exception)
            {
                failure = exception;
            }
            ahead.Writer.Complete(failure);
        }

        (ArrayBufferWriter<byte>, int) Sign(long firstPost)
        {
            if (!buffers.TryTake(out var lines))
                lines = new ArrayBufferWriter<byte>((plan.Post * postsAtOnce + 1) * 1024);
            Span<byte> data = stackalloc byte[EngineModel.MaxReadingBytes];
            var array = plan.PerSignature > 1 ? new ArrayBufferWriter<byte>(plan.PerSignature * 256) : null;
            var noise = new Random();
            var count = 0;
            for (var post = firstPost; post < Math.Min(firstPost + postsAtOnce, plan.Posts); post++)
            {
                var factory = plan.FactoryOf(post);
                var readings = plan.ReadingsOf(post);
                for (var i = 0; i < readings; i++, count++)
                {
                    var reading = post * plan.Post + i;
                    var length = engines[factory][plan.EngineOf(reading)].Measure(plan.MeasuredAt(reading), noise, data);
                    if (array is null)
                    {
                        Envelope.Append(lines, data[..length], signers[factory], plan.Salt);
                        continue;
                    }
                    array.Write(array.WrittenCount == 0 ? "["u8 : ", "u8);
                    array.Write(data[..length]);
                    if ((i + 1) % plan.PerSignature != 0 && i + 1 < readings)
                        continue;
                    array.Write("]"u8);
                    Envelope.AppendBatch(lines, array.WrittenSpan, signers[factory], plan.Salt);
                    array.ResetWrittenCount();
                }
            }
            return (lines, count);
        }
    }
}
