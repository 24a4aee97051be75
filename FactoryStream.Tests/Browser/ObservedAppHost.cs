using System.Globalization;
using System.Text.RegularExpressions;
using FactoryStream.Tests.AppHost;
using FactoryStream.Tests.Distributed;

namespace FactoryStream.Tests.Browser;

/// <summary>The whole system as a user starts it, with simulated factories and the Aspire dashboard, on ports of its own.</summary>
public sealed partial class ObservedAppHost : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder folder = new TemporaryFolder().Reachable();
    private readonly int[] ports = LocalServers.FreePorts(6);
    private AppHostProgram? program;

    /// <summary>Why it does not run; null when it does.</summary>
    public string? Missing { get; } =
        !OperatingSystem.IsLinux() ? "servers as processes are for Linux"
        : LocalServers.HasPostgres ? null
        : LocalServers.NoPostgres;

    public Uri Ingest => Address(0);

    public Uri RunningSystem => Address(2);

    /// <summary>The Aspire dashboard.</summary>
    public Uri Dashboard => Address(3);

    /// <summary>Who follows it is let in; as the console prints it.</summary>
    public Uri LoginLink { get; private set; } = new("about:blank");

    /// <summary>All that the console has said so far.</summary>
    internal string Console => program!.Console;

    public async Task InitializeAsync()
    {
        if (Missing is not null)
            return;
        program = new AppHostProgram(
            [
                "--data",
                $"{folder.Path}/data",
                "--containers",
                "false",
                "--kafka:in-memory",
                "true",
                "--aggregator:IdleTimeout=00:00:03",
                $"--simulator:Keys={folder.Path}/keys",
                .. ((string[])["ingest", "verifier", "dashboard"]).Select((service, i) => $"--{service}:port={Text(ports[i])}"),
            ],
            new Dictionary<string, string>
            {
                ["ASPNETCORE_URLS"] = $"http://localhost:{Text(ports[3])}",
                ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://localhost:{Text(ports[4])}",
                ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = $"http://localhost:{Text(ports[5])}",
                ["KAFKA_HOME"] = "",
                // As launchSettings.json has it: metrics come every second then.
                ["DOTNET_ENVIRONMENT"] = "Development",
            }
        );
        await program.UntilAsync(() =>
            Task.FromResult(Link().IsMatch(Console) && Console.Contains("Enrolled 10 factories", StringComparison.Ordinal))
        );
        LoginLink = new Uri(Link().Match(Console).Groups[1].Value);
    }

    public async Task DisposeAsync()
    {
        if (program is not null)
        {
            program.Interrupt();
            await program.ExitCodeAsync();
        }
    }

    public void Dispose()
    {
        program?.Dispose();
        folder.Dispose();
    }

    private Uri Address(int port) => new($"http://localhost:{Text(ports[port])}");

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"Login to the dashboard at (http\S+)")]
    private static partial Regex Link();
}
