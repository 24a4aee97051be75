using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace FactoryStream.InMemoryKafka;

/// <summary>
/// One port before several: each connection goes to the next that is ready. It listens before the first is, and connections wait meanwhile;
/// one that does not take a connection is passed over.
/// </summary>
internal sealed class Relay : IAsyncDisposable
{
    private const int BufferSize = 64 * 1024;

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(50);

    private readonly Socket listener;
    private readonly Func<IReadOnlyList<int>> readyPorts;
    private readonly CancellationTokenSource ending = new();
    private readonly Task accepting;
    private uint turn;

    /// <summary>Listens at once. <paramref name="readyPorts"/>: where instances take connections now.</summary>
    public Relay(int port, Func<IReadOnlyList<int>> readyPorts)
    {
        this.readyPorts = readyPorts;
        listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        listener.SetRawSocketOption(1, 2, BitConverter.GetBytes(1));
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(1024);
        accepting = AcceptAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Dispose();
        await accepting;
        ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptAsync(ending.Token);
                _ = ServeAsync(client, ending.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Ending, or a client that was gone before it was taken: either way there is nobody to serve.
            }
        }
    }

    private async Task ServeAsync(Socket client, CancellationToken cancellationToken)
    {
        using (client)
        {
            try
            {
                client.NoDelay = true;
                using var instance = await ConnectAsync(cancellationToken);
                await Task.WhenAll(PumpAsync(client, instance, cancellationToken), PumpAsync(instance, client, cancellationToken));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // One side went away: closing the other tells it so.
            }
        }
    }

    private async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var ports = readyPorts();
            var first = Interlocked.Increment(ref turn);
            for (var i = 0; i < ports.Count; i++)
            {
                var instance = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                timeout.CancelAfter(ConnectTimeout);
                try
                {
                    await instance.ConnectAsync(new IPEndPoint(IPAddress.Loopback, ports[(int)((first + i) % ports.Count)]), timeout.Token);
                    return instance;
                }
                catch (Exception exception)
                    when (exception is SocketException
                        || exception is OperationCanceledException && !cancellationToken.IsCancellationRequested
                    )
                {
                    instance.Dispose();
                }
            }
            await Task.Delay(RetryDelay, cancellationToken);
        }
    }

    private static async Task PumpAsync(Socket from, Socket to, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer, cancellationToken)) > 0)
            {
                var sent = 0;
                while (sent < count)
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), cancellationToken);
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch
        {
            // The other direction cannot go on alone.
            from.Dispose();
            to.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
