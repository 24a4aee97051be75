using System.Buffers;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using FactoryStream.Signatures;
using FactoryStream.Simulator.Factories;

namespace FactoryStream.Simulator.Replay;

/// <summary>Signs on all cores a little ahead of whoever takes the lines, and keeps their order.</summary>
internal static class SignAhead
{
    private const int ReadingsAtOnce = 64;

    public static async IAsyncEnumerable<SignedLine> LinesAsync(
        IEnumerable<UnsignedReading> readings,
        ReadingSigner signer,
        SaltLength salt,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var ahead = Channel.CreateBounded<Task<SignedLine[]>>(Environment.ProcessorCount * 4);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var filling = Task.Run(() => FillAsync(stop.Token), stop.Token);
        try
        {
            await foreach (var chunk in ahead.Reader.ReadAllAsync(cancellationToken))
            {
                foreach (var line in await chunk)
                    yield return line;
            }
            await filling;
        }
        finally
        {
            await stop.CancelAsync();
            await filling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task FillAsync(CancellationToken token)
        {
            try
            {
                foreach (var chunk in readings.Chunk(ReadingsAtOnce))
                    await ahead.Writer.WriteAsync(Task.Run(() => Sign(chunk), token), token);
                ahead.Writer.Complete();
            }
            catch (Exception exception)
            {
                ahead.Writer.Complete(exception);
            }
        }

        SignedLine[] Sign(UnsignedReading[] chunk)
        {
            var lines = new SignedLine[chunk.Length];
            var buffer = new ArrayBufferWriter<byte>(2048);
            for (var i = 0; i < chunk.Length; i++)
            {
                buffer.ResetWrittenCount();
                Envelope.Append(buffer, chunk[i].Data, signer, salt);
                lines[i] = new SignedLine(chunk[i].MeasuredAt, buffer.WrittenSpan.ToArray());
            }
            return lines;
        }
    }
}
