using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// PostgreSQL as a process: the server binaries of this machine on a private cluster in the data folder, reached on the loopback address
/// with a generated password. PostgreSQL refuses to run as root: then it runs as <c>postgres</c> or <c>nobody</c>. Settings, under the
/// resource's name: <c>bin</c> (the folder of the binaries).
/// </summary>
internal sealed class PostgresProcess(PostgresProcessResource resource, DataFolder folder, string? bin)
{
    // SIGTERM, which is what every process is ended with, is PostgreSQL's word for "wait until the clients have gone"; SIGINT ends it at
    // once and cleanly. The shell waits on, for a signal ends its wait before the server has ended.
    private const string EndedByInterrupt = """
        "$@" & server=$!; trap 'kill -INT $server' TERM INT; while kill -0 $server 2>/dev/null; do wait $server; code=$?; done; exit $code
        """;

    private string data = "";
    private string binaries = "";
    private UnprivilegedUser? user;

    /// <summary>Before anything is started: what is needed is there, and a port is.</summary>
    public void Prepare(Ports ports)
    {
        user = Environment.IsPrivilegedProcess ? UnprivilegedUser.Find() : null;
        data = Path.Combine(folder.Folder(resource.Name), "data");
        binaries = FindBinaries();
        var endpoint = resource.PrimaryEndpoint.EndpointAnnotation;
        endpoint.Port = endpoint.TargetPort = ports.For($"{resource.Name}/tcp");
    }

    /// <summary>Before the server is started: its cluster is there, and nobody else is on it.</summary>
    public async Task BeforeStartAsync(ILogger logger, CancellationToken cancellationToken)
    {
        var own = folder.Folder(resource.Name);
        if (user is not null)
        {
            user.MustReach(own);
            user.Own(own);
        }
        if (!File.Exists(Path.Combine(data, "PG_VERSION")))
            await CreateClusterAsync(own, cancellationToken);
        await TakeOverAsync(logger, cancellationToken);
    }

    /// <summary>The shell's arguments.</summary>
    public IEnumerable<string> Arguments()
    {
        string[] server =
        [
            Path.Combine(binaries, "postgres"),
            "-D",
            data,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            string.Create(CultureInfo.InvariantCulture, $"port={resource.PrimaryEndpoint.EndpointAnnotation.Port}"),
            "-c",
            "unix_socket_directories=",
            "-c",
            "logging_collector=off",
        ];
        return ["-c", EndedByInterrupt, "sh", .. user?.Run(server) ?? server];
    }

    private async Task CreateClusterAsync(string own, CancellationToken cancellationToken)
    {
        // Made beside its place and moved there when complete: a start that was interrupted leaves nothing half done.
        var next = Path.Combine(own, "data.new");
        if (Directory.Exists(next))
            Directory.Delete(next, recursive: true);
        var passwordFile = Path.Combine(own, "password");
        File.Delete(passwordFile);
        try
        {
            var password = await resource.PasswordParameter.GetValueAsync(cancellationToken) ?? "";
            await using (
                var file = new FileStream(
                    passwordFile,
                    new FileStreamOptions
                    {
                        Mode = FileMode.CreateNew,
                        Access = FileAccess.Write,
                        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                    }
                )
            )
                await file.WriteAsync(Encoding.UTF8.GetBytes(password), cancellationToken);
            user?.Own(passwordFile);
            string[] initialise =
            [
                Path.Combine(binaries, "initdb"),
                "-D",
                next,
                "-U",
                "postgres",
                "--auth=scram-sha-256",
                $"--pwfile={passwordFile}",
                "--encoding=UTF8",
                "--no-locale",
                "--data-checksums",
            ];
            await Programs.RunAsync(user?.Run(initialise) ?? initialise, own, "PostgreSQL's data folder cannot be made", cancellationToken);
        }
        finally
        {
            File.Delete(passwordFile);
        }
        await File.AppendAllTextAsync(Path.Combine(next, "postgresql.conf"), Tuning(), cancellationToken);
        Directory.Move(next, data);
    }

    /// <summary>
    /// For a store that takes readings at a high rate on a machine it shares: durable, with rare checkpoints. Written once; the owner may
    /// change it.
    /// </summary>
    private static string Tuning()
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024 / 1024;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""

            # FactoryStream
            shared_buffers = {Math.Clamp(memory / 8, 128, 512)}MB
            effective_cache_size = {Math.Max(memory / 2, 256)}MB
            maintenance_work_mem = 128MB
            synchronous_commit = on
            wal_compression = on
            wal_buffers = 16MB
            min_wal_size = 256MB
            max_wal_size = 1GB
            checkpoint_timeout = 15min
            log_checkpoints = off
            max_connections = 100
            password_encryption = scram-sha-256
            jit = off

