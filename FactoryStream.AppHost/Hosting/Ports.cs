using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace FactoryStream.AppHost.Hosting;

/// <summary>Gives out ports of the loopback address: the ones of the last run, where they are still free.</summary>
internal sealed class Ports(DataFolder folder) : IDisposable
{
    private const string FileName = "ports.json";

    private readonly Lock gate = new();
    private readonly List<Socket> held = [];
    private Dictionary<string, int>? kept;

    /// <summary>A free port of this machine, kept under a name.</summary>
    public int For(string purpose)
    {
        lock (gate)
        {
            kept ??= folder.TryRead(FileName) is { } json ? JsonSerializer.Deserialize<Dictionary<string, int>>(json) ?? [] : [];
            if (kept.TryGetValue(purpose, out var last) && TryHold(last) is not null)
                return last;
            var port = TryHold(0) ?? throw new InvalidOperationException("There is no free port.");
            kept[purpose] = port;
            folder.Write(FileName, JsonSerializer.Serialize(kept));
            return port;
        }
    }

    /// <summary>Whether someone listens there, on the loopback address or another.</summary>
    public static bool IsTaken(int port, IPAddress? address = null)
    {
        address ??= IPAddress.Loopback;
        using var socket = Create(address.AddressFamily);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen();
            return false;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse)
        {
            return true;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var socket in held)
                socket.Dispose();
            held.Clear();
        }
    }

    /// <summary>
    /// Binds without listening, until the end: with SO_REUSEADDR on both sides the process that the port is meant for can still bind and
    /// listen, while the kernel gives it to nobody who asks for any port, nor to an outgoing connection.
    /// </summary>
    private int? TryHold(int port)
    {
        var socket = Create();
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
        var bound = ((IPEndPoint)socket.LocalEndPoint!).Port;
        if (port != 0 && IsTaken(bound))
        {
            socket.Dispose();
            return null;
        }
        held.Add(socket);
        return bound;
    }

    private static Socket Create(AddressFamily family = AddressFamily.InterNetwork)
    {
        var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        // SOL_SOCKET, SO_REUSEADDR; .NET's own ReuseAddress option would set SO_REUSEPORT too.
        socket.SetRawSocketOption(1, 2, BitConverter.GetBytes(1));
        return socket;
    }

    /// <summary>Who listens on a port, if this user may know.</summary>
    public static string? ListenerOf(int port)
    {
        try
        {
            var local = string.Create(CultureInfo.InvariantCulture, $":{port:X4}");
            var inode = File.ReadLines("/proc/net/tcp")
                .Concat(File.ReadLines("/proc/net/tcp6"))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .FirstOrDefault(fields => fields.Length > 9 && fields[1].EndsWith(local, StringComparison.Ordinal) && fields[3] == "0A")
                ?[9];
            if (inode is null)
                return null;
            foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
            {
                try
                {
                    if (
                        Directory
                            .EnumerateFiles(Path.Combine(process, "fd"))
                            .Any(fd => File.ResolveLinkTarget(fd, false)?.Name == $"socket:[{inode}]")
                    )
                        return $"{File.ReadAllText(Path.Combine(process, "comm")).Trim()}, process {Path.GetFileName(process)}";
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    // A process of someone else, or one that has just ended: it cannot be looked into.
                }
            }
        }
        catch (IOException)
        {
            // Without /proc/net there is no name to tell; the message does without.
        }
        return null;
    }
}
