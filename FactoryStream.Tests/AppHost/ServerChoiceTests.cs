using Aspire.Hosting;
using FactoryStream.AppHost.Hosting;

namespace FactoryStream.Tests.AppHost;

public sealed class ServerChoiceTests
{
    [Theory]
    [InlineData(false, null, null, "docker", ServerKind.Container, "docker")]
    [InlineData(false, null, null, null, ServerKind.Process, "no container engine")]
    [InlineData(false, null, false, "docker", ServerKind.Process, "--containers")]
    [InlineData(false, null, true, null, ServerKind.Container, "--containers")]
    [InlineData(false, "broker:9092", true, "docker", ServerKind.Own, "connection string")]
    [InlineData(true, "broker:9092", false, null, ServerKind.Container, "published")]
    internal void A_server_is_what_it_is_told_to_be_or_what_the_machine_has_room_for(
        bool isPublished,
        string? connectionString,
        bool? containers,
        string? engine,
        ServerKind kind,
        string reason
    )
    {
        var choice = ServerChoice.Of(isPublished, connectionString, containers, () => engine);

        Assert.Equal(kind, choice.Kind);
        Assert.Contains(reason, choice.Reason, StringComparison.Ordinal);
    }
}

public sealed class DataFolderTests
{
    [Fact]
    public void A_data_folder_has_one_AppHost_at_a_time()
    {
        using var folder = new TemporaryFolder();
        using (var first = new DataFolder(folder.Path))
        {
            first.Take();
            using var second = new DataFolder(folder.Path);

            var refused = Assert.Throws<DistributedApplicationException>(second.Take);

            Assert.Equal(
                $"Another AppHost (process {Environment.ProcessId}) uses the data folder {folder.Path}. Stop it first, or name "
                    + "another folder by --data FOLDER.",
                refused.Message
            );
        }
        using var again = new DataFolder(folder.Path);
        again.Take();
    }

    [Fact]
    public void A_secret_is_made_once_and_kept_for_its_owner_alone()
    {
        using var folder = new TemporaryFolder();
        using var data = new DataFolder(Path.Combine(folder.Path, "data"));

        Assert.Equal("first", data.Secret("token", () => "first"));
        Assert.Equal("first", data.Secret("token", () => "second"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{folder.Path}/data/secrets/token"));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode($"{folder.Path}/data/secrets")
        );
    }

    [Fact]
    public void A_temporary_data_folder_is_deleted_at_the_end()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "data");
        using (var data = new DataFolder(path, isTemporary: true))
            data.Take();
        Assert.False(Directory.Exists(path));
    }
}

public sealed class SupervisionRulesTests
{
    [Fact]
    public void Restarts_wait_longer_each_time_and_a_job_is_given_up()
    {
        Assert.Equal(
            [0.1, 0.5, 1, 2, 5, 10, 30, 30],
            Enumerable.Range(1, 8).Select(crashes => Restarts.Delay(crashes, isJob: false)!.Value)
        );
        Assert.Equal([0.1, 0.5, 1, 2, null], Enumerable.Range(1, 5).Select(crashes => Restarts.Delay(crashes, isJob: true)));
    }

    [Theory]
    [InlineData("2026-11-27T08:10:09.7890000Z ready", "ready")]
    [InlineData("ready at last", "ready at last")]
    [InlineData("ready", "ready")]
    public void The_console_shows_a_line_without_Aspires_time(string line, string shown) =>
        Assert.Equal(shown, ConsoleLines.WithoutTime(line));

    [Fact]
    public void The_orchestrator_is_found_by_its_AppHost_and_not_another_AppHosts()
    {
        (int, string[])[] processes =
        [
            (10, ["/tools/dcp", "start-apiserver", "--monitor", "7", "--kubeconfig", "/tmp/a"]),
            (11, ["/tools/dcp", "run-controllers", "--kubeconfig", "/tmp/a"]),
            (20, ["/tools/dcp", "start-apiserver", "--monitor", "8", "--kubeconfig", "/tmp/b"]),
            (21, ["/tools/dcp", "run-controllers", "--kubeconfig", "/tmp/b"]),
            (30, []),
        ];

        Assert.Equal([10, 11], OrchestratorWatch.Find(processes, 7));
        Assert.Equal([20, 21], OrchestratorWatch.Find(processes, 8));
        Assert.Empty(OrchestratorWatch.Find(processes, 9));
    }
}
