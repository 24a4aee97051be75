using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FactoryStream.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace FactoryStream.Tests.Storage;

/// <summary>
/// A PostgreSQL of a test class's own, and databases in it with the schema of this version. <see cref="Missing"/> where the machine has no server.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string folder = Directory.CreateTempSubdirectory("factorystream-").FullName;
    private Process? server;
    private int port;
    private int databases;

    /// <summary>Why there is no server; null when there is one.</summary>
    public string? Missing { get; private set; }

    public async Task InitializeAsync()
    {
        if (FindBinaries() is not { } binaries)
        {
            Missing = "no PostgreSQL server binaries on this machine";
            return;
        }
        port = FreePort();
        var data = Path.Combine(folder, "data");
        // PostgreSQL refuses to run as root.
        string[] user = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"] : [];
        if (user.Length > 0)
            await RunAsync("chown", "-R", "nobody:nogroup", folder);
        await RunAsync([.. user, Path.Combine(binaries, "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]);
        // The shell ends the server when this process closes its end of the pipe, which it does even when it is killed.
        server = Start(redirectOutput: false,
            [.. user, "sh", "-c", "\"$@\" & read -r _; kill -INT $!; wait", "sh", Path.Combine(binaries, "postgres"), "-D", data, "-c", "listen_addresses=127.0.0.1",
                "-c", string.Create(CultureInfo.InvariantCulture, $"port={port}"), "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "logging_collector=on"]);
        await AnsweringAsync();

        await ExecuteAsync("CREATE DATABASE model");
        await using var context = new FactoryDbContext(
            FactoryDbContext.Configure(new DbContextOptionsBuilder<FactoryDbContext>().UseNpgsql(ConnectionString("model") + ";Pooling=false")).Options);
        await context.Database.MigrateAsync();
    }

    public async Task DisposeAsync()
    {
        if (server is not null)
        {
            server.StandardInput.Close();
            using var timeout = new CancellationTokenSource(Patience);
            await server.WaitForExitAsync(timeout.Token);
            server.Dispose();
        }
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The connection string of a new database with the schema and nothing in it; skips the test where there is no server.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        Skip.IfNot(Missing is null, Missing);
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref databases)}");
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE model");
        return ConnectionString(name);
    }

    private string ConnectionString(string database) => string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=postgres;Database={database}");

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task AnsweringAsync()
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await ExecuteAsync("SELECT 1");
                return;
            }
            catch (NpgsqlException) when (watch.Elapsed < Patience && server is { HasExited: false })
            {
                await Task.Delay(50, CancellationToken.None);
            }
        }
    }

    private static string? FindBinaries() => Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql")
            .OrderByDescending(version => int.TryParse(Path.GetFileName(version), CultureInfo.InvariantCulture, out var number) ? number : 0)
            .Select(version => Path.Combine(version, "bin"))
            .FirstOrDefault(binaries => File.Exists(Path.Combine(binaries, "postgres")))
        : null;

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static async Task RunAsync(params string[] command)
    {
        using var process = Start(redirectOutput: true, command);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', command)}: {await output}{errors}");
    }

    private static Process Start(bool redirectOutput, string[] command) => Process.Start(new ProcessStartInfo(command[0], command[1..])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = redirectOutput,
        RedirectStandardError = redirectOutput,
        WorkingDirectory = "/",
    })!;
}