            """
        );
    }

    private string FindBinaries()
    {
        var wanted = File.Exists(Path.Combine(data, "PG_VERSION")) ? File.ReadAllText(Path.Combine(data, "PG_VERSION")).Trim() : null;
        var candidates = new List<string>();
        if (bin is { Length: > 0 } given)
            candidates.Add(given);
        foreach (var root in (string[])["/usr/lib/postgresql", "/usr/pgsql", "/opt/postgresql"])
        {
            if (Directory.Exists(root))
            {
                candidates.AddRange(
                    Directory
                        .EnumerateDirectories(root)
                        .OrderByDescending(version =>
                            double.TryParse(Path.GetFileName(version), CultureInfo.InvariantCulture, out var number) ? number : 0
                        )
                        .Select(version => Path.Combine(version, "bin"))
                );
            }
        }
        candidates.AddRange(
            Directory.Exists("/usr")
                ? Directory.EnumerateDirectories("/usr", "pgsql-*").OrderDescending().Select(version => Path.Combine(version, "bin"))
                : []
        );
        candidates.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries));
        var complete = candidates
            .Where(folder => File.Exists(Path.Combine(folder, "postgres")) && File.Exists(Path.Combine(folder, "initdb")))
            .Distinct()
            .ToArray();
        if (complete.Length == 0)
        {
            throw new DistributedApplicationException(
                "There is no PostgreSQL server on this machine. Install one (Debian: apt install postgresql), name the folder of "
                    + "its binaries by "
                    + "--postgres:bin FOLDER, give a database of your own by ConnectionStrings__factorydb, or start a container engine."
            );
        }
        if (wanted is null)
            return complete[0];
        return Array.Find(
                complete,
                folder =>
                    Path.GetFileName(Path.GetDirectoryName(folder)) is { } version && (version == wanted || version == $"pgsql-{wanted}")
            )
            ?? (
                complete.Length == 1
                    ? complete[0]
                    : throw new DistributedApplicationException(
                        $"The data in {data} was made by PostgreSQL {wanted}, which is not on this machine. Install it, or move the data "
                            + "with pg_upgrade."
                    )
            );
    }

    /// <summary>
    /// What a postmaster that was killed left behind. One that still runs on this very folder is stopped; a file that names anyone else is
    /// stale, and PostgreSQL itself would be misled by it when another process has that number now.
    /// </summary>
    private async Task TakeOverAsync(ILogger logger, CancellationToken cancellationToken)
    {
        var file = Path.Combine(data, "postmaster.pid");
        if (!File.Exists(file))
            return;
        if (
            int.TryParse(
                (await File.ReadAllLinesAsync(file, cancellationToken)).FirstOrDefault(),
                CultureInfo.InvariantCulture,
                out var pid
            ) && IsPostmasterOf(pid, data)
        )
        {
            SupervisionLog.EarlierPostgres(logger, pid);
            _ = Native.Kill(pid, Native.SigInt);
            for (var attempt = 0; attempt < 300 && IsPostmasterOf(pid, data); attempt++)
                await Task.Delay(100, cancellationToken);
            if (IsPostmasterOf(pid, data))
                throw new DistributedApplicationException($"PostgreSQL, process {pid}, still uses {data} and does not end.");
        }
        File.Delete(file);
    }

    private static bool IsPostmasterOf(int pid, string data)
    {
        // Its command line, which everyone may read: the postmaster's names the folder, its children's are titles.
        try
        {
            return pid > 0
                && File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cmdline")).Split('\0')
                    is [var program, .. var arguments]
                && program.EndsWith("postgres", StringComparison.Ordinal)
                && arguments.Contains(data);
        }
        catch (IOException)
        {
            return false;
        }
    }

    public static async Task<object?> QueryAsync(
        string? connectionString,
        string sql,
        CancellationToken cancellationToken,
        params object[] parameters
    )
    {
        // A pool would keep connections that hold up a shutdown, and the health check is rare.
        var builder = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            Timeout = 5,
            CommandTimeout = 30,
        };
        await using var connection = new NpgsqlConnection(builder.ConnectionString);
        await connection.OpenAsync(cancellationToken);
#pragma warning disable CA2100 // The statements are this file's own; the one name in them is quoted.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        foreach (var parameter in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        return await command.ExecuteScalarAsync(cancellationToken);
    }
}
