using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Npgsql;

namespace FactoryStream.Tests.LocalHosting;

public sealed class PostgresTests
{
    private const string Missing = "no PostgreSQL server binaries on this machine";

    public static bool IsInstalled => Directory.Exists("/usr/lib/postgresql") || FactoryStream.LocalHosting.Supervision.ChildProcess.FindOnPath("postgres") is not null;

    [SkippableFact]
    public async Task A_private_cluster_is_made_kept_and_shut_down_cleanly()
    {
        Skip.IfNot(IsInstalled, Missing);
        using var folder = new TemporaryFolder().Reachable();
        string[] args = [$"--data={folder.Path}/data"];
        for (var round = 0; round < 2; round++)
        {
            await using (var running = await Running.StartAsync(args, builder => builder.AddPostgres("postgres").WithDataVolume("data").WithPgWeb().AddDatabase("factorydb")))
            {
                var database = await running.UntilAsync("factorydb", snapshot => snapshot.HealthStatus == Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy);
                Assert.Equal(["postgres:Parent"], database.Snapshot.Relationships.Select(edge => $"{edge.ResourceName}:{edge.Type}"));
                await using var connection = new NpgsqlConnection(await running.App.GetConnectionStringAsync("factorydb") + ";Pooling=false");
                await connection.OpenAsync();
                await using var command = new NpgsqlCommand("CREATE TABLE IF NOT EXISTS kept (round int); INSERT INTO kept VALUES (1); SELECT count(*) FROM kept", connection);
                Assert.Equal(round + 1L, await command.ExecuteScalarAsync());
                // Stopped below with this client still connected.
            }
            Assert.Equal("shut down", ClusterState($"{folder.Path}/data/postgres/data"));
        }
    }

    [SkippableFact]
    public async Task A_stale_postmaster_file_of_another_process_is_no_obstacle()
    {
        Skip.IfNot(IsInstalled, Missing);
        using var folder = new TemporaryFolder().Reachable();
        string[] args = [$"--data={folder.Path}/data"];
        await using (var first = await Running.StartAsync(args, builder => builder.AddPostgres("postgres")))
            await first.UntilAsync("postgres", snapshot => snapshot.HealthStatus == Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy);
        // The number of a living process that is no PostgreSQL: this one.
        await File.WriteAllTextAsync($"{folder.Path}/data/postgres/data/postmaster.pid", string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n{folder.Path}/data/postgres/data\n1\n5432\n\n127.0.0.1\n"));

        await using var second = await Running.StartAsync(args, builder => builder.AddPostgres("postgres"));

        await second.UntilAsync("postgres", snapshot => snapshot.HealthStatus == Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_database_from_outside_needs_no_server()
    {
        string[] args = ["--ConnectionStrings:factorydb=Host=db.example;Database=plant"];
        await using var running = await Running.StartAsync(args, builder => builder.AddPostgres("postgres").AddDatabase("factorydb"));

        Assert.Equal("Host=db.example;Database=plant", await running.App.GetConnectionStringAsync("factorydb"));
        var server = await running.UntilAsync("postgres", KnownResourceStates.Running);
        Assert.Null(server.Snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value);
    }

    /// <summary>What PostgreSQL wrote down when it ended: DBState of global/pg_control.</summary>
    internal static string ClusterState(string data)
    {
        // ControlFileData: system identifier (8 bytes), control version (4), catalogue version (4), then the state.
        var control = File.ReadAllBytes(Path.Combine(data, "global", "pg_control"));
        return BitConverter.ToInt32(control, 16) switch { 1 => "shut down", 6 => "in production", var other => other.ToString(CultureInfo.InvariantCulture) };
    }
}
