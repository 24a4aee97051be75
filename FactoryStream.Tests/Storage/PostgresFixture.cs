using System.Diagnostics;
using System.Globalization;
using FactoryStream.Storage;
using FactoryStream.Tests.AppHost;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace FactoryStream.Tests.Storage;

[CollectionDefinition(Name)]
public sealed class DatabaseTests : ICollectionFixture<PostgresFixture>
{
    public const string Name = "PostgreSQL";
}

/// <summary>
/// A private PostgreSQL for the tests of one run, on a free loopback port, gone with the test process however it ends; each test has a
/// database of its own.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    // Ends the server and removes its folder when the test process closes the pipe, or dies.
    private const string Script = """
        folder=$1; shift
        "$@" >"$folder/log" 2>&1 &
        server=$!
        cat >/dev/null
        kill -INT $server 2>/dev/null
        wait $server
        rm -rf "$folder"
        """;

    private readonly int port = LocalServers.FreePort();
    private Process? process;
    private int databases;

    /// <summary>Why there is none, or null.</summary>
    public string? Missing { get; private set; }

    public async Task InitializeAsync()
    {
        if (FindBinaries() is not { } binaries)
        {
            Missing = "no PostgreSQL server binaries on this machine";
            return;
        }
        var folder = Directory.CreateTempSubdirectory("factorystream-postgres-").FullName;
        await GiveAsync(folder);
        await RunAsync([
            .. AsUser,
            $"{binaries}/initdb",
            "-D",
            $"{folder}/data",
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]);
        process = await StartServerAsync(
            folder,
            [
                $"{binaries}/postgres",
                "-D",
                $"{folder}/data",
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                string.Create(CultureInfo.InvariantCulture, $"port={port}"),
                "-c",
                "unix_socket_directories=",
                "-c",
                "fsync=off",
                "-c",
                "synchronous_commit=off",
                "-c",
                "jit=off",
                "-c",
                "max_wal_size=4GB",
            ]
        );

        var begun = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await ExecuteAsync("postgres", "CREATE DATABASE template");
                break;
            }
            catch (NpgsqlException) when (begun.Elapsed < Patience && !process.HasExited)
            {
                await Task.Delay(50, CancellationToken.None);
            }
        }
        var options = FactoryDbContext
            .Configure(new DbContextOptionsBuilder<FactoryDbContext>().UseNpgsql(ConnectionString("template") + ";Pooling=false"))
            .Options;
        await using var context = new FactoryDbContext(options);
        await context.Database.MigrateAsync();
    }

    public async Task DisposeAsync()
    {
        if (process is not null)
            await StopServerAsync(process);
    }

    /// <summary>Starts a server that does not run as root, and that ends with this process.</summary>
    /// <param name="folder">Its own, which is removed when it ends.</param>
    /// <param name="command">The program and its arguments.</param>
    internal static async Task<Process> StartServerAsync(string folder, string[] command)
    {
        await GiveAsync(folder);
        return Start(["sh", "-c", Script, "sh", folder, .. AsUser, .. command], pipe: true);
    }

    internal static async ValueTask StopServerAsync(Process server)
    {
        server.StandardInput.Close();
        using var timeout = new CancellationTokenSource(Patience);
        await server.WaitForExitAsync(timeout.Token);
        server.Dispose();
    }

    private static string[] AsUser =>
        Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] : [];

    private static Task GiveAsync(string folder) =>
        Environment.IsPrivilegedProcess ? RunAsync(["chown", "-R", "nobody:nogroup", folder]) : Task.CompletedTask;

    /// <summary>
    /// The connection string of a new database with the schema and nothing in it; skips the test where there is no PostgreSQL.
    /// </summary>
    internal async Task<string> CreateDatabaseAsync()
    {
        Skip.If(Missing is not null, Missing);
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref databases)}");
        await ExecuteAsync("postgres", $"CREATE DATABASE {name} TEMPLATE template");
        return ConnectionString(name);
    }

    internal string ConnectionString(string database) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"Host=127.0.0.1;Port={port};Username=postgres;Database={database};Include Error Detail=true"
        );

    private async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(database) + ";Pooling=false");
        await connection.OpenAsync();
#pragma warning disable CA2100 // The tests' own statements.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    private static string? FindBinaries()
    {
        var folders = Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")).OrderDescending()
            : Enumerable.Empty<string>();
        return folders
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));
    }

    private static Task RunAsync(string program, string[] arguments) => RunAsync([program, .. arguments]);

    private static async Task RunAsync(string[] command)
    {
        using var process = Start(command, pipe: false);
        using var timeout = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var errors = process.StandardError.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        Assert.True(process.ExitCode == 0, $"{command[0]}: {await output}{await errors}");
    }

    private static Process Start(string[] command, bool pipe) =>
        Process.Start(
            new ProcessStartInfo(command[0], command[1..])
            {
                RedirectStandardInput = pipe,
                RedirectStandardOutput = !pipe,
                RedirectStandardError = !pipe,
                WorkingDirectory = "/",
            }
        )!;
}

internal static class DatabaseQueries
{
    /// <summary>All rows, each as its columns joined by <c>|</c>.</summary>
    public static async Task<string[]> RowsAsync(this NpgsqlDataSource database, string sql, params object[] parameters)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
            rows.Add(
                string.Join(
                    '|',
                    Enumerable
                        .Range(0, reader.FieldCount)
                        .Select(column => Convert.ToString(reader.GetValue(column), CultureInfo.InvariantCulture))
                )
            );
        return [.. rows];
    }

    public static async Task<T> ScalarAsync<T>(this NpgsqlDataSource database, string sql, params object[] parameters)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
