using System.Globalization;
using System.Text;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.Supervision;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace FactoryStream.LocalHosting.Servers;

/// <summary>
/// PostgreSQL without a container: the databases of <c>ConnectionStrings:NAME</c>; else the server binaries of this machine on a private cluster in the
/// data folder, reached on the loopback address with a generated password. PostgreSQL refuses to run as root: then it runs as <c>postgres</c> or <c>nobody</c>.
/// Settings, under the resource's name: <c>bin</c> (the folder of the binaries).
/// </summary>
internal sealed class LocalPostgres(PostgresServerResource resource, IConfiguration configuration)
{
    private readonly IConfigurationSection settings = configuration.GetSection(resource.Name);

    public static IResourceBuilder<PostgresServerResource> Describe(IResourceBuilder<PostgresServerResource> builder, IDistributedApplicationBuilder application)
    {
        var postgres = new LocalPostgres(builder.Resource, application.Configuration);
        return builder
            .WithAnnotation(new LaunchAnnotation("PostgresServer", postgres.PlanAsync))
            .WithAnnotation(new HealthCheckAnnotation($"{builder.Resource.Name}_check", async (_, cancellationToken) =>
            {
                if (!postgres.IsExternal)
                    await QueryAsync(await builder.Resource.GetConnectionStringAsync(cancellationToken) + ";Database=postgres", "SELECT 1", cancellationToken);
            }));
    }

    public static IResourceBuilder<PostgresDatabaseResource> Describe(IResourceBuilder<PostgresDatabaseResource> builder, IDistributedApplicationBuilder application)
    {
        var database = builder.Resource;
        database.External = application.Configuration.GetConnectionString(database.Name) is { Length: > 0 } external ? external : null;
        if (database.External is null)
            builder.WithAnnotation(new WaitAnnotation(database.Parent, WaitType.WaitUntilHealthy));
        return builder
            .WithAnnotation(new LaunchAnnotation("PostgresDatabase", (_, cancellationToken) => PlanAsync(database, cancellationToken)))
            .WithAnnotation(new HealthCheckAnnotation($"{database.Name}_check",
                async (_, cancellationToken) => await QueryAsync(await database.GetConnectionStringAsync(cancellationToken), "SELECT 1", cancellationToken)));
    }

    private bool IsExternal => resource.DatabaseResources is { Count: > 0 } databases && databases.All(database => database.External is not null);

    private static async Task<LaunchPlan> PlanAsync(PostgresDatabaseResource database, CancellationToken cancellationToken)
    {
        var connectionString = (await database.GetConnectionStringAsync(cancellationToken))!;
        if (database.External is null)
        {
            var server = await database.Parent.GetConnectionStringAsync(cancellationToken) + ";Database=postgres";
            if (await QueryAsync(server, "SELECT 1 FROM pg_database WHERE datname = $1", cancellationToken, database.DatabaseName) is null)
                await QueryAsync(server, $"""CREATE DATABASE "{database.DatabaseName.Replace("\"", "\"\"", StringComparison.Ordinal)}" """, cancellationToken);
        }
        var place = new NpgsqlConnectionStringBuilder(connectionString);
        return new LaunchPlan
        {
            Address = string.Create(CultureInfo.InvariantCulture, $"tcp://{place.Host}:{place.Port}/{place.Database}"),
            Properties = [new ResourcePropertySnapshot("resource.connectionString", connectionString) { IsSensitive = true }],
        };
    }

    private async Task<LaunchPlan> PlanAsync(LaunchContext context, CancellationToken cancellationToken)
    {
        if (IsExternal)
            return new LaunchPlan { Address = "", Properties = [new ResourcePropertySnapshot("resource.source", "ConnectionStrings")] };

        var user = Environment.IsPrivilegedProcess ? UnprivilegedUser.Find() : null;
        var folder = context.Folder.Folder(resource.Name);
        var data = Path.Combine(folder, "data");
        var binaries = FindBinaries(data);
        var environment = ProgramLaunch.InheritedEnvironment(context);
        foreach (var variable in environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToArray())
            environment.Remove(variable);
        if (user is not null)
        {
            user.MustReach(folder);
            user.Own(folder);
            environment["HOME"] = folder;
        }

        if (!File.Exists(Path.Combine(data, "PG_VERSION")))
            await CreateClusterAsync(binaries, folder, data, environment, user, cancellationToken);
        await TakeOverAsync(data, context, cancellationToken);

        var port = context.PortOf(PostgresServerResource.PrimaryEndpointName);
        string[] arguments =
        [
            "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", string.Create(CultureInfo.InvariantCulture, $"port={port}"), "-c", "unix_socket_directories=",
            "-c", "logging_collector=off",
        ];
        var spec = new ProcessSpec(Path.Combine(binaries, "postgres"), arguments, environment, folder)
        {
            StopSignal = Native.SigInt, // Fast shutdown: clients are disconnected, data is safe and clean.
            Grace = TimeSpan.FromSeconds(60),
        };
        return new LaunchPlan
        {
            Process = user?.Run(spec) ?? spec,
            DataFolder = data,
            Properties = [new ResourcePropertySnapshot("executable.path", spec.File), new ResourcePropertySnapshot("resource.source", binaries)],
        };
    }

