using System.Diagnostics;
using System.Globalization;
using FactoryStream.Tests.AppHost;
using Npgsql;

namespace FactoryStream.Tests.Storage;

/// <summary>PgBouncer before the database server, in transaction mode: a client has a connection for as long as a transaction.</summary>
internal sealed class Pooler : IAsyncDisposable
{
    private static readonly string[] Places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];

    private readonly Process process;
    private readonly int port;

    private Pooler(Process process, int port)
    {
        (this.process, this.port) = (process, port);
    }

    /// <summary>Starts it; skips the test where there is none on this machine.</summary>
    /// <param name="server">The connection string of a database that is behind it.</param>
    public static async Task<Pooler> StartAsync(string server)
    {
        var program = Array.Find(Places, File.Exists);
        Skip.If(program is null, $"no PgBouncer on this machine ({string.Join(", ", Places)})");
        var port = LocalServers.FreePort();
        var folder = Directory.CreateTempSubdirectory("factorystream-pgbouncer-").FullName;
        var settings = Path.Combine(folder, "pgbouncer.ini");
        await File.WriteAllTextAsync(
            settings,
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                [databases]
                * = host=127.0.0.1 port={new NpgsqlConnectionStringBuilder(server).Port} user=postgres
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = {port}
                unix_socket_dir =
                auth_type = any
                pool_mode = transaction
                """
            )
        );
        return new(await PostgresFixture.StartServerAsync(folder, [program!, settings]), port);
    }

    /// <summary>The same database through the pooler.</summary>
    /// <param name="connectionString">A database of the server.</param>
    public string Through(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Port = port, NoResetOnClose = true }.ConnectionString;

    public ValueTask DisposeAsync() => PostgresFixture.StopServerAsync(process);
}
