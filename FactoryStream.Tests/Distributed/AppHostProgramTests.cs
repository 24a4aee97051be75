using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FactoryStream.AppHost.Hosting;
using FactoryStream.Tests.AppHost;

namespace FactoryStream.Tests.Distributed;

/// <summary>What a user of the AppHost sees from outside: its console, its ports, its end.</summary>
public sealed class AppHostProgramTests : IDisposable
{
    private const string Told = "127.0.0.2";

    private readonly TemporaryFolder folder = new TemporaryFolder().Reachable();
    private readonly int ingest = LocalServers.FreePort(),
        verifier = LocalServers.FreePort(),
        dashboard = LocalServers.FreePort();

    public void Dispose() => folder.Dispose();

    [SkippableFact]
    public async Task Ctrl_C_at_the_very_start_ends_it_without_a_complaint()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "servers as processes are for Linux");
        Skip.IfNot(LocalServers.HasPostgres, LocalServers.NoPostgres);
        using var appHost = new AppHostProgram(Arguments());
        await appHost.UntilAsync(() =>
            Task.FromResult(appHost.Console.Contains("Distributed application starting", StringComparison.Ordinal))
        );

        appHost.Interrupt();

        await AssertEndedInGoodOrderAsync(appHost);
    }

    [SkippableFact]
    public async Task Ctrl_C_while_services_wait_for_PostgreSQL_ends_what_runs_in_good_order()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "servers as processes are for Linux");
        Skip.IfNot(LocalServers.HasPostgres, LocalServers.NoPostgres);
        using var appHost = new AppHostProgram(Arguments());
        await appHost.UntilAsync(() => Task.FromResult(File.Exists($"{folder.Path}/data/postgres/data/postmaster.pid")));

        appHost.Interrupt();

        await AssertEndedInGoodOrderAsync(appHost);
        Assert.Equal("shut down", LocalServers.ClusterState($"{folder.Path}/data/postgres/data"));
    }

    [SkippableFact]
    public async Task Help_names_every_setting_of_the_operations_guide_and_starts_nothing()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the AppHost's program is started by env");
        using var appHost = new AppHostProgram(["--help"]);
        Assert.Equal(0, await appHost.ExitCodeAsync());
        var guide = await File.ReadAllTextAsync(Path.Combine(SharedData.Root, "docs", "operations.md"));
        var table = guide[guide.IndexOf("| setting |", StringComparison.Ordinal)..guide.IndexOf("## Enrolling", StringComparison.Ordinal)];
        var settings = Regex.Matches(table, "`(--[A-Za-z:-]+)").Select(match => match.Groups[1].Value).ToArray();

        Assert.True(settings.Length > 10);
        Assert.All(settings, setting => Assert.Contains(setting, appHost.Console, StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task Containers_without_a_container_engine_are_refused_with_an_explanation()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the path of a Unix");
        // No docker and no podman on this path.
        using var appHost = new AppHostProgram(
            [.. Arguments(), "--containers", "true"],
            new Dictionary<string, string> { ["PATH"] = folder.Path }
        );

        Assert.Equal(1, await appHost.ExitCodeAsync());

        await appHost.UntilAsync(() =>
            Task.FromResult(
                appHost.Console.Contains(
                    "kafka is to be a container, as told by --containers, but no container engine responds: neither docker nor podman.",
                    StringComparison.Ordinal
                )
            )
        );
        Assert.DoesNotContain("   at ", appHost.Console, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Services_that_others_reach_listen_where_told_and_the_rest_on_loopback()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "elsewhere the loopback network has one address");
        Skip.IfNot(LocalServers.HasPostgres, LocalServers.NoPostgres);
        using var appHost = new AppHostProgram([.. Arguments(), "--listen", Told, "--verifier:replicas", "2"]);
        using var client = new HttpClient { Timeout = RunningSystem.Patience };
        foreach (var port in (int[])[ingest, verifier, dashboard])
            await appHost.UntilAsync(async () => await IsWellAsync(client, Told, port));

        foreach (var port in (int[])[ingest, verifier, dashboard])
            Assert.False(await IsWellAsync(client, "127.0.0.1", port));
        var addresses = appHost
            .Environments()
            .Values.Select(environment =>
                environment.FirstOrDefault(variable => variable.StartsWith("ASPNETCORE_URLS=", StringComparison.Ordinal))
            )
            .OfType<string>()
            .Select(urls => new Uri(urls["ASPNETCORE_URLS=".Length..]))
            .ToArray();
        Assert.Equal(["127.0.0.2", "127.0.0.2", "127.0.0.2", "127.0.0.2", "localhost"], addresses.Select(address => address.Host).Order());
        appHost.Interrupt();
        Assert.True(await appHost.ExitCodeAsync() == 0, appHost.Console);
        await appHost.AloneAsync();
    }

    [Fact]
    public void A_port_that_is_taken_on_one_address_is_free_on_another()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(Told), 0));
        socket.Listen();
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;

        Assert.True(Ports.IsTaken(port, IPAddress.Parse(Told)));
        Assert.False(Ports.IsTaken(port, IPAddress.Parse("127.0.0.3")));
    }

    private static async Task AssertEndedInGoodOrderAsync(AppHostProgram appHost)
    {
        Assert.True(await appHost.ExitCodeAsync() == 0, appHost.Console);
        foreach (var complaint in (string[])["   at ", "Exception", "Unhandled", "Hosting failed", "Failed to create resource"])
            Assert.DoesNotContain(complaint, appHost.Console, StringComparison.Ordinal);
        await appHost.AloneAsync();
    }

    private string[] Arguments() =>
        [
            "--data",
            $"{folder.Path}/data",
            "--simulator",
            "false",
            "--aspire-dashboard",
            "false",
            "--containers",
            "false",
            $"--Parameters:admin-token={RunningSystem.AdminToken}",
            Argument("ingest", ingest),
            Argument("verifier", verifier),
            Argument("dashboard", dashboard),
        ];

    private static string Argument(string service, int port) => string.Create(CultureInfo.InvariantCulture, $"--{service}:port={port}");

    private static async Task<bool> IsWellAsync(HttpClient client, string host, int port)
    {
        try
        {
            using var response = await client.GetAsync(string.Create(CultureInfo.InvariantCulture, $"http://{host}:{port}/health"));
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