    private async Task CreateClusterAsync(string binaries, string folder, string data, Dictionary<string, string> environment, UnprivilegedUser? user, CancellationToken cancellationToken)
    {
        // Made beside its place and moved there when complete: a start that was interrupted leaves nothing half done.
        var next = Path.Combine(folder, "data.new");
        if (Directory.Exists(next))
            Directory.Delete(next, recursive: true);
        var passwordFile = Path.Combine(folder, "password");
        File.Delete(passwordFile);
        try
        {
            await using (var file = new FileStream(passwordFile, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
                await file.WriteAsync(Encoding.UTF8.GetBytes(await resource.PasswordParameter.GetValueAsync(cancellationToken) ?? ""), cancellationToken);
            user?.Own(passwordFile);
            var initialise = new ProcessSpec(
                Path.Combine(binaries, "initdb"),
                ["-D", next, "-U", "postgres", "--auth=scram-sha-256", $"--pwfile={passwordFile}", "--encoding=UTF8", "--no-locale", "--data-checksums"], environment, folder);
            await Programs.RunAsync(user?.Run(initialise) ?? initialise, "PostgreSQL's data folder cannot be made", cancellationToken);
        }
        finally
        {
            File.Delete(passwordFile);
        }
        await File.AppendAllTextAsync(Path.Combine(next, "postgresql.conf"), Tuning(), cancellationToken);
        Directory.Move(next, data);
    }

    /// <summary>For a store that takes readings at a high rate on a machine it shares: durable, with rare checkpoints. Written once; the owner may change it.</summary>
    private static string Tuning()
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024 / 1024;
        return string.Create(CultureInfo.InvariantCulture, $"""

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

            """);
    }

    private string FindBinaries(string data)
    {
        var wanted = File.Exists(Path.Combine(data, "PG_VERSION")) ? File.ReadAllText(Path.Combine(data, "PG_VERSION")).Trim() : null;
        var candidates = new List<string>();
        if (settings["bin"] is { Length: > 0 } given)
            candidates.Add(given);
        foreach (var root in (string[])["/usr/lib/postgresql", "/usr/pgsql", "/opt/postgresql"])
        {
            if (Directory.Exists(root))
                candidates.AddRange(Directory.EnumerateDirectories(root).OrderByDescending(version => double.TryParse(Path.GetFileName(version), CultureInfo.InvariantCulture, out var number) ? number : 0).Select(version => Path.Combine(version, "bin")));
        }
        candidates.AddRange(Directory.Exists("/usr") ? Directory.EnumerateDirectories("/usr", "pgsql-*").OrderDescending().Select(version => Path.Combine(version, "bin")) : []);
        candidates.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries));
        var complete = candidates.Where(folder => File.Exists(Path.Combine(folder, "postgres")) && File.Exists(Path.Combine(folder, "initdb"))).Distinct().ToArray();
        if (complete.Length == 0)
        {
            throw new DistributedApplicationException(
                "There is no PostgreSQL server on this machine. Install one (Debian: apt install postgresql), name the folder of its binaries by --postgres:bin FOLDER, or give a database of your own by ConnectionStrings__factorydb.");
        }
        if (wanted is null)
            return complete[0];
        return Array.Find(complete, folder => Path.GetFileName(Path.GetDirectoryName(folder)) is { } version && (version == wanted || version == $"pgsql-{wanted}"))
            ?? (complete.Length == 1 ? complete[0] : throw new DistributedApplicationException($"The data in {data} was made by PostgreSQL {wanted}, which is not on this machine. Install it, or move the data with pg_upgrade."));
    }

    /// <summary>
    /// What a postmaster that was killed left behind. One that still runs on this very folder is stopped; a file that names anyone else is stale,
    /// and PostgreSQL itself would be misled by it when another process has that number now.
    /// </summary>
    private static async Task TakeOverAsync(string data, LaunchContext context, CancellationToken cancellationToken)
    {
        var file = Path.Combine(data, "postmaster.pid");
        if (!File.Exists(file))
            return;
        if (int.TryParse((await File.ReadAllLinesAsync(file, cancellationToken)).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid) && IsPostmasterOf(pid, data))
        {
            context.Log($"A PostgreSQL of an earlier run (process {pid}) is stopped first.", false);
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
            return pid > 0 && File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cmdline")).Split('\0') is [var program, .. var arguments]
                && program.EndsWith("postgres", StringComparison.Ordinal) && arguments.Contains(data);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task<object?> QueryAsync(string? connectionString, string sql, CancellationToken cancellationToken, params object[] parameters)
    {
        // A pool would keep connections that hold up a shutdown, and the health check is rare.
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Timeout = 5, CommandTimeout = 30 };
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
