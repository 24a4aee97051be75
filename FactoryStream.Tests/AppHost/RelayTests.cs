using System.Net;
using System.Net.Sockets;
using System.Text;
using FactoryStream.InMemoryKafka;

namespace FactoryStream.Tests.AppHost;

public sealed class RelayTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Connections_are_given_to_the_instances_in_turn()
    {
        using var first = new Named("first");
        using var second = new Named("second");
        var port = LocalServers.FreePort();
        await using var relay = new Relay(port, () => [first.Port, second.Port]);

        var answers = new List<string>();
        for (var i = 0; i < 4; i++)
            answers.Add(await AskAsync(port));

        Assert.Equal(["first", "first", "second", "second"], answers.Order());
        Assert.NotEqual(answers[0], answers[1]);
    }

    [Fact]
    public async Task A_connection_waits_until_an_instance_is_ready()
    {
        using var instance = new Named("late");
        var ready = false;
        var port = LocalServers.FreePort();
        await using var relay = new Relay(port, () => ready ? [instance.Port] : []);

        var asking = AskAsync(port);
        await Task.Delay(200, CancellationToken.None);
        Assert.False(asking.IsCompleted);
        ready = true;

        Assert.Equal("late", await asking);
    }

    [Fact]
    public async Task An_instance_that_takes_no_connection_is_passed_over()
    {
        using var alive = new Named("alive");
        var dead = LocalServers.FreePort();
        var port = LocalServers.FreePort();
        await using var relay = new Relay(port, () => [dead, alive.Port]);

        Assert.Equal("alive", await AskAsync(port));
        Assert.Equal("alive", await AskAsync(port));
    }

    [Fact]
    public async Task Large_answers_and_half_closed_connections_pass_whole()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var echoing = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            // Answers only when the other side has said that there is no more.
            using var all = new MemoryStream();
            await using var stream = client.GetStream();
            await stream.CopyToAsync(all);
            await stream.WriteAsync(all.ToArray());
        });
        var port = LocalServers.FreePort();
        await using var relay = new Relay(port, () => [((IPEndPoint)listener.LocalEndpoint).Port]);

        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        var sent = new byte[3_000_000];
        Random.Shared.NextBytes(sent);
        await using var stream = client.GetStream();
        await stream.WriteAsync(sent);
        client.Client.Shutdown(SocketShutdown.Send);
        using var received = new MemoryStream();
        await stream.CopyToAsync(received).WaitAsync(Patience);

        Assert.Equal(sent, received.ToArray());
        await echoing.WaitAsync(Patience);
        listener.Stop();
    }

    private static async Task<string> AskAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        using var reader = new StreamReader(client.GetStream());
        return await reader.ReadToEndAsync().WaitAsync(Patience);
    }

    /// <summary>A server that tells everyone its name and hangs up.</summary>
    private sealed class Named : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);

        public Named(string name)
        {
            listener.Start();
            _ = ServeAsync(name);
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public void Dispose() => listener.Stop();

        private async Task ServeAsync(string name)
        {
            try
            {
                while (true)
                {
                    using var client = await listener.AcceptTcpClientAsync();
                    await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(name));
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // Stopped.
            }
        }
    }
}
