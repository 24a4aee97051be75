using System.Buffers;
using System.Threading.Channels;
using FactoryStream.Signatures;
using FactoryStream.Simulator.Factories;

namespace FactoryStream.Simulator.Load;

/// <summary>Signs a corpus on all cores and writes it in order.</summary>
internal static class CorpusWriter
{
    /// <param name="plan">What to sign.</param>
    /// <param name="signers">Of each factory.</param>
    /// <param name="target">Where the lines go.</param>
    /// <param name="progress">Told how many more lines are written.</param>
    /// <param name="cancellationToken">Ends it; what is written by then is no corpus.</param>
    public static async Task WriteAsync(CorpusPlan plan, IReadOnlyList<ReadingSigner> signers, Stream target, Action<int>? progress, CancellationToken cancellationToken)
    {
        var engines = Enumerable.Range(0, plan.Factories)
            .Select(factory => Enumerable.Range(1, plan.Engines).Select(engine => new EngineModel(plan.FactoryId(factory), engine)).ToArray()).ToArray();
        var buffers = new System.Collections.Concurrent.ConcurrentBag<ArrayBufferWriter<byte>>();
        var ahead = Channel.CreateBounded<Task<(ArrayBufferWriter<byte> Lines, int Count)>>(Environment.ProcessorCount * 4);
        // Several small batches are one piece of work.
        var batchesAtOnce = Math.Max(1, 64 / plan.Batch);
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
                for (var batch = 0L; batch < plan.Batches; batch += batchesAtOnce)
                {
                    var first = batch;
                    await ahead.Writer.WriteAsync(Task.Run(() => Sign(first), stop.Token), stop.Token);
                }
            }
            catch (OperationCanceledException exception)
            {
                failure = exception;
            }
            ahead.Writer.Complete(failure);
        }

        (ArrayBufferWriter<byte>, int) Sign(long firstBatch)
        {
            if (!buffers.TryTake(out var lines))
                lines = new ArrayBufferWriter<byte>((plan.Batch * batchesAtOnce + 1) * 1024);
            Span<byte> data = stackalloc byte[EngineModel.MaxReadingBytes];
            var noise = new Random();
            var count = 0;
            for (var batch = firstBatch; batch < Math.Min(firstBatch + batchesAtOnce, plan.Batches); batch++)
            {
                var factory = plan.FactoryOf(batch);
                for (var i = 0; i < plan.LinesOf(batch); i++, count++)
                {
                    var line = batch * plan.Batch + i;
                    var length = engines[factory][plan.EngineOf(line)].Measure(plan.MeasuredAt(line), noise, data);
                    Envelope.Append(lines, data[..length], signers[factory], plan.Salt);
                }
            }
            return (lines, count);
        }
    }
}
